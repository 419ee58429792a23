"""Failpoints fire where they are armed, once, and never away from a sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adloom import failpoints
from adloom.errors import ConfigurationError
from adloom.failpoints import Failpoint, arm, parse, reach

REACH_FIVE_TIMES = """
import sys
from adloom import failpoints
for number in range(1, 6):
    failpoints.reach("other")
    failpoints.reach("here")
    print(number, flush=True)
"""


def run(path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"ADLOOM_FAILPOINT": str(path), "ADLOOM_SANDBOX_URL": "http://127.0.0.1:9", **environment}
    return subprocess.run(
        [sys.executable, "-c", REACH_FIVE_TIMES],
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_the_process_is_killed_at_the_nth_time_and_only_once(tmp_path):
    arm(tmp_path / "point", Failpoint("here", 3))
    killed = run(tmp_path / "point")
    assert (killed.returncode, killed.stdout.split()) == (-signal.SIGKILL, ["1", "2"])
    assert run(tmp_path / "point").returncode == 0


def test_another_process_is_killed_with_its_children(tmp_path):
    parent = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    arm(tmp_path / "point", Failpoint("here", 1, parent.pid))
    assert run(tmp_path / "point").returncode == 0
    assert parent.wait(5) == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(_reaped(child), 0)


def _reaped(pid: int) -> int:
    """Whoever inherited the child has collected it, or only its name is left."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return pid
    return 2**22 + 1 if state == "Z" else pid


def test_away_from_the_sandbox_it_refuses(tmp_path):
    arm(tmp_path / "point", Failpoint("here"))
    refused = run(tmp_path / "point", ADLOOM_SANDBOX_URL="")
    assert refused.returncode == 1
    assert "ConfigurationError" in refused.stderr
    assert (tmp_path / "point").exists()


def test_without_the_variable_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.delenv(failpoints.ENVIRONMENT_VARIABLE, raising=False)
    reach("here")


@pytest.mark.parametrize("point", [Failpoint("a.b"), Failpoint("a.b", 7), Failpoint("a.b", 2, 4711)])
def test_a_point_reads_as_it_was_written(point):
    assert parse(str(point)) == point


@pytest.mark.parametrize("line", ["", ":3", "a:x", "a:kill=x"])
def test_a_wrong_line_is_refused(line):
    with pytest.raises(ConfigurationError, match="should read"):
        parse(line)


def test_only_the_process_that_is_named_counts(tmp_path):
    arm(tmp_path / "point", Failpoint("here", 1, by=os.getpid()))
    assert run(tmp_path / "point").returncode == 0
    assert (tmp_path / "point").exists()
    assert parse("here:2:by=17:kill=18") == Failpoint("here", 2, victim=18, by=17)
    assert parse(str(Failpoint("here", 2, victim=18, by=17))) == Failpoint("here", 2, victim=18, by=17)
