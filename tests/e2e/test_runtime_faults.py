"""What cannot work is named, with what to do about it."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from infra.local import home as homes
from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.stack import Stack
from tests.e2e.runtime import processes_of, runtime


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_part_that_cannot_start_is_named_with_its_last_lines(home: Path, tmp_path: Path) -> None:
    empty = tmp_path / "no-facts"
    empty.mkdir()
    began = time.monotonic()
    failed = runtime(home, "start", "sandbox", "nats", ADLOOM_SANDBOX_FACTS=str(empty))
    assert time.monotonic() - began < 120
    assert failed.returncode == 1
    assert failed.stderr.startswith("Adloom did not start: sandbox ended with status ")
    assert f"The last lines of {home}/logs/sandbox.log:\n  | " in failed.stderr
    assert "nats" not in failed.stderr.replace(str(home), ""), "nobody else is blamed"
    assert processes_of(home) == {}, "a start that failed leaves nothing behind"


def test_a_step_that_fails_is_named_with_its_last_lines(home: Path) -> None:
    with Stack(home, parts=["migrate"]):
        pass
    (home / "secrets" / "runtime" / "postgres-admin-password").write_text("another-one-than-initdb-was-given\n")
    failed = runtime(home, "start", "migrate")
    assert failed.returncode == 1
    assert "Adloom did not start: migrate ended with status 1" in failed.stderr
    assert "password authentication failed" in failed.stderr


def test_a_port_that_was_told_and_is_taken_is_named(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        failed = runtime(home, "start", "nats", ADLOOM_PORT=str(port))
    assert failed.returncode == 1
    assert f"Port {port}, told by ADLOOM_PORT for caddy, is taken" in failed.stderr


def test_a_port_that_was_told_and_is_free_is_used(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    started = runtime(home, "start", "caddy", ADLOOM_PORT=str(port))
    assert runtime(home, "stop").returncode == 0
    assert f"Adloom runs at http://127.0.0.1:{port}\n" in started.stdout


@pytest.mark.parametrize("told", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(home: Path, told: str) -> None:
    failed = runtime(home, "start", "nats", ADLOOM_PORT=told)
    assert failed.returncode == 1
    assert "set it to a number from 1 to 65535" in failed.stderr


def test_a_default_port_that_is_taken_is_passed_over(home: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with Stack(home, parts=["nats"]) as stack:
            kept = stack.port("nats")
        other.bind(("127.0.0.1", kept))
        other.listen()
        with Stack(home, parts=["nats"]) as stack:
            assert stack.port("nats") != kept


def test_a_damaged_run_file_costs_nothing_but_a_note(home: Path) -> None:
    with Stack(home, parts=["nats"]):
        pass
    (home / "run.json").write_text("{ half")
    with Stack(home, parts=["nats"]) as stack:
        assert "run.json is damaged" in stack.log("supervisor")
        assert stack.run["state"] == "running"


def test_a_running_stack_whose_run_file_is_damaged_can_be_stopped(home: Path) -> None:
    with Stack(home, parts=["nats"]) as stack:
        stack.home.run_file.write_text("[]")
        assert runtime(home, "stop").returncode == 0
        assert processes_of(home) == {}


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    failed = runtime(tmp_path / "file" / "home", "start", "nats")
    assert failed.returncode == 1
    assert str(tmp_path / "file") in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_home_of_somebody_else_is_refused(home: Path) -> None:
    home.mkdir()
    os.chown(home, 65534, 65534)
    for action in ("start", "stop", "status", "clean"):
        failed = runtime(home, action)
        assert failed.returncode == 1
        assert "Run this as its owner, or set ADLOOM_HOME to a folder of your own" in failed.stderr


def test_a_disk_without_room_is_named_before_anything_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "NEEDED_DISK_BYTES", 2**60)
    with pytest.raises(RuntimeFault, match="MB left; a stack needs"):
        Home(home).prepare()


def test_a_part_that_does_not_exist_is_named(home: Path) -> None:
    failed = runtime(home, "start", "kafka")
    assert failed.returncode == 1
    assert "There is no part 'kafka'; there are initdb, postgres, migrate, nats, s3" in failed.stderr


@pytest.mark.parametrize(
    ("name", "missing"), [("META_APP_ID", "META_APP_SECRET"), ("TIKTOK_APP_SECRET", "TIKTOK_APP_ID")]
)
def test_half_of_an_app_is_refused(home: Path, name: str, missing: str) -> None:
    failed = runtime(home, "start", "nats", **{f"ADLOOM_{name}": "123"})
    assert failed.returncode == 1
    assert f"ADLOOM_{missing} is not set" in failed.stderr


def test_a_home_with_made_up_numbers_does_not_take_a_real_app(home: Path) -> None:
    with Stack(home, parts=["nats"]):
        pass
    real = {"ADLOOM_META_APP_ID": "123", "ADLOOM_META_APP_SECRET": "s3cret"}
    failed = runtime(home, "start", "nats", **real)
    assert failed.returncode == 1
    assert "its numbers are made up" in failed.stderr
    other = home.with_name("real")
    assert runtime(other, "start", "nats", **real).returncode == 0
    try:
        assert Stack(other).run["mode"] == "platforms"
        environment = Stack(other).env("cli")
        assert (environment["ADLOOM_META_APP_ID"], environment["ADLOOM_TIKTOK_APP_ID"]) == ("123", "")
        assert "sandbox" not in Stack(other).run["parts"]
        refused = runtime(other, "clean")
        assert (refused.returncode, "make clean YES=1" in refused.stderr) == (1, True)
    finally:
        assert runtime(other, "clean", "--yes").returncode == 0
