"""How many days one window takes: pure arithmetic.

A window is fetched, stored and committed at once. Few large windows cost fewer requests and transactions, small ones
lose less when a process dies and keep memory flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from adloom.platforms.model import Days

FIRST_DAYS = 7
# A platform asked for more than about three months at once tends to time out.
MOST_DAYS = 92
ROWS_PER_WINDOW = 30_000
# One answer tells little: the next window is at most so many times as long.
GROWTH = 4


@dataclass
class Sizer:
    """Learns from the windows of one account, newest first."""

    rows_per_day: float | None = None
    last: int = FIRST_DAYS
    cap: int = MOST_DAYS
    _rows: list[float] = field(default_factory=list)

    def next_days(self) -> int:
        """Days of the next window."""
        if self.rows_per_day is None:
            return min(FIRST_DAYS, self.cap)
        fitting = ROWS_PER_WINDOW / max(self.rows_per_day, 1.0)
        return max(1, min(int(fitting), self.last * GROWTH, self.cap))

    def learn(self, days: int, rows: int) -> None:
        """A window of so many days had so many rows."""
        self.last = max(days, self.last)
        self.rows_per_day = max(rows / days, (self.rows_per_day or 0.0) / 2)

    def too_much(self, days: int) -> None:
        """The platform refused a window of so many days."""
        self.cap = max(1, days // 2)

    def newest(self, days: Days) -> Days:
        """The window to take off the new end of a range."""
        since = max(days.since, days.until - timedelta(self.next_days() - 1))
        return Days(since, days.until)

    def windows(self, days: Days) -> Iterator[Days]:
        """A range in windows, newest first; what is learned or refused meanwhile counts from the next one on."""
        rest: Days | None = days
        while rest is not None:
            window = self.newest(rest)
            yield window
            before = window.since - timedelta(1)
            rest = Days(rest.since, before) if rest.since <= before else None
