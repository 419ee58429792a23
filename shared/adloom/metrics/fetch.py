"""Fetches windows in a thread of its own, a little ahead of the transactions that store them.

Parsing bounds the fetch and Postgres bounds the load, so doing both at once is the gain. What waits between them is
COPY text in a bounded queue: memory does not grow with the number of rows.
"""

from __future__ import annotations

import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from types import TracebackType
from typing import Self

from adloom import clock, failpoints, logs
from adloom.errors import PlatformProtocolError, PlatformRejected, TooMuchData
from adloom.metrics import reconcile
from adloom.metrics.hours import HourIntake, Wanted
from adloom.metrics.intake import Branches, Intake, Strangers
from adloom.metrics.runs import Fetched
from adloom.metrics.sizes import Sizer
from adloom.platforms import smaller
from adloom.platforms.model import HOUR_LEVELS, LEVELS, TRUNCATED, TWICE, Account, Days, Level, Reader

# What may wait: text enough to fetch on while a transaction ends. What begins or ends a window weighs more than half,
# so that none begins before the store has come to the end of the one before.
QUEUE_BYTES = 8_000_000
_WEIGHT = QUEUE_BYTES // 2 + 1
_POLL_S = 0.2
_LEAVE_S = 2.0

log = logs.get(__name__)


@dataclass(frozen=True)
class Begun:
    """The pages that follow belong to these days; what was staged before is to be forgotten."""

    days: Days
    started_at: datetime
    business_at: datetime


@dataclass(frozen=True)
class Lines:
    """COPY text of a page."""

    text: bytes


@dataclass(frozen=True)
class HourLines:
    """COPY text of rows by the hour."""

    text: bytes


@dataclass(frozen=True)
class Whole:
    """The window is complete. `settled` are the days that need not be fetched any more, `hours` those whose rows by
    the hour came with it. On the days of `moved` the platform's totals changed while they were read; of the levels of
    `cut` it does not give every row. `query` is how each level was asked for.
    """

    days: Days
    settled: Days
    fetched: Fetched
    delivered: dict[Level, Branches]
    strangers: Strangers
    hours: list[date]
    moved: frozenset[str] = frozenset()
    cut: frozenset[Level] = frozenset()
    query: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Broke:
    """The fetch ended with an exception, in the window of these days; None for the entities."""

    error: BaseException
    days: Days | None
    started_at: datetime
    business_at: datetime


Item = Begun | Lines | HourLines | Whole | Broke


class _StoppedError(Exception):
    """Nobody reads the queue any more."""


class Fetcher:
    """Iterate over it inside a `with` block; leaving the block ends the thread.

    `may_begin` is asked before each window, with its days. `known` is only read: whoever stores a window adds its
    strangers. Before the account's birth one window without rows settles all older days.
    """

    def __init__(
        self,
        reader: Reader,
        account: Account,
        ranges: Iterable[Days],
        known: dict[Level, set[str]],
        *,
        sizer: Sizer,
        born: date | None,
        may_begin: Callable[[Days], bool],
        hours: Wanted | None = None,
    ) -> None:
        self._reader = reader
        self._account = account
        self._ranges = list(ranges)
        self._known = known
        self._sizer = sizer
        self._born = born
        self._may_begin = may_begin
        self._hours = hours
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        # What waits, as `_weight` weighs it.
        self._waiting = 0
        self._room = threading.Condition()
        self._is_before_birth = False
        self._stop = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="fetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        # A call under way is not waited for: what it brings is thrown away.
        self._thread.join(_LEAVE_S)

    def __iter__(self) -> Iterator[Item]:
        while (item := self._queue.get()) is not None:
            with self._room:
                self._waiting -= _weight(item)
                self._room.notify()
            yield item

    def _run(self) -> None:
        try:
            for days in self._ranges:
                for window in self._sizer.windows(days):
                    if not self._may_begin(window) or not self._window(window, days):
                        return
                    if self._is_before_birth:
                        break
        except _StoppedError:
            return
        finally:
            with contextlib.suppress(_StoppedError):
                self._put(None)

    def _window(self, days: Days, part_of: Days, *, is_again: bool = False) -> bool:
        """Fetch a window, in smaller ones where the platform wants that; False when it broke."""
        started_at, business_at, requests = clock.real_now(), clock.now(), self._reader.requests
        self._put(Begun(days, started_at, business_at))
        try:
            intake, cut = self._levels(days)
            # Another window will be asked for by the time this one is stored.
            query: dict[str, object] = {level: self._reader.query(level) for level in LEVELS}
            moved = self._moved(days, intake, cut)
            has_moved = bool(moved) and not is_again
            hours = [] if has_moved else self._hours_of(days, intake)
        except _StoppedError:
            raise
        except TooMuchData as error:
            if len(days) == 1:
                self._put(Broke(error, days, started_at, business_at))
                return False
            self._sizer.too_much(len(days))
            return all(self._window(part, part_of) for part in self._sizer.windows(days))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the queue is read
            if not is_again and isinstance(error, PlatformProtocolError) and error.platform_code == TWICE:
                return self._window(days, part_of, is_again=True)
            self._put(Broke(error, days, started_at, business_at))
            return False
        if has_moved:
            return self._window(days, part_of, is_again=True)
        self._sizer.learn(len(days), intake.rows, (clock.real_now() - started_at).total_seconds())
        self._is_before_birth = intake.rows == 0 and self._born is not None and days.until < self._born
        settled = Days(part_of.since, days.until) if self._is_before_birth else days
        fetched = Fetched(started_at, business_at, clock.real_now(), self._reader.requests - requests, intake.rows)
        self._put(Whole(days, settled, fetched, intake.sums(), intake.strangers, hours, moved, cut, query))
        return True

    def _moved(self, days: Days, intake: Intake, cut: frozenset[Level]) -> frozenset[str]:
        """The days on which levels do not add up because the platform's numbers moved while they were read one by one.

        A difference that is not of our making costs one more question, for the account's own rows; where these stand
        still and what lies below the campaigns does not add up, one for the campaigns.
        """
        sums = intake.sums()
        doubtful = {v.level for v in reconcile.judge(sums, cut=cut) if v.state == "unexplained"}
        moved = self._differing(days, "account", sums["account"]) if doubtful else frozenset()
        if not moved and doubtful & {"ad_group", "ad"}:
            moved = self._differing(days, "campaign", sums["campaign"])
        return moved

    def _differing(self, days: Days, level: Level, before: Branches) -> frozenset[str]:
        """The days of which the platform says something else by now."""
        now = Intake(days, self._known)
        now.begin(level)
        for facts in self._reader.facts(self._account, level, days):
            now.lines(level, facts)
        after = now.sums()[level]
        return frozenset(key[0] for key in before.keys() | after.keys() if before.get(key) != after.get(key))

    def _levels(self, days: Days) -> tuple[Intake, frozenset[Level]]:
        """The rows of all levels, and the levels of which the platform does not give every row even of one day."""
        intake, cut = Intake(days, self._known), set[Level]()
        for level in LEVELS:
            intake.begin(level)
            try:
                for facts in self._reader.facts(self._account, level, days):
                    if lines := intake.lines(level, facts):
                        self._put(Lines(lines))
                    failpoints.reach("sync.page")
            except TooMuchData as error:
                is_final = error.platform_code == TRUNCATED and len(days) == 1 and level in ("ad_group", "ad")
                if not is_final:
                    raise
                cut.add(level)
        return intake, frozenset(cut)

    def _hours_of(self, window: Days, intake: Intake) -> list[date]:
        """Fetch the rows by the hour that the window owes; the days that came, those without delivery unasked. What the
        platform does not give of them keeps no day's own facts from being stored.
        """
        found: list[date] = []
        delivered = intake.days()
        waiting = self._hours.within(window) if self._hours else []
        while waiting:
            days = waiting.pop(0)
            try:
                lines = self._hour_lines(days) if delivered.intersection(days) else b""
            except TooMuchData as error:
                if parts := smaller.halves(days):
                    waiting[:0] = parts
                    continue
                log.warning("hours_left_out", days=str(days), reason=error.detail)
            except (PlatformRejected, PlatformProtocolError) as error:
                log.warning("hours_left_out", days=str(days), reason=error.detail)
                if isinstance(error, PlatformRejected):
                    # It has no hours of this account at all.
                    break
            else:
                found += days
                if lines:
                    self._put(HourLines(lines))
        return found

    def _hour_lines(self, days: Days) -> bytes:
        intake, lines = HourIntake(days), []
        for level in HOUR_LEVELS:
            for rows in self._reader.hours(self._account, level, days):
                lines.append(intake.lines(level, rows))
                failpoints.reach("sync.page")
        return b"".join(lines)

    def _put(self, item: Item | None) -> None:
        weight = _weight(item)
        with self._room:
            while self._waiting and self._waiting + weight > QUEUE_BYTES and not self._stop.is_set():
                self._room.wait(_POLL_S)
            if self._stop.is_set():
                raise _StoppedError
            self._waiting += weight
        self._queue.put(item)


def _weight(item: Item | None) -> int:
    return len(item.text) if isinstance(item, Lines | HourLines) else _WEIGHT
