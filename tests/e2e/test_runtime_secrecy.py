"""Who can see what: files, command lines, environments, addresses."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.local.stack import Stack
from tests.e2e.runtime import listening_addresses, processes_of

PARTS = ["migrate", "nats", "s3", "sandbox", "auth", "connector", "caddy"]
FACTS = Path(__file__).resolve().parents[1] / "data" / "meta_90_days"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("secrecy") / "home"
    told = {"OPENAI_API_KEY": "of-the-operator", "HTTPS_PROXY": "http://192.0.2.1:3128"}
    with Stack(home, parts=PARTS, facts=FACTS, settings=told) as stack:
        yield stack


def test_only_the_owner_can_read_any_file_of_a_home(stack: Stack) -> None:
    home = stack.home.path
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(stack.home.run_file.stat().st_mode) == 0o600
    for folder in (stack.home.secrets, stack.home.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_every_process_has_exactly_its_own_secrets(stack: Stack) -> None:
    def names(process: str) -> set[str]:
        return {path.name for path in (stack.home.secrets / process).iterdir()}

    assert names("auth") == {
        "auth-database-url",
        "auth-event-secret",
        "operator-key",
        "mail-ring",
        "mail-key",
        "mfa-ring",
        "audit-key",
        "s3-access-key",
        "s3-secret-key",
        "google-client-secret",
        "oidc-client-secret",
        "sandbox-client-secret",
    }
    apps = {"google": "google-ads-client-secret", "meta": "meta-app-secret", "tiktok": "tiktok-app-secret"}
    for platform, secret in apps.items():
        own = {f"sync-{platform}-database-url", f"sync-{platform}-event-secret"}
        assert names(f"sync-{platform}") == {*own, "token-ring", secret}
    assert names("oauth-callback") & {*apps.values()} == {*apps.values()}
    assert names("dashboard") == {"database-url", "nats-url", "storage-secret"}
    assert "adloom_auth:" in stack.secret("auth", "auth-database-url")


def test_no_password_stands_on_a_command_line(stack: Stack) -> None:
    secrets = {path.read_text().strip() for path in (stack.home.secrets / "runtime").iterdir()}
    for command in processes_of(stack.home.path).values():
        assert not [secret for secret in secrets if secret in command], command


def test_no_password_stands_in_a_log(stack: Stack) -> None:
    secrets = {path.read_text().strip() for path in (stack.home.secrets / "runtime").iterdir()}
    for log in stack.home.logs.iterdir():
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log


def test_the_environment_of_the_operator_stays_with_the_operator(stack: Stack) -> None:
    supervisor = stack.supervisor_pid
    for pid in processes_of(stack.home.path):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert pid == supervisor or b"of-the-operator" not in environment
        assert pid == supervisor or b"192.0.2.1" not in environment


def test_everything_listens_on_loopback_only(stack: Stack) -> None:
    assert listening_addresses(set(processes_of(stack.home.path))) == {"127.0.0.1"}


def test_postgres_wants_a_password_that_fits(stack: Stack) -> None:
    url = stack.secret("auth", "auth-database-url")
    with psycopg.connect(url) as connection:
        assert connection.execute("select current_user").fetchone() == ("adloom_auth",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url, password="guessed")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], ""))
