"""A day of one platform's scheduler in a moment: ticks, accounts that are due, and calls out of a quota."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from adloom.metrics import schedule
from adloom.metrics.schedule import Demand, Pace, Purpose
from adloom.platforms.quota import SLOT_LASTS_S, Quota
from tests.unit.metrics.quota_model import Books

START = datetime(2026, 3, 7, tzinfo=UTC)  # summer time begins in America on the 8th
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "America/Los_Angeles")
TICK = timedelta(minutes=1)
# A call takes so long; a slice makes one after the other.
CALL = timedelta(seconds=0.3)
WORKERS = 4
IDLE = timedelta(seconds=5)
LASTS = timedelta(seconds=SLOT_LASTS_S)
HISTORY_PER_SYNC = 12


@dataclass
class Account:
    """`sync_calls` and `night_calls` are what it really takes, `measured` what is known of that."""

    number: int
    zone: str
    sync_calls: int
    night_calls: int
    history_calls: int
    due: datetime
    blocked_until: datetime = START
    restated_on: date | None = None
    measured: dict[str, float | None] = field(default_factory=lambda: {"sync": None, "night": None})


@dataclass
class Day:
    """What came of it. `calls` are the moments of all calls, in order; `syncs` count whole syncs by account."""

    calls: list[datetime] = field(default_factory=list)
    syncs: Counter[int] = field(default_factory=Counter)
    nights: Counter[int] = field(default_factory=Counter)
    history: Counter[int] = field(default_factory=Counter)
    put_off: int = 0
    queued: list[int] = field(default_factory=list)
    late: list[timedelta] = field(default_factory=list)
    paces: list[Pace] = field(default_factory=list)

    def most_in(self, span: timedelta) -> int:
        """The most calls of any such time."""
        moments = sorted(self.calls)
        return max((index - bisect_left(moments, moment - span) for index, moment in enumerate(moments, 1)), default=0)


def settled(quota: Quota, count: int, seed: int) -> list[Account]:
    """Accounts that are known, at the cadence that fits them."""
    known = accounts(count, seed)
    for one in known:
        one.measured = {"sync": one.sync_calls, "night": one.night_calls}
    every = schedule.pace(demand(known), quota).every
    for one in known:
        one.due = schedule.next_due(one.number, START - every / 2, every)
    return known


def accounts(count: int, seed: int) -> list[Account]:
    """New ones: all of them come to be due in the first minutes."""
    chance = random.Random(seed)
    return [
        Account(
            number,
            ZONES[number % len(ZONES)],
            sync_calls=chance.randint(8, 16),
            night_calls=chance.randint(16, 40),
            history_calls=chance.randint(0, 120),
            due=schedule.next_due(number, START, schedule.USUAL),
        )
        for number in range(1, count + 1)
    ]


def demand(world: list[Account]) -> Demand:
    return Demand(
        len(world),
        sum(one.measured["sync"] or schedule.FIRST_SYNC_CALLS for one in world),
        sum(one.measured["night"] or schedule.FIRST_NIGHT_CALLS for one in world),
    )


# What a process does next is after the moment that it yields.
Process = Iterator[datetime]


@dataclass
class World:
    """A scheduler, workers that make calls at the same time, and what they share."""

    quota: Quota
    accounts: list[Account]
    day: Day = field(default_factory=Day)
    books: Books = field(init=False)
    queue: deque[tuple[Account, datetime]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.books = Books(self.quota)

    def run(self, days: float) -> Day:
        processes: list[Process] = [self._scheduler(), *(self._worker() for _ in range(WORKERS))]
        agenda = [(START, number) for number in range(len(processes))]
        while agenda[0][0] < START + timedelta(days=days):
            _, number = agenda[0]
            heapq.heapreplace(agenda, (next(processes[number]), number))
        return self.day

    def _scheduler(self) -> Process:
        now, pace = START, None
        while True:
            if pace is None or now.minute % 10 == 0:
                pace = schedule.pace(demand(self.accounts), self.quota, pace)
                self.day.paces.append(pace)
            due = [one for one in self.accounts if one.due <= now and one.blocked_until <= now]
            for account in sorted(due, key=lambda one: one.due):
                self.queue.append((account, account.due))
                account.due = schedule.next_due(account.number, now, pace.every)
            self.day.queued.append(len(self.queue))
            now += TICK
            yield now

    def _worker(self) -> Process:
        now = START
        while True:
            if not self.queue:
                now += IDLE
                yield now
                continue
            account, was_due = self.queue.popleft()
            self.day.late.append(now - was_due)
            now = yield from self._sync(account, now)

    def _sync(self, account: Account, now: datetime) -> Generator[datetime, None, datetime]:
        today = now.astimezone(ZoneInfo(account.zone)).date()
        purpose: Purpose = "night" if account.restated_on != today else "sync"
        wanted = account.night_calls if purpose == "night" else account.sync_calls
        is_whole, ended = yield from self._calls(purpose, wanted, now)
        if not is_whole:
            # As the engine does: what was asked for waits until there are calls again.
            account.due, account.blocked_until = now, ended
            self.day.put_off += 1
            return now
        account.restated_on = today
        (self.day.nights if purpose == "night" else self.day.syncs)[account.number] += 1
        account.measured[purpose] = schedule.measured(account.measured[purpose], wanted)
        some = min(HISTORY_PER_SYNC, account.history_calls)
        is_whole, at = yield from self._calls("history", some, ended)
        if not is_whole:
            return ended
        account.history_calls -= some
        self.day.history[account.number] += some
        return at

    def _calls(self, purpose: Purpose, wanted: int, now: datetime) -> Generator[datetime, None, tuple[bool, datetime]]:
        """Make so many calls, block by block; whether there were enough, and when that ended or there will be more."""
        made = 0
        while made < wanted:
            is_counted = self.quota.per_day is not None
            taken_at, least = now, wanted if is_counted and not made and purpose != "history" else 1
            most_ahead_s = 2.0 if purpose == "history" else 10.0
            granted, first = self.books.take(
                purpose, max(self.quota.block, least), now, least=least, most_ahead_s=most_ahead_s
            )
            if not granted:
                return False, first
            used = 0
            for moment in self._moments(first, granted):
                is_over = self.quota.per_second is not None and now > moment + LASTS
                if made < wanted and not is_over:
                    now = max(now, moment)
                    self.day.calls.append(now)
                    used, made, now = used + 1, made + 1, now + CALL
            self.books.give_back(purpose, taken_at, granted - used)
            yield now
        return True, now

    def _moments(self, first: datetime, granted: int) -> list[datetime]:
        if self.quota.per_second is None:
            return [first] * granted
        return [first + timedelta(seconds=number / self.quota.per_second) for number in range(granted)]
