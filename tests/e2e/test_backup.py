"""The nightly backup of a stack, and another machine that starts with it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from adloom.backup import files
from infra.local.nightly import Backups
from infra.local.stack import Stack
from tests.e2e.runtime import ROOT, processes_of, runtime

pytestmark = pytest.mark.slow
FACTS = ROOT / "tests" / "data" / "meta_90_days"
_PATIENCE_S = 60
ROWS = "select (select count(*) from ad_accounts), (select count(*) from users), (select count(*) from operator_keys)"


def slept_through(home: Path) -> None:
    """As if the machine had been off since the day before yesterday."""
    home.mkdir(parents=True, exist_ok=True)
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="seconds")
    (home / "backups.json").write_text(json.dumps({"since": since}), encoding="utf-8")


def wait_until(reached) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def adloom(stack: Stack, *words: str) -> str:
    """The command line beside a stack, as a person calls it."""
    result = subprocess.run(
        [sys.executable, "-m", "adloom.cli", *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "ADLOOM_HOME": str(stack.home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows(stack: Stack) -> tuple[int, ...]:
    with psycopg.connect(stack.secret("admin", "admin-database-url")) as connection:
        found = connection.execute(ROWS).fetchone()
    assert found is not None
    return found


def log_in(stack: Stack) -> str:
    """On the dashboard's own form, through the front door; the page that follows."""
    email, password = stack.login
    with httpx.Client(base_url=stack.url, trust_env=False, follow_redirects=True) as client:
        found = re.search(
            r'name="form_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="form_token"', client.get("/login").text
        )
        assert found is not None
        body = {"email": email, "password": password, "form_token": found[1] or found[2]}
        answer = client.post("/login", data=body, headers={"Origin": stack.url})
        assert answer.status_code == 200
        return answer.url.path


def test_another_machine_starts_with_the_nightly_backup(tmp_path):
    home = tmp_path / "first"
    slept_through(home)
    with Stack(home, facts=FACTS, autoconnect=True) as first:
        wait_until(lambda: first.home.backups.is_dir() and files.complete(first.home.backups))
        wait_until(lambda: (known := Backups.load(first.home)) is not None and known.succeeded)
        assert first.status().code == 0
        told = runtime(home, "status").stdout
        assert f"backups the last one of {Backups.load(first.home).succeeded}" in told
        by_hand = json.loads(adloom(first, "--json", "backup"))["file"]
        expected = rows(first)
        assert expected[0] > 0

    # What docs/backup.md tells to keep apart, and a file.
    second = Stack(tmp_path / "second", parts=["migrate", "s3"], facts=FACTS)
    second.home.path.mkdir()
    shutil.copytree(home / "secrets", second.home.secrets)
    shutil.copy(home / "state.json", second.home.state_file)
    with second:
        assert "is restored" in adloom(second, "restore", by_hand)
        assert "is whole" in adloom(second, "backup", "verify", by_hand)
    with Stack(tmp_path / "second", facts=FACTS) as stack:
        assert rows(stack) == expected
        assert log_in(stack) != "/login"


def test_a_backup_that_fails_is_told_and_the_stack_goes_on(tmp_path):
    home = tmp_path / "home"
    slept_through(home)
    (home / "backups").write_text("no folder", encoding="utf-8")
    with Stack(home, parts=["migrate", "s3"]) as stack:
        wait_until(lambda: (known := Backups.load(stack.home)) is not None and known.fault)
        told = runtime(home, "status")
        assert told.returncode == 0
        assert "FAILED" in told.stdout
        assert "cannot be written" in told.stdout
        assert "cannot be written" in stack.log("backup")
        with psycopg.connect(stack.secret("admin", "admin-database-url")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_it_can_be_turned_off(tmp_path):
    slept_through(tmp_path / "home")
    with Stack(tmp_path / "home", parts=["migrate", "s3"], settings={"ADLOOM_BACKUP_AT": "off"}) as stack:
        assert stack.log("backup") == ""
        assert Backups.load(stack.home).tried == ""


def test_a_stack_that_stops_amid_a_backup_takes_it_along(tmp_path):
    home = tmp_path / "home"
    slept_through(home)
    with Stack(home, parts=["migrate", "s3"]) as stack:
        url = stack.secret("admin", "admin-database-url")
        connection = psycopg.connect(url)
        connection.execute("lock table metrics in access exclusive mode")
        with psycopg.connect(url, autocommit=True) as watching:
            waits = "select count(*) from pg_stat_activity where application_name = 'adloom-backup'"
            wait_until(lambda: watching.execute(waits).fetchone() == (1,))
        stack.stop()
        connection.close()
    assert processes_of(home) == {}
    assert files.complete(stack.home.backups) == []
