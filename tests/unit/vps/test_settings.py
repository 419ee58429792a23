"""What is written for a machine, from the choices that were made."""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path

import pytest

from adloom.errors import ConfigurationError
from infra.deployment.stackfile import read_functions
from infra.faasd import backups, choices, files, firewall, tuning, units
from infra.faasd.choices import Choices
from infra.faasd.errors import MachineFault

KEPT = """domain=ads.example.com
owner=owner@example.com
demo=yes
meta_app_id=
openfaas=folder
postgres_port=5433
timescale=apache
s3_endpoint=
s3_bucket=adloom
signal=
firewall=on
"""


@pytest.fixture
def chosen(tmp_path: Path) -> Choices:
    (tmp_path / "choices").write_text(KEPT, encoding="utf-8")
    return choices.read(tmp_path / "choices")


def test_choices_are_read(chosen: Choices) -> None:
    assert (chosen.domain, chosen.demo, chosen.postgres_port) == ("ads.example.com", True, 5433)
    assert (chosen.own_s3, chosen.own_openfaas, chosen.signal) == (True, True, False)


def test_choices_of_an_older_release_are_read_and_a_demo_has_an_app_at_each_platform(chosen: Choices) -> None:
    assert files.environment(chosen).keys() >= {
        *("ADLOOM_GOOGLE_ADS_CLIENT_ID", "ADLOOM_META_APP_ID", "ADLOOM_TIKTOK_APP_ID", "ADLOOM_SANDBOX_GOOGLE_PORT"),
    }
    assert all(chosen.apps.values())


def test_without_the_sandbox_a_platform_without_an_app_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "choices").write_text(KEPT.replace("demo=yes", "demo=") + "tiktok_app_id=77\n", encoding="utf-8")
    told = files.environment(choices.read(tmp_path / "choices"))
    assert told["ADLOOM_TIKTOK_APP_ID"] == "77"
    assert not {"ADLOOM_GOOGLE_ADS_CLIENT_ID", "ADLOOM_META_APP_ID", "ADLOOM_SANDBOX_URL"} & told.keys()


def test_a_damaged_file_of_choices_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "choices").write_text("domain=x\n", encoding="utf-8")
    with pytest.raises(MachineFault, match="with all its options again"):
        choices.read(tmp_path / "choices")
    with pytest.raises(MachineFault, match="not installed here"):
        choices.read(tmp_path / "nothing")


def test_nothing_is_left_unfilled_in_a_unit(chosen: Choices) -> None:
    full = dataclasses.replace(chosen, signal=True)
    texts = units.rendered(full, read_functions(environment={}))
    assert {path.name for path in (Path(units.__file__).parent / "systemd").glob("adloom*")} == {
        name for name in texts if name.startswith("adloom")
    }
    assert not [name for name, text in texts.items() if "@HARD" in text or "@BRIDGE" in text or "_PORT@" in text]
    assert "LoadCredential=sync-meta-event-secret:" in texts["adloom-connector.service"]


@pytest.mark.parametrize("unit", ["nats", "minio", "gateway", "connector", "dashboard", "caddy", "sandbox", "backup"])
def test_a_service_is_confined_and_has_a_user(chosen: Choices, unit: str) -> None:
    text = units.rendered(chosen, read_functions(environment={}))[f"adloom-{unit}.service"]
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "\nUser=adloom-", "\nMemoryMax="):
        assert line in text


def test_what_was_not_chosen_has_no_unit(chosen: Choices) -> None:
    little = dataclasses.replace(chosen, demo=False, own_s3=False, openfaas="installed")
    names = units.wanted(little)
    assert not {"adloom-sandbox.service", "adloom-minio.service", "adloom-gateway.service"} & set(names)
    target = units.rendered(little, [])["adloom.target"]
    assert "faasd-provider.service" in target
    assert "adloom-minio" not in target
    assert files.environment(little)["ADLOOM_CRON"] == "on"
    assert "ADLOOM_SANDBOX_URL" not in files.environment(little)


def test_functions_reach_the_machine_by_the_bridge(chosen: Choices) -> None:
    told = files.functions_environment(files.environment(chosen))
    assert told["ADLOOM_GATEWAY_URL"] == "http://10.62.0.1:8080"
    assert told["ADLOOM_S3_ENDPOINT"] == "http://10.62.0.1:9000"
    assert told["ADLOOM_PUBLIC_URL"] == "https://ads.example.com"
    assert "10.62.0.1" in told["ADLOOM_TRUSTED_PROXIES"].split(",")


@pytest.mark.parametrize(("gigabytes", "shared"), [(1, "128MB"), (4, "512MB"), (16, "2048MB"), (256, "8192MB")])
def test_postgres_gets_its_part_of_the_memory(gigabytes: int, shared: str) -> None:
    assert tuning.postgres(gigabytes << 30, 5432)["shared_buffers"] == shared


def test_some_pages_more_or_less_change_no_setting(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    told = set()
    for kilobytes in (4008120, 4008940):
        meminfo.write_text(f"MemTotal:  {kilobytes} kB\nMemFree: 1 kB\n", encoding="utf-8")
        told.add(tuning.memory(meminfo))
    assert told == {3840 << 20}


def test_ssh_stays_open_wherever_it_listens(tmp_path: Path) -> None:
    assert firewall.ssh_ports(tmp_path) == [22]
    ssh = tmp_path / "etc" / "ssh"
    (ssh / "sshd_config.d").mkdir(parents=True)
    (ssh / "sshd_config").write_text("#Port 22\nPort 2200\nListenAddress 192.0.2.1:2201 \n", encoding="utf-8")
    (ssh / "sshd_config.d" / "a.conf").write_text("  port 2202\n", encoding="utf-8")
    socket = tmp_path / "etc" / "systemd" / "system" / "ssh.socket.d"
    socket.mkdir(parents=True)
    (socket / "port.conf").write_text("[Socket]\nListenStream=\nListenStream=0.0.0.0:2203\n", encoding="utf-8")
    assert firewall.ssh_ports(tmp_path) == [2200, 2201, 2202, 2203]


def test_functions_reach_only_what_is_there() -> None:
    everything = firewall.rules([22], 5432, own_s3=True, demo=True, signal=True)
    assert "ip daddr 10.62.0.1 tcp dport { 5432, 8080, 9000, 8090, 8094, 8093 } accept" in everything
    little = firewall.rules([22, 2222], 5433, own_s3=False, demo=False, signal=False)
    assert "ip daddr 10.62.0.1 tcp dport { 5433, 8080 } accept" in little
    assert "tcp dport { 22, 2222 } accept" in little


def test_a_key_of_backups_is_made_once_and_told_rings_are_fingerprints(tmp_path: Path) -> None:
    secrets, identity = tmp_path / "secrets", tmp_path / "identity"
    secrets.mkdir()
    ring = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    (secrets / "token-ring").write_text(ring, encoding="utf-8")
    assert "keep a copy of it off this machine" in backups.settle_key(None, folder=secrets, identity=identity)[0]
    made = identity.read_text(encoding="utf-8"), (secrets / "backup-recipient").read_text(encoding="utf-8")
    assert backups.settle_key(None, folder=secrets, identity=identity) == []
    assert made == (identity.read_text(encoding="utf-8"), (secrets / "backup-recipient").read_text(encoding="utf-8"))
    assert stat.S_IMODE(identity.stat().st_mode) == 0o600
    told = (secrets / "key-ring-fingerprints").read_text(encoding="utf-8")
    assert ring not in told
    assert list(json.loads(told)) == ["token-ring"]
    (secrets / "mfa-ring").write_text(ring, encoding="utf-8")  # a later release brought it
    assert backups.settle_key(None, folder=secrets, identity=identity) == []
    told = (secrets / "key-ring-fingerprints").read_text(encoding="utf-8")
    assert list(json.loads(told)) == ["mfa-ring", "token-ring"]


def test_the_operators_own_key_takes_the_place_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    secrets, identity = tmp_path / "secrets", tmp_path / "identity"
    secrets.mkdir()
    backups.settle_key(None, folder=secrets, identity=identity)
    own = identity.read_text(encoding="utf-8").split("public key: ")[1].split()[0]
    identity.unlink()
    backups.settle_key(own, folder=secrets, identity=identity)
    assert not identity.exists()
    with pytest.raises(ConfigurationError, match="age1"):
        backups.settle_key("age1nonsense", folder=secrets, identity=identity)
