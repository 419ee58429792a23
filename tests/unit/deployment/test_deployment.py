"""The parts that every way of deploying shares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adloom.backup import keys
from adloom.errors import ConfigurationError
from infra.deployment import secrets
from infra.deployment.front import Front, caddyfile
from infra.deployment.stackfile import STACK_FILE, read_functions, substitute

FUNCTIONS = [function.name for function in read_functions()]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_variable_is_filled_in_as_by_faas_cli() -> None:
    text = "a: ${A:-one} b: ${B:-} c: ${C} d: $D"
    assert substitute(text, {"A": "", "C": "3"}) == "a: one b:  c: 3 d: $D"


def test_what_is_not_said_is_not_set(tmp_path: Path) -> None:
    plain, told = (read_functions(environment=said)[0] for said in ({}, {"ADLOOM_PUBLIC_URL": "https://a.example"}))
    assert "ADLOOM_PUBLIC_URL" not in plain.environment
    assert told.environment["ADLOOM_PUBLIC_URL"] == "https://a.example"
    assert (plain.image, plain.memory) == ("adloom/auth:latest", 256 * 2**20)


def test_a_function_without_a_memory_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stack.yml"
    path.write_text(STACK_FILE.read_text().replace("memory: 384Mi", "memory: lots"))
    with pytest.raises(ConfigurationError, match="sync-meta needs `limits: memory`"):
        read_functions(path)


def test_every_secret_of_every_function_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert secrets.main([str(folder), "--functions-reach", "10.62.0.1"]) == 0
    first = contents(folder)
    for function in read_functions():
        assert set(function.secrets) <= first.keys()
        assert "@10.62.0.1:5432/" in first[f"{function.name}-database-url"]
    assert "@127.0.0.1:5432/" in first["dashboard-database-url"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert secrets.main([str(folder), "--functions-reach", "10.62.0.1"]) == 0
    assert contents(folder) == first


def test_another_address_keeps_the_password(tmp_path: Path) -> None:
    secrets.main([str(tmp_path)])
    before = contents(tmp_path)
    secrets.main([str(tmp_path), "--functions-reach", "postgres", "--nats-reach", "nats", "--readable"])
    after = contents(tmp_path)
    for name in ("auth-database-url", "connector-nats-url"):
        host = "postgres" if "database" in name else "nats"
        assert after[name] == before[name].replace("127.0.0.1", host)
    assert after["token-ring"] == before["token-ring"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}


def test_a_given_secret_is_kept_and_an_empty_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "meta-app-secret").write_text("given\n")
    (tmp_path / "operator-key").write_text("")
    secrets.main([str(tmp_path)])
    assert contents(tmp_path)["meta-app-secret"] == "given\n"
    assert len(contents(tmp_path)["operator-key"]) > 40
    assert contents(tmp_path)["operator-key"].startswith("adl_o_")  # logs know it by that


def test_a_secret_that_nobody_can_make_up_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = tmp_path / "stack.yml"
    stack.write_text(STACK_FILE.read_text().replace("- operator-key", "- google-developer-token"))
    addresses = secrets.Addresses("a:1", "a:1", "a:2", "a:2", tmp_path)
    with pytest.raises(ConfigurationError, match="asks for google-developer-token"):
        secrets.write(secrets.SecretFolder(tmp_path / "made"), addresses, stack)
    (tmp_path / "file").write_text("")
    assert secrets.main([str(tmp_path / "file" / "folder")]) == 1
    assert "secrets:" in capsys.readouterr().err


def test_only_the_connector_may_publish(tmp_path: Path) -> None:
    secrets.main([str(tmp_path), "--nats-listen", "0.0.0.0"])
    users = json.loads(contents(tmp_path)["nats.conf"])["authorization"]["users"]
    assert [user.get("permissions", {}).get("publish") for user in users] == [None, {"deny": [">"]}]


def test_a_gateway_behind_the_front_door_gets_the_whole_path_of_our_functions_only() -> None:
    functions = dict.fromkeys(FUNCTIONS, "127.0.0.1:8080")
    settings = caddyfile(Front(("ads.example.com",), "127.0.0.1:8081", functions, https=True, strip=False))
    assert "strip_prefix" not in settings
    assert "auto_https" not in settings
    assert settings.count("reverse_proxy @") == len(FUNCTIONS)
    assert "handle /function/* {\n\t\terror" in settings, "another function of the gateway is not reachable"


def test_a_backup_gets_a_key_of_its_own_once_and_no_ring(tmp_path: Path) -> None:
    assert secrets.main([str(tmp_path), "--backup-key"]) == 0
    first = contents(tmp_path)
    assert first["backup-recipient"].strip() == keys.recipient_of(first["backup-identity"].strip())
    assert json.loads(first["key-ring-fingerprints"]).keys() == set(secrets.RINGS)
    assert not [ring for ring in secrets.RINGS if first[ring].strip() in first["key-ring-fingerprints"]]
    (tmp_path / "backup-identity").unlink()  # its owner has taken it away
    assert secrets.main([str(tmp_path), "--backup-key"]) == 0
    assert contents(tmp_path) == {name: text for name, text in first.items() if name != "backup-identity"}
