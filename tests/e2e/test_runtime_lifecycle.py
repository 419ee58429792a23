"""Starting and stopping: what comes back, what stays, what is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.errors import RuntimeFault
from infra.local.stack import Stack
from tests.e2e.runtime import ROOT, SMALL, processes_of, remember, remembered, runtime


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_after_a_stop_no_process_is_left(home: Path) -> None:
    with Stack(home, parts=[*SMALL, "s3", "caddy"]):
        running = processes_of(home)
        assert len(running) > 5, "supervisor, Postgres and its workers, NATS, S3, Caddy"
    assert processes_of(home) == {}


def test_a_second_start_on_the_same_data_goes_on_where_it_was(home: Path) -> None:
    with Stack(home, parts=SMALL) as stack:
        remember(stack, "before")
        ports, password = stack.run["ports"], stack.secret("admin", "admin-database-url")
    with Stack(home, parts=SMALL) as stack:
        assert remembered(stack) == ["before"]
        assert stack.run["ports"] == ports
        assert stack.secret("admin", "admin-database-url") == password


def test_starting_what_runs_already_says_so_and_changes_nothing(home: Path) -> None:
    with Stack(home, parts=SMALL) as stack:
        before = stack.pid("postgres")
        again = runtime(home, "start", *SMALL)
        assert (again.returncode, again.stdout) == (0, f"Adloom already runs at {stack.url}\n")
        assert stack.pid("postgres") == before


def test_two_starts_at_the_same_moment_make_one_stack(home: Path) -> None:
    command = [sys.executable, "-m", "infra.local", "start", *SMALL]
    environment = {**os.environ, "ADLOOM_HOME": str(home)}
    both = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    supervisors = [command for command in processes_of(home).values() if "supervise" in command]
    assert runtime(home, "stop").returncode == 0
    assert len(supervisors) == 1


def test_stopping_what_does_not_run_is_no_fault(home: Path) -> None:
    assert runtime(home, "stop").returncode == 0
    assert not home.exists()


def test_status_tells_by_its_exit_code_whether_everything_answers(home: Path) -> None:
    assert runtime(home, "status").returncode == 3
    with Stack(home, parts=SMALL) as stack:
        shown = runtime(home, "status")
        assert shown.returncode == 0
        assert f"postgres        up        {stack.pid('postgres'):>8}" in shown.stdout
        os.kill(stack.pid("nats"), signal.SIGSTOP)
        degraded = runtime(home, "status")
        os.kill(stack.pid("nats"), signal.SIGCONT)
        assert degraded.returncode == 1
        assert "nats            silent" in degraded.stdout
    assert runtime(home, "status").returncode == 3


def test_ctrl_c_ends_a_stack_in_the_foreground(home: Path) -> None:
    command = [sys.executable, "-m", "infra.local", "up", *SMALL]
    environment = {**os.environ, "ADLOOM_HOME": str(home)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as up:
        assert up.stdout is not None
        assert any(line.startswith("Adloom runs at http://127.0.0.1:") for line in up.stdout)
        os.killpg(up.pid, signal.SIGINT)  # what a terminal does
        assert up.wait(30) == 0
    assert processes_of(home) == {}


def test_ctrl_c_while_it_starts_leaves_nothing_either(home: Path) -> None:
    command = [sys.executable, "-m", "infra.local", "start", *SMALL]
    environment = {**os.environ, "ADLOOM_HOME": str(home)}
    # A shell's background job ignores Ctrl-C, and so would its children: here somebody sits in front of it.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    ) as start:
        deadline = time.monotonic() + 30
        while not (home / "postgres" / "data.partial").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        os.killpg(start.pid, signal.SIGINT)
        assert start.wait(30) == 130
    assert processes_of(home) == {}


def test_two_stacks_run_beside_each_other(tmp_path: Path) -> None:
    with Stack(tmp_path / "one", parts=SMALL) as one, Stack(tmp_path / "two", parts=SMALL) as two:
        assert set(one.run["ports"].values()).isdisjoint(two.run["ports"].values())
        remember(one, "of one")
        remember(two, "of two")
        one.stop()
        assert remembered(two) == ["of two"]
        assert processes_of(tmp_path / "one") == {}


def test_a_part_can_be_held_down_and_released(home: Path) -> None:
    with Stack(home, parts=SMALL) as stack:
        before = stack.pid("nats")
        with stack.without("nats"):
            with pytest.raises(RuntimeFault, match="does not run"):
                stack.pid("nats")
            assert stack.pid("postgres")
        assert stack.pid("nats") != before


def test_clean_removes_a_stack_and_leaves_foreign_folders_alone(home: Path, tmp_path: Path) -> None:
    with Stack(home, parts=["nats"]):
        assert runtime(home, "clean").returncode == 0
    assert not home.exists()
    foreign = tmp_path / "letters"
    foreign.mkdir()
    refused = runtime(foreign, "clean")
    assert (refused.returncode, foreign.exists()) == (1, True)
    assert "holds no stack" in refused.stderr
