"""Whatever is killed comes back, and what a killed supervisor left is ended: that, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.local.processes import Identity
from infra.local.stack import Stack
from tests.e2e.runtime import SMALL, kill_supervisor, processes_of, remember, remembered, runtime


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def test_a_killed_part_is_started_again(home: Path) -> None:
    with Stack(home, parts=[*SMALL, "s3"]) as stack:
        remember(stack, "committed")
        for part in ("nats", "s3", "postgres"):
            before = stack.pid(part)
            stack.kill_and_wait(part)
            assert stack.pid(part) != before
            assert stack.run["parts"][part]["restarts"] == 1
        assert remembered(stack) == ["committed"]


def test_pauses_grow_while_a_part_keeps_dying(home: Path) -> None:
    with Stack(home, parts=["nats"]) as stack:
        began = time.monotonic()
        for _ in range(4):
            stack.kill_and_wait("nats")
        assert time.monotonic() - began > 0.2 + 0.4 + 0.8 + 1.6
        assert "it is started again in 1.6 s" in stack.log("supervisor")


def test_the_kill_of_the_supervisor_is_healed_by_the_next_start(home: Path) -> None:
    with Stack(home, parts=SMALL) as stack:
        remember(stack, "before the kill")
        postgres = stack.pid("postgres")
        kill_supervisor(stack)
        assert Identity.of(postgres) is not None, "Postgres is not cut off: the next start ends it in order"
        stack.start()
        assert stack.pid("postgres") != postgres
        assert remembered(stack) == ["before the kill"]
        assert "postgres was left over" in stack.log("supervisor")
    assert processes_of(home) == {}


def test_the_kill_of_the_supervisor_is_healed_by_a_stop(home: Path) -> None:
    with Stack(home, parts=SMALL) as stack:
        kill_supervisor(stack)
        assert runtime(home, "stop").stdout == "Adloom has stopped.\n"
        assert processes_of(home) == {}


def test_the_kill_of_the_supervisor_and_the_loss_of_its_record_are_healed(home: Path) -> None:
    with Stack(home, parts=SMALL) as stack:
        kill_supervisor(stack)
        stack.home.processes_file.unlink()
        stack.start()
        assert stack.pid("postgres")
    assert processes_of(home) == {}


def test_a_stranger_with_a_recorded_process_id_is_left_alone(home: Path, stranger: subprocess.Popen[bytes]) -> None:
    with Stack(home, parts=["nats"]) as stack:
        record = json.loads(stack.home.processes_file.read_text())
    record = {"nats": {**record["nats"], "pid": stranger.pid}} if record else _record_of_a_dead(stranger.pid)
    (home / "processes.json").write_text(json.dumps(record))
    with Stack(home, parts=["nats"]):
        assert stranger.poll() is None


def _record_of_a_dead(pid: int) -> dict[str, object]:
    own = Identity.of(pid)
    assert own is not None
    return {"nats": {**own.record(), "started": "1", "stop": [[signal.SIGKILL, 1.0]], "command": "nats-server"}}


def test_postgres_starts_though_a_stranger_has_the_process_id_of_its_last_run(
    home: Path, stranger: subprocess.Popen[bytes]
) -> None:
    with Stack(home, parts=["migrate"]) as stack:
        remember(stack, "kept")
        mark = home / "postgres" / "data" / "postmaster.pid"
        left = mark.read_text()
        owner = mark.stat()
    lines = left.splitlines()
    mark.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
    os.chown(mark, owner.st_uid, owner.st_gid)
    mark.chmod(0o600)
    with Stack(home, parts=["migrate"]) as stack:
        assert remembered(stack) == ["kept"]
        assert stranger.poll() is None


def test_a_first_start_that_was_cut_off_is_done_again(home: Path) -> None:
    with Stack(home, parts=["nats"]):
        pass
    half = home / "postgres" / "data.partial"
    half.mkdir(parents=True, exist_ok=True)
    (half / "PG_VERSION").write_text("18\n")
    with Stack(home, parts=["migrate"]) as stack, psycopg.connect(stack.secret("auth", "auth-database-url")) as auth:
        assert auth.execute("select current_user").fetchone() == ("adloom_auth",)
