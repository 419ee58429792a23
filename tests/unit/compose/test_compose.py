"""The compose file: in step with `stack.yml`, complete, and nothing in it that should not be."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from infra.compose import model as models
from infra.compose.compose import FOLDER, TMP_MIB, files
from infra.compose.podman import Place, run
from infra.compose.service import MIB
from infra.deployment import secrets
from infra.deployment.stackfile import read_functions

MODEL = models.read()
FILE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = FILE["services"]
FUNCTIONS = {function.name: function for function in read_functions(environment={})}
# What a compose file may say of a service; podman-compose passes over anything else without a word.
KNOWN = {
    *(
        "image",
        "command",
        "entrypoint",
        "user",
        "environment",
        "secrets",
        "volumes",
        "networks",
        "network_mode",
        "ports",
    ),
    *("depends_on", "healthcheck", "read_only", "tmpfs", "cap_drop", "cap_add", "security_opt", "mem_limit"),
    *("memswap_limit", "ulimits", "ipc", "shm_size", "restart", "stop_grace_period", "logging", "profiles"),
}


@pytest.mark.parametrize("name", ["compose.yaml", "Caddyfile", "demo.env"])
def test_what_is_committed_is_what_the_deployment_list_says(name: str) -> None:
    """Else: python -m infra.compose"""
    assert (FOLDER / name).read_text() == files(MODEL)[name]


def test_every_function_runs_with_its_limit_and_its_secrets_alone() -> None:
    assert FUNCTIONS.keys() <= SERVICES.keys()
    for name, function in FUNCTIONS.items():
        said = SERVICES[name]
        assert said["mem_limit"] == said["memswap_limit"] == f"{function.memory // MIB}m"
        targets = {one["source"]: one["target"] for one in said["secrets"]}
        assert targets == {secret: f"/var/openfaas/secrets/{secret}" for secret in function.secrets}
        assert said["environment"]["max_inflight"] == function.environment["max_inflight"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_confined(name: str) -> None:
    one = SERVICES[name]
    assert one.keys() <= KNOWN
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["mem_limit"] == one["memswap_limit"]
    assert set(one.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    assert one["tmpfs"][0] == f"/tmp:size={TMP_MIB}m"  # noqa: S108 - its own
    assert one["logging"]["options"]["max-size"]


def test_only_the_front_door_and_the_sandbox_are_published_and_on_loopback() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if one.get("ports")}
    assert published.keys() == {"caddy", "sandbox"}
    assert all(port.startswith("${ADLOOM_BIND:-127.0.0.1}:") for ports in published.values() for port in ports)
    assert SERVICES["sandbox"]["profiles"] == ["demo"]


def test_the_data_has_no_way_out_and_only_its_users_reach_it() -> None:
    assert FILE["networks"] == {"edge": {}, "data": {"internal": True}, "broker": {"internal": True}}
    for name in ("postgres", "minio", "nats"):
        assert "edge" not in SERVICES[name]["networks"]
    broker = {name for name, one in SERVICES.items() if "broker" in one.get("networks", [])}
    assert broker == {"nats", "connector", "dashboard"}


def test_every_name_in_the_file_is_defined() -> None:
    for one in SERVICES.values():
        assert set(one.get("networks", [])) <= FILE["networks"].keys()
        assert {secret["source"] for secret in one.get("secrets", [])} <= FILE["secrets"].keys()
        assert one.get("depends_on", {}).keys() <= SERVICES.keys()
        named = {volume.split(":")[0] for volume in one.get("volumes", []) if re.match(r"\w", volume)}
        assert named <= FILE["volumes"].keys()
        waits = {need for need, how in one.get("depends_on", {}).items() if how["condition"] == "service_healthy"}
        assert all("healthcheck" in SERVICES[need] for need in waits)


def test_every_secret_of_the_file_is_made_by_its_service(tmp_path: Any) -> None:
    """The words of the service `secrets`, with another folder."""
    words = [str(tmp_path) if word == "/secrets" else word for word in MODEL["secrets"].command[3:]]
    assert secrets.main(words) == 0
    made = {path.name for path in tmp_path.iterdir()}
    assert FILE["secrets"].keys() <= made
    assert "@postgres:5432/" in (tmp_path / "auth-database-url").read_text()
    assert "@nats:4222" in (tmp_path / "connector-nats-url").read_text()


def test_no_secret_is_handed_over_by_the_environment() -> None:
    told = {name for one in SERVICES.values() for name in one.get("environment", {})}
    # Addresses without a password in them; that of mails is a secret of its own.
    ours, theirs = ("PUBLIC", "GATEWAY", "SANDBOX", "SANDBOX_BROWSER", "RATES"), ("META_DIALOG", "TIKTOK_AUTHORIZE")
    open_ones = {f"ADLOOM_{one}_URL" for one in (*ours, *theirs, "SMTP", "RESEND")}
    assert {name for name in told if name.endswith("_URL")} <= open_ones
    assert not {
        name for name in told if re.search("PASSWORD|SECRET|KEY|RING", name) and not name.endswith(("_FILE", "_DIR"))
    }


def test_podman_gets_the_same_limits(tmp_path: Any) -> None:
    addresses = {"sync-meta": {"edge": "10.9.0.1", "data": "10.9.1.1"}, "postgres": {"data": "10.9.1.2"}}
    place = Place("p", tmp_path, {"ADLOOM_PUBLIC_URL": "http://here:1"}, addresses=addresses)
    words = run(MODEL["sync-meta"], place)
    limit = str(FUNCTIONS["sync-meta"].memory)
    assert words[words.index("--memory") + 1] == words[words.index("--memory-swap") + 1] == limit
    assert {
        "--read-only",
        "--read-only-tmpfs=false",
        "p-edge:ip=10.9.0.1,mac=02:42:0a:09:00:01",
        "p-data:ip=10.9.1.1,mac=02:42:0a:09:01:01",
    } <= set(words)
    assert words[words.index("--add-host") + 1] == "sync-meta:10.9.0.1"
    assert "postgres:10.9.1.2" in words
    assert "ADLOOM_PUBLIC_URL=http://here:1" in words
    assert words[-1] == "adloom/sync-meta:latest"


def test_what_needs_another_starts_after_it() -> None:
    started: list[str] = []
    for one in MODEL.chosen(("demo",)):
        assert not [need for need in one.needs if need not in started]
        started.append(one.name)
    assert "sandbox" in started
    assert "sandbox" not in {one.name for one in MODEL.chosen()}
