"""How many days one window takes: pure arithmetic.

A window is fetched, stored and committed at once. Few large windows cost fewer requests and transactions; small ones
lose less when a process dies, keep memory flat, and end before the slice does, however slow the platform is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from adloom.platforms.model import Days

FIRST_DAYS = 7
# A platform asked for more than about three months at once tends to time out.
MOST_DAYS = 92
ROWS_PER_WINDOW = 20_000
SECONDS_PER_WINDOW = 8.0
# One answer tells little: the next window is at most so many times as long.
GROWTH = 4
# After each attempt that came to nothing the longest window is so many times shorter.
CAUTION = 4


class Sizer:
    """Learns from the windows of one account, newest first. `expected` is a guess of rows per day before the first."""

    def __init__(self, expected: float | None = None, attempts: int = 0) -> None:
        self._rows_per_day = expected
        self._seconds_per_day = 0.0
        self._last = FIRST_DAYS
        self._most: int = max(1, MOST_DAYS // CAUTION**attempts)
        self._has_learnt = False

    def next_days(self) -> int:
        """Days of the next window."""
        most: int = min(self._most, self._last * GROWTH if self._has_learnt else FIRST_DAYS)
        # Compared as products: a quotient of next to nothing is no number of days.
        while most > 1 and not self._fits(most):
            most -= 1
        return most

    def _fits(self, days: int) -> bool:
        return (
            days * (self._rows_per_day or 0.0) <= ROWS_PER_WINDOW and days * self._seconds_per_day <= SECONDS_PER_WINDOW
        )

    def learn(self, days: int, rows: int, seconds: float) -> None:
        """A window of so many days had so many rows and took so long."""
        before = self._rows_per_day if self._has_learnt else None
        # History is uneven: what was measured fades by half, not at once.
        self._rows_per_day = max(rows / days, (before or 0.0) / 2)
        self._seconds_per_day = max(seconds / days, self._seconds_per_day / 2)
        self._last = max(days, self._last)
        self._has_learnt = True

    def too_much(self, days: int) -> None:
        """The platform refused a window of so many days."""
        self._most = max(1, days // 2)

    def windows(self, days: Days) -> Iterator[Days]:
        """A range in windows, newest first; what is learnt or refused meanwhile counts from the next one on."""
        rest: Days | None = days
        while rest is not None:
            window = Days(max(rest.since, rest.until - timedelta(self.next_days() - 1)), rest.until)
            yield window
            before = window.since - timedelta(1)
            rest = Days(rest.since, before) if rest.since <= before else None
