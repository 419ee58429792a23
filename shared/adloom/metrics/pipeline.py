"""Stores what the fetch brings, one transaction per window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

from adloom import clock, failpoints, logs
from adloom.errors import PlatformError
from adloom.events.catalogue import MetricsSynced
from adloom.events.outbox import publish
from adloom.metrics import accounts, entities, hours, reconcile, runs, staging, store, windows
from adloom.metrics.accounts import Synced
from adloom.metrics.badday import BadDays
from adloom.metrics.entities import Listing
from adloom.metrics.fetch import Begun, Broke, Fetcher, HourLines, Item, Lines, Whole
from adloom.metrics.sizes import Sizer
from adloom.metrics.sync import Sync
from adloom.platforms import conversions
from adloom.platforms.model import Days, Level, Reader

log = logs.get(__name__)


class _AbandonedError(Exception):
    """The open window is not to be stored; `next_item` is what comes after it."""

    def __init__(self, next_item: Item | None) -> None:
        super().__init__()
        self.next_item = next_item


@dataclass
class Pipeline:
    """One slice's windows. `may_begin` is asked before a window is fetched, with its days."""

    sync: Sync
    synced: Synced
    reader: Reader
    may_begin: Callable[[Days], bool]
    _hours: hours.Wanted | None = field(default=None, init=False)
    # The ids that have a name in the database.
    _known: dict[Level, set[str]] = field(default_factory=dict, init=False)
    _stored: int = field(default=0, init=False)

    def run(self) -> Broke | None:
        """Fetch and store windows until none waits or the time is up; what went wrong, if anything."""
        as_of, ranges = self._waiting()
        if not ranges:
            return None
        with self._transaction() as connection:
            self._known = entities.known_ids(connection, self.synced.account_id)
            expected = _rows_per_day(connection, self.synced.account_id)
            attempts = windows.most_attempts(connection, self.synced.account_id)
            self._hours = hours.wanted(connection, self.synced.account_id, self.synced.today)
        # Before the first window every ad may have a row every day.
        sizer = Sizer(len(self._known["ad"]) if expected is None else expected, attempts)
        bad_days = BadDays(self.sync, self.synced, self.reader, sizer)
        broke = None
        while ranges and broke is None and self.may_begin(ranges[0]):
            with self._fetcher(ranges, sizer) as fetcher:
                broke = self._store(iter(fetcher), as_of)
            if broke is not None:
                broke = bad_days.judge(broke, self._stored)
            # Somebody may have asked for more meanwhile.
            as_of, ranges = self._waiting()
        return broke

    def _fetcher(self, ranges: list[Days], sizer: Sizer) -> Fetcher:
        synced = self.synced
        return Fetcher(
            self.reader,
            synced.account,
            ranges,
            self._known,
            sizer=sizer,
            born=synced.born,
            may_begin=self.may_begin,
            hours=self._hours,
        )

    def _waiting(self) -> tuple[datetime, list[Days]]:
        """The database's real time, and the ranges that wait, newest first. What is out of reach is forgotten."""
        account_id, ranges = self.synced.account_id, []
        with self._transaction() as connection:
            as_of = connection.execute(text("select clock_timestamp()")).scalar_one()
            for pending in windows.pending(connection, account_id):
                within = windows.clamped(pending.days, self.synced.today, self.sync.cadence)
                if within != pending.days:
                    windows.shrink(connection, account_id, pending.window_id, within)
                if within is not None:
                    self.reader.resume(pending.progress)
                    ranges.append(within)
            # What is counted as a conversion may be another thing by now: another slice goes on then.
            return as_of, ranges if accounts.still_counts_by(connection, self.synced) else []

    def _store(self, items: Iterator[Item], as_of: datetime) -> Broke | None:
        item = next(items, None)
        while item is not None:
            if isinstance(item, Broke):
                return item
            if not isinstance(item, Begun):
                raise TypeError(f"a window begins with Begun, not {type(item).__name__}")
            item = self._window(item, items, as_of)
        return None

    def _window(self, begun: Begun, items: Iterator[Item], as_of: datetime) -> Item | None:
        """Store one window, or roll it back when it does not come whole; what comes after it."""
        try:
            with self._transaction() as connection:
                self._fill(connection, items, as_of)
        except _AbandonedError as abandoned:
            return abandoned.next_item
        except PlatformError as error:
            return Broke(error, begun.days, begun.started_at, begun.business_at)
        self._stored += 1
        return next(items, None)

    def _fill(self, connection: Connection, items: Iterator[Item], as_of: datetime) -> None:
        staging.prepare(connection)
        hours.prepare(connection)
        for item in items:
            if isinstance(item, Lines):
                staging.copy(connection, item.text)
            elif isinstance(item, HourLines):
                hours.copy(connection, item.text)
            elif isinstance(item, Whole):
                if not self._commit(connection, item, as_of):
                    raise _AbandonedError(next(items, None))
                return
            else:
                raise _AbandonedError(item)
        raise _AbandonedError(None)

    def _commit(self, connection: Connection, whole: Whole, as_of: datetime) -> bool:
        """Everything that one window changes. False when nobody waits for it any more: somebody else stored these days
        meanwhile, which can only be when the account's lock was lost. What is only asked for again is stored.
        """
        # What stood at the end of a day is what was stored by then, whenever it was read.
        synced, days, now = self.synced, whole.days, clock.now()
        run_id = self._begin(connection, whole)
        target = store.Target(synced.org_id, synced.account_id, days, run_id, now)
        changes = store.replace(connection, target)
        store.prove(connection, target, whole.delivered)
        by_hour = hours.replace(connection, target, whole.hours, synced.today)
        verdicts = reconcile.judge(whole.delivered, moved=whole.moved, cut=whole.cut)
        reconcile.record(connection, target, verdicts)
        listing = Listing(synced.org_id, synced.account_id, run_id, now)
        entities.add_strangers(connection, listing, whole.strangers, synced.today)
        runs.end(connection, run_id, changes)
        failpoints.reach("sync.transaction")
        if not accounts.still_counts_by(connection, synced):
            # What is left of this fetch counts by the old definition, too.
            raise _AbandonedError(None)
        if not windows.done(connection, synced.org_id, synced.account_id, whole.settled, as_of):
            return False
        for level, entity_id in whole.strangers:
            self._known[level].add(entity_id)
        is_up_to_date = days.until >= synced.today
        accounts.synced(connection, synced.account_id, whole.fetched.business_at if is_up_to_date else None)
        self._tell(connection, whole, run_id, changes.total + by_hour.total)
        log.info(
            "window_stored",
            account_id=synced.account_id,
            since=days.since.isoformat(),
            until=days.until.isoformat(),
            rows=whole.fetched.rows,
            changed=changes.total,
            hours_changed=by_hour.total,
            restated=changes.restated,
            unexplained=sum(verdict.state == "unexplained" for verdict in verdicts),
        )
        return True

    def _begin(self, connection: Connection, whole: Whole) -> int:
        """The run that stores the window, with how it was asked for and what counted as a conversion."""
        definition = self.synced.account.conversion or conversions.of(self.sync.platform).default
        query = {**whole.query, "conversion": definition}
        return runs.begin(
            connection, self.synced, self.reader, kind="metrics", fetched=whole.fetched, query=query, days=whole.days
        )

    def _tell(self, connection: Connection, whole: Whole, run_id: int, changed: int) -> None:
        event = MetricsSynced(
            org_id=self.synced.org_id,
            account_id=self.synced.account_id,
            platform=self.sync.platform,
            run_id=run_id,
            since=whole.days.since,
            until=whole.days.until,
            rows_changed=changed,
        )
        publish(connection, event)

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self.sync.database.tenant(self.synced.org_id, str(self.synced.account_id))


def _rows_per_day(connection: Connection, account_id: int) -> float | None:
    """What the newest runs read per day; None for an account without any."""
    most = connection.execute(
        text(
            "select max(r.rows_read::float / (r.until - r.since + 1)) from ("
            " select rows_read, since, until from sync_runs where account_id = :account_id and kind = 'metrics'"
            " and outcome = 'succeeded' order by run_id desc limit 5) r"
        ),
        {"account_id": account_id},
    ).scalar_one()
    return None if most is None else float(most)
