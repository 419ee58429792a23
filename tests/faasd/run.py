"""`make e2e-faasd`: the functions on real OpenFaaS, in a box (`box.py`) that leaves nothing behind.

    OPENFAAS_BIN=<folder> python -m tests.faasd.run [arguments of pytest]

The folder holds `faasd`, `gateway`, `cron-connector`, `faas-cli` and `fwatchdog`; `/opt/openfaas/bin` if none is named.
Without it nothing is tested, and that is what it prints.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from infra.deployment.stackfile import ROOT, read_functions
from tests.faasd import box, machine
from tests.faasd.machine import Unfit
from tests.faasd.openfaas import REGISTRY, start_registry
from tests.faasd.programs import Programs

DEFAULT_BINARIES = Path("/opt/openfaas/bin")
PROGRAMS = ("faasd", "gateway", "cron-connector", "faas-cli", "fwatchdog")
# What outlives a run: the registry's images, and the logs of the last run.
CACHE = ROOT / "build" / "e2e-faasd"
LOGS = CACHE / "logs"
WORK = CACHE / "work"
INSIDE = ("tests/faasd", "--ignore=tests/faasd/test_box.py")
OUTSIDE = ("tests/faasd/test_box.py",)


def main() -> int:
    binaries = find_binaries()
    if binaries is None:
        _say("skipped: no OpenFaaS binaries")
        return 0
    try:
        _check_binaries(binaries)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        machine.check_user()
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            machine.install()
            return _run(binaries, sys.argv[1:])
    except (Unfit, subprocess.CalledProcessError) as error:
        _say(f"e2e-faasd: {error}")
        return 2
    except KeyboardInterrupt:
        _say("e2e-faasd: interrupted")
        return 130


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def find_binaries() -> Path | None:
    """The folder that was named, or else the usual one if it is there."""
    told = os.environ.get("OPENFAAS_BIN")
    folder = Path(told).absolute() if told else DEFAULT_BINARIES
    if not told and not folder.is_dir():
        return None
    return folder


def _check_binaries(binaries: Path) -> None:
    if missing := [name for name in PROGRAMS if not (binaries / name).is_file()]:
        raise Unfit(f"{binaries} has no {', '.join(missing)}. Set OPENFAAS_BIN to a folder with {', '.join(PROGRAMS)}.")


def _run(binaries: Path, chosen: list[str]) -> int:
    began = time.monotonic()
    machine.clean(WORK)
    before = machine.traces(WORK)
    try:
        statuses = [_pytest([*OUTSIDE, *chosen])] if not chosen else []
        _build(binaries)
        machine.clean(WORK)
        _say(f"images are ready after {time.monotonic() - began:.0f} s")
        WORK.mkdir(parents=True)
        statuses.append(box.run(WORK, binaries, _command([*(chosen or INSIDE)])))
    finally:
        _keep_logs()
        machine.clean(WORK)
    left = machine.traces(WORK) - before
    for trace in sorted(left):
        _say(f"left behind: {trace}")
    _say(f"e2e-faasd took {(time.monotonic() - began) / 60:.1f} min")
    return 1 if left else max(statuses)


def _keep_logs() -> None:
    """The logs of the last run are for whoever looks into it."""
    if (WORK / "logs").is_dir():
        shutil.rmtree(LOGS, ignore_errors=True)
        shutil.copytree(WORK / "logs", LOGS)


def _build(binaries: Path) -> None:
    """Build every function's image that is not there as it should be, for the registry that the box will serve."""
    WORK.mkdir(parents=True)
    programs = Programs(WORK)
    registry = CACHE / "registry"
    os.environ |= {"ADLOOM_TEST_REGISTRY": str(registry), "OPENFAAS_BIN": str(binaries)}
    try:
        address = _free_address()
        start_registry(programs, registry, address)
        names = [word for function in read_functions() for word in ("--only", function.name)]
        # Without the watchdog: faasd cuts the network and then gives 30 s to end, and a watchdog waits for its broken
        # connections for as long as a request may take. An update would leave the function dead.
        build = ["build", "--stand-ins", "--stage", "app", "--prefix", f"{address}/adloom", "--push", *names]
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "infra.images", *build]
        subprocess.run(command, cwd=ROOT, check=True)
    finally:
        programs.stop()


def _free_address() -> str:
    """The registry's own address if nobody has it: then images keep their names from run to run."""
    for port in (int(REGISTRY.rpartition(":")[2]), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return f"127.0.0.1:{probe.getsockname()[1]}"
    raise Unfit("no port is free on 127.0.0.1.")


def _pytest(arguments: list[str]) -> int:
    return subprocess.run(_command(arguments), cwd=ROOT, check=False).returncode


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-s", "--durations=5", *arguments]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    sys.exit(main())
