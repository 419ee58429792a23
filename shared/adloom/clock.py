"""Two clocks: the business clock, which a sandbox may set, and the real one, which nothing sets.

The business clock decides the accounts' today, what is due and what a sandbox serves. Sessions, signatures,
links and limits always use `real_now`.

`ADLOOM_CLOCK` is one of
- unset: the business clock is the real one,
- `<ISO time>[,x<rate>][,@<unix seconds>]`: the business clock stood at the ISO time at the given real instant
  (default: the start of this process) and runs at the rate (default 1; 0 stands still),
- `file:<path>`: a file that holds such a value and is read again when it changes, so that several processes share
  one clock and it can be moved while they run. A missing or empty file means the real clock.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ENVIRONMENT_VARIABLE = "ADLOOM_CLOCK"
_FILE_PREFIX = "file:"
_VALUE = re.compile(r"^(?P<start>[^,]+)(?:,x(?P<rate>\d+(?:\.\d+)?))?(?:,@(?P<anchor>\d+(?:\.\d+)?))?$")
_PROCESS_START = time.time()
# Far from the ends of the calendar, where days before and time zones have no dates any more.
EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
FASTEST = 1_000_000.0


class InvalidClockError(ValueError):
    """The clock's setting cannot be read; the message says what it should look like."""


@dataclass(frozen=True)
class ClockSetting:
    """The business clock stood at `start` (aware) at the real instant `anchor` (unix seconds) and runs at `rate`."""

    start: datetime
    rate: float
    anchor: float

    def at(self, real: float) -> datetime:
        """The business time, in UTC, at a real instant in unix seconds; a clock that gets to an end stands there."""
        seconds = (real - self.anchor) * self.rate
        earliest, latest = (end - self.start for end in (EARLIEST, LATEST))
        return self.start + timedelta(seconds=min(max(seconds, earliest.total_seconds()), latest.total_seconds()))

    def __str__(self) -> str:
        rate = f"{self.rate:.9f}".rstrip("0").rstrip(".")
        return f"{self.start.isoformat()},x{rate},@{self.anchor:.6f}"


def parse(value: str) -> ClockSetting | None:
    """Read a clock value (see the module's text); None for an empty one."""
    text = value.strip()
    if not text:
        return None
    match = _VALUE.match(text)
    try:
        start = datetime.fromisoformat(match["start"]) if match else None
    except ValueError:
        start = None
    if match is None or start is None:
        message = f"{ENVIRONMENT_VARIABLE} is {text!r}; write an ISO time, e.g. 2026-03-01T09:00:00+00:00,x60"
        raise InvalidClockError(message)
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    anchor = float(match["anchor"]) if match["anchor"] else _PROCESS_START
    return _checked(start, float(match["rate"] or 1), anchor)


def _checked(start: datetime, rate: float, anchor: float) -> ClockSetting:
    # Compared before it is brought to UTC, which the first and the last day of the calendar do not bear.
    if not EARLIEST <= start <= LATEST or not 0 <= rate <= FASTEST:
        message = f"The business clock takes times from {EARLIEST.year} to {LATEST.year} and rates up to {FASTEST:.0f}"
        raise InvalidClockError(message)
    return ClockSetting(start.astimezone(UTC), rate, anchor)


class _ClockFile:
    """A clock value in a file, parsed again when the file changes."""

    def __init__(self) -> None:
        self._seen: tuple[str, int, int] | None = None
        self._setting: ClockSetting | None = None

    def read(self, path: str) -> ClockSetting | None:
        try:
            stat = os.stat(path)  # noqa: PTH116 - called on every look at the clock
        except FileNotFoundError:
            return None
        # Two moves within one tick of the file system's clock differ in the inode.
        key = (path, stat.st_mtime_ns, stat.st_ino)
        if key != self._seen:
            self._setting = parse(Path(path).read_text(encoding="utf-8"))
            self._seen = key
        return self._setting


_file = _ClockFile()


def setting() -> ClockSetting | None:
    """The business clock's setting, or None where it is the real clock."""
    value = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if value.startswith(_FILE_PREFIX):
        return _file.read(value.removeprefix(_FILE_PREFIX))
    return parse(value)


def now() -> datetime:
    """The business time, aware, in UTC."""
    current = setting()
    return real_now() if current is None else current.at(time.time())


def today(zone: str) -> date:
    """The local day of the business clock in an IANA time zone such as `Asia/Tokyo`."""
    return now().astimezone(ZoneInfo(zone)).date()


def real_now() -> datetime:
    """The real time, aware, in UTC: for sessions, signatures, links and limits."""
    return datetime.now(UTC)


def move(path: Path, start: datetime, rate: float = 1.0) -> ClockSetting:
    """Write a new business time into a clock file, in one step, so that no reader sees half of it.

    InvalidClockError for a time or a rate that no clock can have; the file stays as it was.
    """
    moved = _checked(start, rate, time.time())
    partial = path.with_suffix(".partial")
    partial.write_text(f"{moved}\n", encoding="utf-8")
    partial.replace(path)
    return moved
