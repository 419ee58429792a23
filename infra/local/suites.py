"""`python -m infra.local.suites [suite...]`: run the suites, several at once, and tell the minutes of each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from infra.local.home import ROOT

_BIN = Path(sys.executable).parent
_CHECKED = ["infra", "ui", "functions", "migrations", "shared", "template", "tests"]
# They wait for processes and browsers half of their time, so some use what others leave idle; each has servers of its
# own.
_AT_ONCE = 3
_MEASURED = ("integration", "ui", "unit", "contract")


def _split(processes: int) -> tuple[str, ...]:
    """A long suite is several processes: each takes whole files, with servers of its own. In the order of their
    collection: by itself the plugin would begin the files with the fewest tests last.
    """
    return ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder")


def _pytest(suite: str, *options: str) -> list[list[str]]:
    return [[sys.executable, "-m", "pytest", f"tests/{suite}", "-q", "--durations=5", *options]]


def _measured(suite: str, *options: str) -> list[list[str]]:
    """A suite whose coverage counts; the report at the end adds them up."""
    return _pytest(suite, "--cov", "--cov-report=", "--cov-fail-under=0", *options)


# What goes on for minutes of real time and leaves the processors to others: beside everything else.
BESIDE: dict[str, list[list[str]]] = {"cadence": _pytest("cadence", "-s")}
ALONE: dict[str, list[list[str]]] = {"integration": _measured("integration", *_split(3))}
# In the order in which they begin: the longest first, so that the last to end has not begun late.
SUITES: dict[str, list[list[str]]] = {
    "ui": _measured("ui", *_split(2)),
    "e2e": _pytest("e2e"),
    "unit": _measured("unit"),
    "contract": _measured("contract"),
    "lint": [
        [str(_BIN / "ruff"), "check", "--quiet", *_CHECKED],
        [str(_BIN / "ruff"), "format", "--check", "--quiet", *_CHECKED],
        [str(_BIN / "mypy")],
        [str(_BIN / "lint-imports")],
    ],
}
# What reads the results of others, and comes when they have ended.
AFTERWARDS: dict[str, list[list[str]]] = {
    "coverage": [
        [str(_BIN / "coverage"), "combine", "--quiet", "--keep"],
        [str(_BIN / "coverage"), "report"],
    ],
}
# Suites that prepare more than the tests' packages, and run only when they are named.
BY_NAME: dict[str, list[list[str]]] = {
    "timescale": [
        [sys.executable, "-m", "infra.local.debian_postgres", *command]
        for command in _pytest("integration", *_split(3))
    ]
}


@dataclass(frozen=True)
class Result:
    """How a suite ended, and its minutes."""

    suite: str
    passed: bool
    minutes: float

    def __str__(self) -> str:
        return f"{self.suite:<14}{'passed' if self.passed else 'FAILED':<8}{self.minutes:>6.1f} min"


def main() -> int:
    """0 when every suite passed. All of them run, so that one look shows everything that is wrong."""
    known = BESIDE | ALONE | SUITES | AFTERWARDS | BY_NAME
    chosen = sys.argv[1:] or [*BESIDE, *ALONE, *SUITES, *AFTERWARDS]
    if unknown := set(chosen) - known.keys():
        print(f"There is no suite {', '.join(sorted(unknown))}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    began = time.monotonic()
    results = _run_all(chosen, known)
    print("", *results, f"in all {(time.monotonic() - began) / 60:.1f} min", sep="\n", flush=True)
    return 0 if all(result.passed for result in results) else 1


def _run_all(chosen: Sequence[str], known: dict[str, list[list[str]]]) -> list[Result]:
    if len(chosen) == 1:
        return [_suite(chosen[0], known[chosen[0]])]
    printing = Lock()

    def one(name: str) -> Result:
        return _suite(name, known[name], printing)

    def among(suites: dict[str, list[list[str]]]) -> list[str]:
        return [name for name in chosen if name in suites]

    with ThreadPoolExecutor(1) as pool:
        beside = pool.map(one, among(BESIDE))
        with printing:  # what is shown while it runs has the page to itself
            results = [_suite(name, known[name]) for name in among(ALONE)]
        with ThreadPoolExecutor(_AT_ONCE) as several:
            results += several.map(one, among(SUITES | BY_NAME))
        results += beside
    return results + [_suite(name, known[name]) for name in among(AFTERWARDS)]


def _suite(name: str, commands: list[list[str]], printing: Lock | None = None) -> Result:
    """With a lock the output is shown when the suite has ended, so that no line of another stands between; a suite
    alone shows it while it runs.
    """
    began = time.monotonic()
    if printing is None:
        print(f"\n== {name}", flush=True)
        passed = [_run(command, name, None) for command in commands].count(False) == 0
    else:
        output = ROOT / "build" / "suites" / f"{name}.log"
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("wb") as file:
            passed = [_run(command, name, file.fileno()) for command in commands].count(False) == 0
        with printing:
            print(f"\n== {name}\n{output.read_text(encoding='utf-8', errors='replace')}", flush=True)
    return Result(name, passed, (time.monotonic() - began) / 60)


def _run(command: list[str], suite: str, output: int | None) -> bool:
    # Each suite writes a coverage file of its own; those that put them together read the common one.
    own = {"COVERAGE_FILE": str(ROOT / f".coverage.{suite}")} if suite in _MEASURED else {}
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env={**os.environ, **own},
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
