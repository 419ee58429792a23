"""The calls that the app may make at a platform, shared by every process through Postgres.

A process takes a block of calls at once, so that most calls cost no round trip: for a quota per day it is a count, for
one per second a row of moments, and where the platform counts by itself, leave for the next seconds. What it does not
use of a day's count it gives back.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from adloom.db import Database
from adloom.errors import QuotaUsedUp
from adloom.metrics import schedule
from adloom.metrics.schedule import Purpose
from adloom.platforms.quota import SLOT_LASTS_S, UNLIMITED, Load, Quota, pause_s
from adloom.platforms.retry import Deadline, OutOfTimeError

# Calls are counted where they were taken, for ten minutes and two more: nobody may keep them for longer.
_KEEPS_S = 60.0
# Leave to call is looked at anew so often, where the platform counts by itself.
_LOOKS_EVERY_S = 5.0
# Whoever would wait for longer lets others go first; history lets everybody go first.
_MOST_AHEAD = {"sync": 10.0, "night": 10.0, "person": 20.0, "history": 2.0}
# In the books, the two kinds of scheduled syncs are one purpose.
_BOOKED = {"sync": "sync", "night": "sync", "history": "history", "person": "person"}
# From here on headers are worth telling others; the same again only after a while, or when it is another number.
_WORTH_TELLING_PERCENT = 50.0
_TELL_EVERY_S = 10.0
_TELL_STEP_PERCENT = 5.0

_TAKE = """
select granted, wait_s, retry_at, counted_at, load_percent, refused_by
  from take_calls(:platform, :account, :purpose, :wanted, :least, :per_day, :share, :per_second, :most_ahead)
"""


@dataclass
class _Lease:
    """Calls to make from a monotonic moment on; `step_s` lies between two of them, each waits for no longer than
    `lasts_s`.
    """

    booked: str
    left: int
    at: float
    step_s: float
    lasts_s: float
    counted_at: datetime | None = None

    def next_moment(self, now: float) -> float | None:
        """The moment of the next call, which may have passed already; None when there is none any more."""
        while self.left > 0 and self.at + self.lasts_s < now:
            if self.step_s <= 0:
                return None
            self.left, self.at = self.left - 1, self.at + self.step_s
        if self.left <= 0:
            return None
        moment = self.at
        self.left, self.at = self.left - 1, self.at + self.step_s
        return moment


@dataclass
class Budget:
    """The calls of one slice. `purpose` says whose share they come from, and may change between two of them.

    Fails closed: without a database no call is made.
    """

    database: Database
    platform: str
    deadline: Deadline
    quota: Quota = UNLIMITED
    account: str = ""
    purpose: Purpose = "sync"
    began_as: Purpose = "sync"
    expected: int = 1
    calls: Counter[Purpose] = field(default_factory=Counter)
    _lease: _Lease | None = None
    _told: dict[str, tuple[float, float]] = field(default_factory=dict)
    _is_closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_counted(self) -> bool:
        """Whether each call is one less of a day's."""
        return self.quota.per_day is not None

    def begin(self, purpose: Purpose, expected: float) -> None:
        """Say before the first call what the slice is for, and how many calls that takes: where so many are not left,
        it does not begin, or everybody would begin something and nobody come to an end.
        """
        self.purpose = self.began_as = purpose
        self.expected = math.ceil(expected)

    def admit(self) -> None:
        """Asked before each call: waits for its moment. QuotaUsedUp when there is none soon."""
        with self._lock:
            if self._is_closed:
                raise OutOfTimeError
            moment = self._next_moment()
            self.calls[self.purpose] += 1
        wait = moment - time.monotonic()
        if wait > 0 and not self.deadline.sleep(wait):
            raise OutOfTimeError

    def heard(self, load: Load) -> None:
        """Tell every process what the platform's headers say, where that matters to them."""
        now = time.monotonic()
        before, at = self._told.get(load.scope, (0.0, -_TELL_EVERY_S))
        is_news = abs(load.percent - before) >= _TELL_STEP_PERCENT or now - at >= _TELL_EVERY_S
        if not load.closed_s and not (is_news and max(load.percent, before) >= _WORTH_TELLING_PERCENT):
            return
        self._told[load.scope] = (load.percent, now)
        with self.database.system() as connection:
            connection.execute(
                text("select note_load(:platform, :scope, :key, :percent, :closed)"),
                {
                    "platform": self.platform,
                    "scope": load.scope,
                    "key": self.account if load.scope == "account" else "",
                    "percent": load.percent,
                    "closed": timedelta(seconds=load.closed_s),
                },
            )

    def close(self) -> None:
        """Give back what was not used. Nothing is admitted any more."""
        with self._lock:
            self._is_closed = True
            self._give_back()

    def _next_moment(self) -> float:
        now = time.monotonic()
        lease = self._lease
        is_ours = lease is not None and lease.booked == _BOOKED[self.purpose]
        moment = lease.next_moment(now) if lease is not None and is_ours else None
        if moment is None:
            self._give_back()
            self._lease = self._take()
            moment = self._lease.next_moment(now)
        return time.monotonic() if moment is None else moment

    def _take(self) -> _Lease:
        quota = self.quota
        least, self.expected = self.expected if self.is_counted else 1, 1
        with self.database.system() as connection:
            row: Any = connection.execute(
                text(_TAKE),
                {
                    "platform": self.platform,
                    "account": self.account,
                    "purpose": _BOOKED[self.purpose],
                    "wanted": max(quota.block, least),
                    "least": least,
                    "per_day": quota.per_day,
                    "share": schedule.share(quota, self.purpose),
                    "per_second": quota.per_second,
                    "most_ahead": timedelta(seconds=_MOST_AHEAD[self.purpose]),
                },
            ).one()
        if not row.granted:
            raise _refused(row.refused_by, row.retry_at)
        now, booked = time.monotonic(), _BOOKED[self.purpose]
        if quota.per_second is not None:
            return _Lease(booked, row.granted, now + row.wait_s, 1 / quota.per_second, SLOT_LASTS_S, row.counted_at)
        if self.is_counted:
            return _Lease(booked, row.granted, now, 0, _KEEPS_S, row.counted_at)
        # The pause of a busy platform is for the first call; what its answer says is for those that follow.
        return _Lease(booked, 1_000_000, now + pause_s(row.load_percent), 0, _LOOKS_EVERY_S)

    def _give_back(self) -> None:
        lease, self._lease = self._lease, None
        if lease is None or lease.left <= 0 or not self.is_counted or lease.counted_at is None:
            return
        with self.database.system() as connection:
            connection.execute(
                text("select give_back_calls(:platform, :purpose, :at, :unused)"),
                {
                    "platform": self.platform,
                    "purpose": lease.booked,
                    "at": lease.counted_at,
                    "unused": lease.left,
                },
            )


def _refused(by: str, retry_at: datetime) -> QuotaUsedUp:
    scope = "account" if by == "account" else "app"
    return QuotaUsedUp(f"No calls are left for now ({by})", platform_code=f"ours/{by}", scope=scope, retry_at=retry_at)
