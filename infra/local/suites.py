"""`python -m infra.local.suites [suite...]`: run the suites, several at once, and tell the minutes of each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from infra.local.home import ROOT

_BIN = Path(sys.executable).parent
_LOGS = ROOT / "build" / "suites"
_CHECKED = ["infra", "ui", "functions", "migrations", "shared", "template", "tests"]
# So many processes of tests at once: they wait for other processes and browsers half of their time, so some use what
# others leave idle. Each has servers of its own.
PLACES = 4
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


# In the order in which they begin, each as soon as there is room for it: the longest first, so that the last to end
# has not begun late.
SUITES: dict[str, list[list[str]]] = {
    "cadence": _pytest("cadence", "-s"),
    "integration": _measured("integration", *_split(3)),
    "e2e": _pytest("e2e"),
    "ui": _measured("ui", *_split(2)),
    "unit": _measured("unit"),
    "contract": _measured("contract"),
    "lint": [
        [str(_BIN / "ruff"), "check", "--quiet", *_CHECKED],
        [str(_BIN / "ruff"), "format", "--check", "--quiet", *_CHECKED],
        [str(_BIN / "mypy")],
        [str(_BIN / "lint-imports")],
    ],
}
# Its minutes are real time, most of which it leaves to others: beside everything else.
_PROCESSES = {"cadence": 0, "integration": 3, "ui": 2}
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
    known = SUITES | AFTERWARDS | BY_NAME
    chosen = sys.argv[1:] or [*SUITES, *AFTERWARDS]
    if unknown := set(chosen) - known.keys():
        print(f"There is no suite {', '.join(sorted(unknown))}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    began = time.monotonic()
    results = _run_all(chosen, known)
    print("", *results, f"in all {(time.monotonic() - began) / 60:.1f} min", sep="\n", flush=True)
    return 0 if all(result.passed for result in results) else 1


def _run_all(chosen: Sequence[str], known: dict[str, list[list[str]]]) -> list[Result]:
    """Those that read the results of others last; of several, each is shown when it has ended."""
    together = {name: known[name] for name in chosen if name not in AFTERWARDS}
    if len(together) == 1:
        ended = [_suite(name, commands) for name, commands in together.items()]
    else:
        ended = run_together(together, _PROCESSES)
    return ended + [_suite(name, known[name]) for name in chosen if name in AFTERWARDS]


def run_together(
    suites: dict[str, list[list[str]]], processes: Mapping[str, int], places: int = PLACES, logs: Path = _LOGS
) -> list[Result]:
    """Begin each in its order, or before its turn where one that is larger finds no room; the results in the order of
    their end. One whose processes are not named is one.
    """
    waiting, free, results = list(suites), places, list[Result]()
    running: dict[Future[Result], int] = {}
    with ThreadPoolExecutor(max(len(suites), 1)) as pool:
        while waiting or running:
            for name in list(waiting):
                takes = min(processes.get(name, 1), places)
                if takes <= free:
                    waiting.remove(name)
                    free -= takes
                    running[pool.submit(_suite, name, suites[name], logs / f"{name}.log")] = takes
                    print(f"{name} begins", flush=True)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                free += running.pop(done)
                results.append(done.result())
                output = (logs / f"{results[-1].suite}.log").read_text(encoding="utf-8", errors="replace")
                print(f"\n== {results[-1].suite}\n{output}", flush=True)
    return results


def _suite(name: str, commands: list[list[str]], log: Path | None = None) -> Result:
    """With a log its output goes there; else it is shown while it runs."""
    began = time.monotonic()
    if log is None:
        print(f"\n== {name}", flush=True)
        passed = [_run(command, name, None) for command in commands].count(False) == 0
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            passed = [_run(command, name, file.fileno()) for command in commands].count(False) == 0
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
