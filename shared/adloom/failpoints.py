"""Points at which a rehearsal kills a process, to prove that nothing is lost there.

Only beside a sandbox: with `ADLOOM_FAILPOINT` set and `ADLOOM_SANDBOX_URL` not, the first point that is reached refuses
to go on. Without the variable a point costs one look at the environment.

`ADLOOM_FAILPOINT` is the path of a file, so that a point is armed while the processes run. The file holds one line

    <point>[:<n>][:by=<process id>][:kill=<process id>]

and means: the process that reaches the point for the n-th time (default 1) since the line was written is killed with
SIGKILL, or the process after `kill` is, together with its children (Postgres is many). With `by` only that process
counts. The file is removed before that, so that a point fires once, whatever is restarted.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from adloom.errors import ConfigurationError

ENVIRONMENT_VARIABLE = "ADLOOM_FAILPOINT"
_SANDBOX_VARIABLE = "ADLOOM_SANDBOX_URL"

_reached: Counter[tuple[str, int]] = Counter()


@dataclass(frozen=True)
class Failpoint:
    """Kill `victim` (None: the process itself) when `name` is reached for the `nth` time by the process `by` (None:
    any).
    """

    name: str
    nth: int = 1
    victim: int | None = None
    by: int | None = None

    def __str__(self) -> str:
        by = f":by={self.by}" if self.by is not None else ""
        return f"{self.name}:{self.nth}{by}" + (f":kill={self.victim}" if self.victim is not None else "")


def parse(line: str) -> Failpoint:
    """Read an armed line; ConfigurationError says what it should look like."""
    name, *rest = line.strip().split(":")
    nth, victim, by = 1, None, None
    try:
        for part in rest:
            if part.startswith("kill="):
                victim = int(part.removeprefix("kill="))
            elif part.startswith("by="):
                by = int(part.removeprefix("by="))
            else:
                nth = int(part)
    except ValueError:
        name = ""
    if not name:
        raise ConfigurationError(
            f"The failpoint {line!r} should read <point>[:<n>][:by=<process id>][:kill=<process id>]"
        )
    return Failpoint(name, nth, victim, by)


def arm(path: Path, point: Failpoint) -> None:
    """Write the point in one step, so that no process reads half of it."""
    partial = path.with_suffix(".partial")
    partial.write_text(f"{point}\n", encoding="utf-8")
    partial.replace(path)


def reach(name: str) -> None:
    """A point in the program's progress. Does nothing unless this very point is armed."""
    if path := os.environ.get(ENVIRONMENT_VARIABLE):
        if not os.environ.get(_SANDBOX_VARIABLE):
            raise ConfigurationError(f"{ENVIRONMENT_VARIABLE} is for rehearsals beside the sandbox; unset it")
        _look(name, Path(path))


def _look(name: str, path: Path) -> None:
    try:
        line, armed_at = path.read_text(encoding="utf-8"), path.stat().st_mtime_ns
    except FileNotFoundError:
        return
    point = parse(line)
    if point.name != name or point.by not in {None, os.getpid()}:
        return
    _reached[line, armed_at] += 1
    if _reached[line, armed_at] < point.nth:
        return
    try:
        path.unlink()
    except FileNotFoundError:
        return  # another thread or process fired it
    _kill(os.getpid() if point.victim is None else point.victim)


def _kill(process: int) -> None:
    """SIGKILL a process, then the children it can no longer look after."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    for each in (process, *map(int, children)):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue
