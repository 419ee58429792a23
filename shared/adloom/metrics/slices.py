"""One slice of an account's sync: what one call of the function does.

The work list is `sync_windows`; an event is only a wake-up. One call handles as many windows as fit its time:

1. Take the account's lock. While another call has it: wait a little, then note the event and publish it anew, in one
   transaction. So no wake-up is lost, and none comes again for ever.
2. An event that is noted in the inbox, or a continuation that a later one replaced, does nothing.
3. Read entities again if somebody asked for days since they were last read.
4. Fetch windows, newest days first. Each is stored in one transaction with its run, restatements, reconciliation,
   event, and its removal from the work list: that is the checkpoint. A window for which nobody waits any more when it
   is to be stored is rolled back.
5. Last transaction: note the event in the inbox and, where windows remain, publish the continuation.

Killed anywhere before 5, the event is not noted, so its redelivery goes on with the windows that are left; killed
after 5, the redelivery finds the event noted, and the continuation is in the outbox. A window is never half stored
and never stored twice, because its rows and its removal from the list commit together.

A fault of the platform ends the slice: it is recorded with the account, the event is noted, and no continuation is
published. The windows stay on the list and the tick comes back to them when the account is due. Where no more calls are
left for the purpose of a window, the slice ends likewise, but nothing is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.db import Database
from adloom.errors import PlatformError, PlatformProtocolError, PlatformRejected, PlatformTransient, QuotaUsedUp
from adloom.events.catalogue import SyncRequested
from adloom.events.outbox import first_delivery
from adloom.metrics import accounts, failures, listings, windows
from adloom.metrics.accounts import Synced
from adloom.metrics.budgets import Budget
from adloom.metrics.failures import FIRST_WAIT
from adloom.metrics.fetch import Broke
from adloom.metrics.pipeline import Pipeline
from adloom.metrics.purposes import Purposes
from adloom.metrics.schedule import Purpose
from adloom.metrics.sync import Access, Sync
from adloom.platforms.model import Days, Reader
from adloom.platforms.retry import Deadline, NotReadyError, OutOfTimeError

# A call may take 60 s: no window begins after the first, no call to the platform goes on beyond the second.
BEGIN_WINDOWS_FOR_S = 40.0
CALLS_FOR_S = 50.0
# History is read in shorter slices: a call that is busy with it keeps others from the last days of other accounts.
BEGIN_HISTORY_FOR_S = 15.0
WAIT_FOR_LOCK_S = 5.0
# By then a window has been a single day twice.
MOST_SLOW_ATTEMPTS = 4
_LOCK_POLL_S = 0.25

log = logs.get(__name__)


def run(sync: Sync, event: SyncRequested, event_id: UUID, *, seconds: float = BEGIN_WINDOWS_FOR_S) -> None:
    """Do a slice of the account's work. Raises only what a redelivery may mend, such as Unavailable."""
    with _locked(sync.database, event.account_id) as is_ours:
        if not is_ours:
            _hand_on(sync, event, event_id)
            return
        with sync.database.tenant(event.org_id, str(event.account_id)) as connection:
            synced = accounts.load(connection, event.account_id)
            if not _can_work(connection, sync, synced, event, event_id):
                return
        begun, deadline = time.monotonic(), Deadline(seconds + CALLS_FOR_S - BEGIN_WINDOWS_FOR_S)
        budget = Budget(sync.database, sync.platform, deadline, sync.quota, synced.account.external_id)
        reader = sync.open_reader(_access(sync, synced, budget))
        purposes = Purposes.of_slice(synced, sync.cadence, event.reason)
        try:
            budget.begin(*_expected(sync, synced, purposes))
            broke = _work(sync, synced, reader, budget, _Allowed(budget, purposes, begun, seconds))
            _conclude(sync, synced, reader, event_id, broke=broke, budget=budget)
        finally:
            reader.close()
            budget.close()


def _access(sync: Sync, synced: Synced, budget: Budget) -> Access:
    account = synced.account
    return Access(
        sync.decrypt(synced.ciphertext),
        budget.deadline,
        budget.admit,
        login=account.login,
        account=account.external_id,
        heard=budget.heard,
    )


def _expected(sync: Sync, synced: Synced, purposes: Purposes) -> tuple[Purpose, float]:
    """What the newest days that wait are for, and how many calls they take."""
    with sync.database.tenant(synced.org_id, str(synced.account_id)) as connection:
        waiting = windows.pending(connection, synced.account_id)
        purpose = purposes.of(waiting[0].days if waiting else Days(synced.today, synced.today))
        return purpose, accounts.expected_calls(connection, synced.account_id, purpose)


@dataclass(frozen=True)
class _Allowed:
    """Whether the time allows for another window, whose calls are from then on that window's."""

    budget: Budget
    purposes: Purposes
    begun: float
    seconds: float

    def __call__(self, days: Days) -> bool:
        purpose = self.purposes.of(days)
        self.budget.purpose = purpose
        seconds = min(self.seconds, BEGIN_HISTORY_FOR_S) if purpose == "history" else self.seconds
        return time.monotonic() < self.begun + seconds


def _work(
    sync: Sync, synced: Synced, reader: Reader, budget: Budget, may_begin: Callable[[Days], bool]
) -> Broke | None:
    listed = listings.refresh(sync, synced, reader, sparing=budget.is_counted and budget.began_as == "sync")
    if not isinstance(listed, Broke):
        return Pipeline(sync, listed, reader, may_begin).run()
    if not isinstance(listed.error, PlatformProtocolError | PlatformRejected):
        return listed
    # One object that cannot be read keeps no day from being stored; its fault is told all the same.
    return Pipeline(sync, synced, reader, may_begin).run() or listed


@contextmanager
def _locked(database: Database, account_id: int) -> Iterator[bool]:
    """The account's lock, waited for a little; yields False when another call keeps it."""
    until = time.monotonic() + WAIT_FOR_LOCK_S
    while True:
        with database.account_lock(account_id) as held:
            if held or time.monotonic() >= until:
                yield held
                return
        time.sleep(_LOCK_POLL_S)


def _hand_on(sync: Sync, event: SyncRequested, event_id: UUID) -> None:
    """Another call works on this account: let the wake-up come again later."""
    with sync.database.tenant(event.org_id, str(event.account_id)) as connection:
        if first_delivery(connection, sync.function, event_id, event.org_id):
            _continue(connection, sync, event.org_id, event.account_id)


def _can_work(connection: Connection, sync: Sync, synced: Synced, event: SyncRequested, event_id: UUID) -> bool:
    """Whether this wake-up leads to work now; where it does not, it is noted."""
    if _is_noted(connection, sync.function, event_id):
        return False
    is_stale = event.reason == "continuation" and synced.continuation != event_id
    paused_until = connection.execute(
        text("select platform_paused_until(:platform)"), {"platform": sync.platform}
    ).scalar_one()
    if not is_stale and synced.is_enabled and synced.is_connected and not synced.is_blocked and paused_until is None:
        return True
    first_delivery(connection, sync.function, event_id, synced.org_id)
    if not is_stale:
        # The tick takes up what waits as soon as the account may be touched again.
        accounts.due(connection, synced.account_id, clock.now())
    return False


def _is_noted(connection: Connection, function: str, event_id: UUID) -> bool:
    noted = connection.execute(
        text("select exists (select from inbox where function = :function and event_id = :event_id)"),
        {"function": function, "event_id": event_id},
    )
    return bool(noted.scalar_one())


def _conclude(
    sync: Sync, synced: Synced, reader: Reader, event_id: UUID, *, broke: Broke | None, budget: Budget
) -> None:
    """The slice's last transaction."""
    error = broke.error if broke else None
    if error is not None and not isinstance(error, PlatformError | OutOfTimeError | NotReadyError):
        raise error
    with sync.database.tenant(synced.org_id, str(synced.account_id)) as connection:
        if not first_delivery(connection, sync.function, event_id, synced.org_id):
            return
        if broke is None:
            # History that fitted in behind is no part of what a sync takes.
            calls = budget.calls.total() - budget.calls["history"]
            accounts.measured(connection, synced.account_id, budget.began_as, calls)
        if isinstance(error, QuotaUsedUp):
            # History waits for the next sync, and keeps none from coming.
            if budget.purpose != "history":
                accounts.put_off(connection, synced.account_id, clock.now(), error.retry_at)
        elif broke is not None and isinstance(error, PlatformError):
            failures.record(connection, sync, synced, reader=reader, broke=broke, error=error)
        elif broke is not None and isinstance(error, NotReadyError) and broke.days is not None:
            windows.remember(connection, synced.account_id, broke.days, error.state)
            accounts.due(connection, synced.account_id, clock.now() + FIRST_WAIT)
        elif broke is not None and broke.days is not None and _is_hopeless(connection, synced, broke.days):
            slow = PlatformTransient("A single day does not come within the time of one call", code="platform_slow")
            failures.record(connection, sync, synced, reader=reader, broke=broke, error=slow)
            _set_aside(connection, synced, broke.days, slow)
        elif windows.pending(connection, synced.account_id):
            _continue(connection, sync, synced.org_id, synced.account_id)


def _is_hopeless(connection: Connection, synced: Synced, days: Days) -> bool:
    """Count that a window did not fit the time, so that a shorter one comes next; whether there is none."""
    return windows.failed(connection, synced.account_id, days) > MOST_SLOW_ATTEMPTS


def _set_aside(connection: Connection, synced: Synced, days: Days, error: PlatformTransient) -> None:
    """Let the days behind a day that never comes in time go first; where there are none, it stays what it was."""
    if any(known.days != days for known in windows.pending(connection, synced.account_id)):
        windows.set_aside(connection, synced.org_id, synced.account_id, days, now=clock.now(), error=error)


def _continue(connection: Connection, sync: Sync, org_id: UUID, account_id: int) -> None:
    event_id = sync.wake(connection, org_id, account_id, "continuation")
    accounts.continue_with(connection, account_id, event_id)
