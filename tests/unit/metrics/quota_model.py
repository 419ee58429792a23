"""The budget of `take_calls` as arithmetic, to simulate days in a moment. test_budgets.py holds it against Postgres."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adloom.metrics import schedule
from adloom.metrics.schedule import Purpose
from adloom.platforms.quota import Quota

COUNTS_FOR = timedelta(hours=24, minutes=12)
TEN_MINUTES = 600


@dataclass
class Books:
    """What was given out of a quota."""

    quota: Quota
    counted: dict[datetime, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    next_at: datetime | None = None

    def take(
        self, purpose: Purpose, wanted: int, at: datetime, *, least: int = 1, most_ahead_s: float = 10.0
    ) -> tuple[int, datetime]:
        """How many calls, and when the first may be made; or none, and when to ask again."""
        granted, first = wanted, at
        if self.quota.per_day is not None:
            granted, again = self._room(purpose, wanted, least, at)
            if granted <= 0:
                return 0, again
        if self.quota.per_second is not None:
            first = max(self.next_at or at, at)
            if first > at + timedelta(seconds=most_ahead_s):
                return 0, first
            self.next_at = first + timedelta(seconds=granted / self.quota.per_second)
        if self.quota.per_day is not None:
            self.counted[_ten_minutes(at)][_booked(purpose)] += granted
        return granted, first

    def give_back(self, purpose: Purpose, taken_at: datetime, calls: int) -> None:
        if self.quota.per_day is not None:
            self.counted[_ten_minutes(taken_at)][_booked(purpose)] -= calls

    def _room(self, purpose: Purpose, wanted: int, least: int, at: datetime) -> tuple[int, datetime]:
        for gone in [counted for counted in self.counted if counted <= at - COUNTS_FOR]:
            del self.counted[gone]
        per_day, share = self.quota.per_day, schedule.share(self.quota, purpose)
        assert per_day is not None
        assert share is not None
        used = sum(sum(calls.values()) for calls in self.counted.values())
        used_here = sum(calls[_booked(purpose)] for calls in self.counted.values())
        room, least = min(wanted, per_day - used, share - used_here), min(least, share, per_day)
        if room >= least:
            return room, at
        gone = gone_here = 0
        for counted in sorted(self.counted):
            gone, gone_here = (
                gone + sum(self.counted[counted].values()),
                gone_here + self.counted[counted][_booked(purpose)],
            )
            if gone >= used + least - per_day and gone_here >= used_here + least - share:
                return 0, counted + COUNTS_FOR
        return 0, at + COUNTS_FOR


def _booked(purpose: Purpose) -> str:
    return "sync" if purpose == "night" else purpose


def _ten_minutes(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // TEN_MINUTES * TEN_MINUTES, at.tzinfo)
