"""The whole stack as a newcomer starts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from infra.local.stack import Stack
from tests.e2e.runtime import ROOT, kill_supervisor, listening_addresses, processes_of

pytestmark = pytest.mark.slow
SERVERS = {"postgres", "nats", "s3", "sandbox", "connector", "dashboard", "caddy"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("whole") / "home", autoconnect=True) as stack:
        yield stack


def functions() -> set[str]:
    return set(yaml.safe_load((ROOT / "stack.yml").read_text())["functions"])


def log_in(stack: Stack) -> httpx.Response:
    email, password = stack.login
    body = {"email": email, "password": password}
    return httpx.post(f"{stack.url}/function/auth/login", json=body, trust_env=False)


def test_every_function_of_the_list_runs_and_everything_answers(stack: Stack) -> None:
    status = stack.status()
    assert {line.part for line in status.parts} == SERVERS | functions()
    assert {line.part: line.state for line in status.parts if line.state != "up"} == {}
    assert status.code == 0
    assert len({line.pid for line in status.parts}) == len(status.parts), "each in a process of its own"
    assert 0 < status.memory_mib < 1500


def test_the_printed_login_opens_the_dashboard(stack: Stack) -> None:
    answer = log_in(stack)
    assert answer.status_code == 200
    assert answer.json()["user"]["email"] == stack.login[0]
    assert httpx.get(f"{stack.url}/login", trust_env=False).status_code == 200


def test_a_wrong_password_does_not(stack: Stack) -> None:
    body = {"email": stack.login[0], "password": "wrong"}
    assert httpx.post(f"{stack.url}/function/auth/login", json=body, trust_env=False).status_code == 401


def test_a_newcomer_finds_the_sandbox_connected(stack: Stack) -> None:
    token = log_in(stack).json()["token"]
    answer = httpx.get(
        f"{stack.url}/function/oauth-callback/connections",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert answer.status_code == 200
    assert {one["platform"] for one in answer.json()["connections"]} == {"google", "meta", "tiktok"}


def test_everything_listens_on_loopback_only(stack: Stack) -> None:
    assert listening_addresses(set(processes_of(stack.home.path))) == {"127.0.0.1"}


@pytest.mark.parametrize("part", ["auth", "sync-google", "connector", "dashboard", "sandbox", "caddy"])
def test_a_killed_part_is_started_again(stack: Stack, part: str) -> None:
    before = stack.pid(part)
    stack.kill_and_wait(part)
    assert stack.pid(part) != before


def test_after_the_kill_of_the_supervisor_it_goes_on_where_it_was(stack: Stack) -> None:
    before: dict[str, int] = {name: stack.pid(name) for name in SERVERS | functions()}
    kill_supervisor(stack)
    stack.start()
    assert log_in(stack).status_code == 200
    assert stack.status().code == 0
    assert not [name for name, pid in before.items() if Path(f"/proc/{pid}").exists() and pid == stack.pid(name)]


def test_after_its_stop_nothing_is_left(tmp_path: Path, stack: Stack) -> None:
    home = stack.home.path
    stack.stop()
    assert processes_of(home) == {}
