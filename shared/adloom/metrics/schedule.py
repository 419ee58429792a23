"""How often accounts are synced: pure arithmetic.

Every account of a platform has the same cadence: 15 minutes, or longer where the app's quota allows no more. The quota
is shared out between three purposes, so that none can use up what another needs: the scheduled syncs, the history
behind them, and what people ask for, who may besides have whatever is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from adloom.platforms.quota import Quota

Purpose = Literal["sync", "night", "history", "person"]
Reason = Literal["usual", "quota", "load"]

# How often an account is due where nothing limits it, on the business clock.
USUAL = timedelta(minutes=15)
# Of the quota, in percent. What is left over, and whatever else is free, is for people.
SHARES: dict[Purpose, int] = {"sync": 65, "night": 65, "history": 25, "person": 100}
# What an account is taken to need until it was measured: calls of a sync of the last days, and of one that reads all
# that may have moved.
FIRST_SYNC_CALLS, FIRST_NIGHT_CALLS = 12.0, 24.0
# What is measured counts for so much; the rest is what was known before.
_NEWS = 0.3
# A cadence gets shorter only when the shorter one would fit with so much to spare: else it would swing.
_TO_SPARE = 0.9
# Cadences divide the day, so that the day's first sync, the longest one, comes at the same time every day, and no
# 24 hours have two of them.
_STEPS = tuple(timedelta(minutes=minutes) for minutes in range(15, 1441) if 1440 % minutes == 0)
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=30)
_CADENCES = (*_STEPS, *(_DAY * days for days in range(2, _LONGEST.days + 1)))
# From such a load on syncs get rarer, and below the other more frequent: percent of the platform's own headers.
BUSY_PERCENT, CALM_PERCENT = 75.0, 50.0
# Neighbours are as far apart as can be, however many there are: multiples of the golden ratio.
_APART = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Demand:
    """All accounts of a platform: how many, and their calls when each is synced once, usually and at night."""

    accounts: int
    sync_calls: float
    night_calls: float


@dataclass(frozen=True)
class Pace:
    """The cadence and why. `calls_per_day` is what it takes."""

    every: timedelta
    reason: Reason
    calls_per_day: int

    @property
    def is_stretched(self) -> bool:
        return self.every > USUAL


def share(quota: Quota, purpose: Purpose) -> int | None:
    """Calls in 24 hours for a purpose; None where nothing limits them."""
    return None if quota.most_per_day is None else quota.most_per_day * SHARES[purpose] // 100


def pace(demand: Demand, quota: Quota, before: Pace | None = None, load_percent: float = 0.0) -> Pace:
    """The shortest cadence that the quota bears and, where the platform counts by itself, that it is at ease with."""
    allowed = share(quota, "sync")
    if allowed is not None:
        return _within(demand, allowed, before)
    return _eased(demand, before, load_percent)


def _within(demand: Demand, allowed: int, before: Pace | None) -> Pace:
    for every in _CADENCES:
        is_shorter = before is not None and every < before.every
        if _calls_per_day(demand, every) <= allowed * (_TO_SPARE if is_shorter else 1):
            return _as_pace(demand, every, "quota")
    return _as_pace(demand, _LONGEST, "quota")


def _calls_per_day(demand: Demand, every: timedelta) -> float:
    if every > _DAY:  # every sync is the first one of its day
        return demand.night_calls * (_DAY / every)
    return demand.night_calls + demand.sync_calls * (_DAY / every)


def _eased(demand: Demand, before: Pace | None, load_percent: float) -> Pace:
    """One step longer while the platform is busy with us, one step back when it is calm again."""
    every = before.every if before else USUAL
    at = next((index for index, step in enumerate(_STEPS) if step >= every), len(_STEPS) - 1)
    if load_percent >= BUSY_PERCENT:
        at = min(at + 1, len(_STEPS) - 1)
    elif load_percent < CALM_PERCENT:
        at = max(at - 1, 0)
    return _as_pace(demand, _STEPS[at], "load")


def _as_pace(demand: Demand, every: timedelta, reason: Reason) -> Pace:
    return Pace(every, reason if every > USUAL else "usual", math.ceil(_calls_per_day(demand, every)))


def next_due(account_id: int, after: datetime, every: timedelta) -> datetime:
    """The account's next turn. Turns come at fixed times, which are spread evenly over all accounts.

    Where the cadence has just become another one, the next turn may be close: where calls are few, it is left out.
    """
    seconds = every.total_seconds()
    turn = math.floor((account_id * _APART % 1) * seconds)
    since = after.timestamp() - turn + (seconds / 2 if every > USUAL else 0)
    return datetime.fromtimestamp((math.floor(since / seconds) + 1) * seconds + turn, UTC)


def measured(before: float | None, calls: int) -> float:
    """What an account needs, after another measurement."""
    return float(calls) if before is None else before * (1 - _NEWS) + calls * _NEWS
