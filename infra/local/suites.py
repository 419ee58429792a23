"""`python -m infra.local.suites [suite...]`: run the suites one after the other and tell the minutes of each."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from infra.local.home import ROOT

_BIN = Path(sys.executable).parent
_CHECKED = ["infra", "ui", "functions", "migrations", "shared", "template", "tests"]


def _pytest(suite: str, *options: str) -> list[list[str]]:
    return [[sys.executable, "-m", "pytest", f"tests/{suite}", "-q", "--durations=5", *options]]


def _measured(suite: str) -> list[list[str]]:
    """A suite whose coverage counts; the report at the end adds them up."""
    return _pytest(suite, "--cov", "--cov-append", "--cov-report=", "--cov-fail-under=0")


SUITES: dict[str, list[list[str]]] = {
    "lint": [
        [str(_BIN / "ruff"), "check", "--quiet", *_CHECKED],
        [str(_BIN / "ruff"), "format", "--check", "--quiet", *_CHECKED],
        [str(_BIN / "mypy")],
        [str(_BIN / "lint-imports")],
    ],
    "unit": _measured("unit"),
    "integration": _measured("integration"),
    "contract": _measured("contract"),
    "ui": _measured("ui"),
    "coverage": [[str(_BIN / "coverage"), "report"]],
    "e2e": _pytest("e2e"),
}
# Suites that prepare more than the tests' packages, and run only when they are named.
BY_NAME: dict[str, list[list[str]]] = {
    "timescale": [[sys.executable, "-m", "infra.local.debian_postgres", *command] for command in _pytest("integration")]
}


def main() -> int:
    """0 when every suite passed. All of them run, so that one look shows everything that is wrong."""
    chosen = sys.argv[1:] or list(SUITES)
    suites = SUITES | BY_NAME
    if unknown := set(chosen) - suites.keys():
        print(f"There is no suite {', '.join(sorted(unknown))}; there are {', '.join(suites)}.", file=sys.stderr)
        return 2
    if "unit" in chosen:
        (ROOT / ".coverage").unlink(missing_ok=True)
    lines, failed = [], 0
    for name in chosen:
        began = time.monotonic()
        print(f"\n== {name}", flush=True)
        passed = [_run(command) for command in suites[name]].count(False) == 0
        failed += not passed
        lines.append(f"{name:<14}{'passed' if passed else 'FAILED':<8}{(time.monotonic() - began) / 60:>6.1f} min")
    print("\n" + "\n".join(lines), flush=True)
    return 1 if failed else 0


def _run(command: list[str]) -> bool:
    return subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
