"""Starting and stopping a stack in the background."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from typing import Any

from infra.local.errors import RuntimeFault
from infra.local.home import ROOT, Home, read_json
from infra.local.leftovers import heal
from infra.local.lock import AlreadyRunning, holder, is_supervised, supervising
from infra.local.processes import end, spawn
from infra.local.state import PLATFORMS
from infra.local.supervisor import START_LIMIT_S, last_lines

# What the supervisor may take beyond its own limit: ending what it started.
_STOP_LIMIT_S = 75.0
_POLL_S = 0.05
# Supervisors that this process started. They go on after we let go of them, which Python takes for an oversight unless
# their handles are kept; those that ended are collected here too.
_started: list[subprocess.Popen[bytes]] = []


def start(
    home: Home,
    *,
    only: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    on_our_death: int | None = None,
) -> bool:
    """Start a stack and return when everything answers; False when it ran already. RuntimeFault says what failed."""
    home.prepare()
    if is_supervised(home):
        _wait_running(home, None)
        return False
    log = home.log("supervisor")
    process = spawn(
        [sys.executable, "-m", "infra.local", "supervise", *only],
        env=os.environ if environment is None else environment,
        cwd=ROOT,
        log=log,
        on_our_death=on_our_death,
    )
    _started.append(process)
    try:
        _wait_running(home, process)
    except KeyboardInterrupt:
        stop(home)
        raise
    return True


def _wait_running(home: Home, process: subprocess.Popen[bytes] | None) -> None:
    """Wait for the run that `process` supervises, or for one that somebody else has just started."""
    deadline = time.monotonic() + START_LIMIT_S + _STOP_LIMIT_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None if process else not is_supervised(home)
        run = _read_run(home)
        if not ended and run.get("state") == "running" and _is_of(run, home):
            return
        if ended:
            if run.get("state") == "failed" and (process is None or _pid_of(run) == process.pid):
                raise RuntimeFault(str(run["fault"]))
            if process is not None and is_supervised(home):
                process = None  # another start was quicker
                continue
            raise RuntimeFault(f"The supervisor ended before everything answered.\n{last_lines(home, 'supervisor')}")
        time.sleep(_POLL_S)
    raise RuntimeFault(f"The supervisor does not come to an end.\n{last_lines(home, 'supervisor')}")


def _read_run(home: Home) -> dict[str, Any]:
    try:
        return read_json(home.run_file)
    except RuntimeFault:
        return {}  # the supervisor writes it anew


def _pid_of(run: Mapping[str, Any]) -> int | None:
    return (run.get("supervisor") or {}).get("pid")


def _is_of(run: Mapping[str, Any], home: Home) -> bool:
    """Whether the file tells of the run that goes on now, not of one before it."""
    supervisor = holder(home)
    return supervisor is not None and run.get("supervisor") == supervisor.record()


def stop(home: Home) -> bool:
    """Stop the stack, and what a killed supervisor left; False when nothing ran. No process is left behind."""
    home.check_owner()
    if not home.path.is_dir():
        return False
    supervised = is_supervised(home)
    if supervised and (supervisor := holder(home)) is not None:
        os.kill(supervisor.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_LIMIT_S
        while supervisor.alive and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if supervisor.alive:
            end(supervisor, [(signal.SIGKILL, 5.0)])
    _started[:] = [process for process in _started if process.poll() is None]
    try:
        with supervising(home):
            return bool(heal(home)) or supervised
    except AlreadyRunning as error:
        raise RuntimeFault(f"{home.lock_file} is held by another process; the stack cannot be stopped.") from error


def clean(home: Home, *, sure: bool) -> bool:
    """Stop the stack and remove its home; False when there is none.

    RuntimeFault where real platforms are connected and nobody is sure, and for a folder that holds no stack.
    """
    if not home.path.exists():
        return False
    home.check_owner()
    if not home.lock_file.is_file():
        raise RuntimeFault(f"{home.path} holds no stack of Adloom, so it is left alone.")
    if read_json(home.state_file).get("mode") == PLATFORMS and not sure:
        raise RuntimeFault(
            f"{home.path} holds the numbers and grants of real ad accounts. `make clean YES=1` removes them for good."
        )
    stop(home)
    shutil.rmtree(home.path)
    return True
