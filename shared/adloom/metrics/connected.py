"""Finds the accounts of a new or mended connection, and once a day what has come to be under an old one."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.errors import AccountInaccessible, ConnectionBroken, PlatformError
from adloom.events.catalogue import AccountsConnected
from adloom.events.outbox import first_delivery
from adloom.metrics import accounts, failures, pacing, reach, schedule, windows
from adloom.metrics.budgets import Budget
from adloom.metrics.sync import Access, Sync
from adloom.platforms.model import Account
from adloom.platforms.retry import Deadline

CALLS_FOR_S = 45.0
# An account whose last sync is older was waiting for its connection.
WAITED = timedelta(hours=1)

log = logs.get(__name__)

_CIPHERTEXT = """
select t.ciphertext from connection_tokens t join connections c on c.connection_id = t.connection_id
 where c.connection_id = :connection_id and c.status = 'active'
   and not exists (select from inbox where function = :function and event_id = :event_id)
"""


def welcome(sync: Sync, event: AccountsConnected, event_id: UUID) -> int:
    """Store the accounts of a connection and ask for the days of those that wait for it; how many there are.

    New accounts are read as far back as the platform tells, others as far as their numbers may have moved. The
    platform is asked first; then one transaction with the note in the inbox. So a redelivery starts anew or does
    nothing. Faults of the platform that pass are raised, for the redelivery to mend.
    """
    with sync.database.tenant(event.org_id) as connection:
        ciphertext = connection.execute(
            text(_CIPHERTEXT), {"connection_id": event.connection_id, "function": sync.function, "event_id": event_id}
        ).scalar_one_or_none()
    if ciphertext is None:
        # Taken back since, or this event has had its effect.
        return 0
    deadline = Deadline(CALLS_FOR_S)
    budget = Budget(sync.database, sync.platform, deadline, sync.quota, purpose="person")
    reader = sync.open_reader(Access(sync.decrypt(bytes(ciphertext)), deadline, budget.admit, heard=budget.heard))
    try:
        found = reader.accounts()
    except (ConnectionBroken, AccountInaccessible) as error:
        # Also when the person left out the permission to read ads: only connecting again helps.
        _broken(sync, event, event_id, bytes(ciphertext), error)
        return 0
    finally:
        reader.close()
        budget.close()
    with sync.database.tenant(event.org_id) as connection:
        if not first_delivery(connection, sync.function, event_id, event.org_id):
            return 0
        connection.execute(
            text("update connections set discovered_at = :now where connection_id = :connection_id"),
            {"now": clock.now(), "connection_id": event.connection_id},
        )
        for account in found:
            _ask(connection, sync, event, account)
        reach.lost(connection, event.org_id, event.connection_id, [account.external_id for account in found])
    log.info("accounts_found", connection_id=str(event.connection_id), accounts=len(found))
    return len(found)


def _ask(connection: Connection, sync: Sync, event: AccountsConnected, account: Account) -> None:
    account_id = accounts.save(
        connection, org_id=event.org_id, connection_id=event.connection_id, platform=sync.platform, account=account
    )
    synced = accounts.load(connection, account_id)
    reach.found(connection, event.org_id, event.connection_id, account_id, account.login)
    if not synced.is_enabled or synced.connection_id != event.connection_id:
        # Nobody has chosen it, or another log-in reads it.
        return
    today, last = synced.today, synced.last_synced_at
    every = pacing.every(connection, sync.platform)
    if last is not None and clock.now() - last < max(WAITED, 2 * every):
        return
    if last is None and not windows.pending(connection, account_id):
        days = windows.history(today, sync.cadence)
    else:
        days = windows.restatement(today, synced.last_synced_on, sync.cadence, synced.account.lookback_days)
    accounts.due(connection, account_id, schedule.next_due(account_id, clock.now(), every))
    accounts.restated(connection, account_id, today)
    windows.plan(connection, event.org_id, account_id, windows.clamped(days, today, sync.cadence) or days)
    sync.wake(connection, event.org_id, account_id, "connected")


def _broken(sync: Sync, event: AccountsConnected, event_id: UUID, ciphertext: bytes, error: PlatformError) -> None:
    if isinstance(error, AccountInaccessible):
        # Not of one account: the grant lets us see none.
        error = ConnectionBroken(error.detail, platform_code=error.platform_code, code="scopes_missing")
    with sync.database.tenant(event.org_id) as connection:
        is_first = first_delivery(connection, sync.function, event_id, event.org_id)
        # A log-in since then has an event of its own.
        if is_first and failures.has_still(connection, event.connection_id, ciphertext):
            failures.break_connection(connection, sync.platform, event.org_id, event.connection_id, error)
