"""What a platform allows an app in all, and what it says of how much of that is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["app", "account"]

# A call may be made until so long after the moment it was given; one that is not is forgotten.
SLOT_LASTS_S = 0.5
_DAY_S = 86_400
# From here on we go slower, so that the quota is not used up: percent of any header.
SLOW_FROM_PERCENT = 75.0
# What a call waits at 100 %; below it the wait grows evenly from nothing.
SLOWEST_WAIT_S = 4.0
_FULL = 100.0


@dataclass(frozen=True)
class Quota:
    """The calls of one app, all its customers together.

    `per_day` counts any 24 hours, `per_second` are moments given out evenly; None is no such limit. A process takes
    `block` calls at once, so that it need not ask before each.
    """

    tier: str
    per_day: int | None = None
    per_second: float | None = None
    block: int = 1

    @property
    def most_per_day(self) -> int | None:
        """Calls in 24 hours by the narrowest of the limits."""
        paced = None if self.per_second is None else int(self.per_second * _DAY_S)
        limits = [limit for limit in (self.per_day, paced) if limit is not None]
        return min(limits, default=None)


@dataclass(frozen=True)
class Load:
    """What the platform's headers say: how much of a quota is used up, in percent, and for how long it is closed."""

    scope: Scope
    percent: float
    closed_s: float = 0.0


UNLIMITED = Quota("unlimited")


def pause_s(percent: float) -> float:
    """Seconds to wait before a call, when so much of a quota is used up."""
    over = min(percent, _FULL) - SLOW_FROM_PERCENT
    return 0.0 if over < 0 else max(over / (_FULL - SLOW_FROM_PERCENT), 0.05) * SLOWEST_WAIT_S
