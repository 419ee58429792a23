"""What happens when a platform says no: who must act, when it is tried again, and who is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit, clock, logs
from adloom.errors import (
    AccountInaccessible,
    ConnectionBroken,
    PlatformError,
    PlatformProtocolError,
    PlatformThrottled,
    PlatformTransient,
)
from adloom.events import catalogue
from adloom.events.catalogue import Platform
from adloom.events.outbox import publish
from adloom.metrics import runs, windows
from adloom.metrics.accounts import Synced
from adloom.metrics.fetch import Broke
from adloom.metrics.sync import Sync
from adloom.platforms.model import Reader

# A passing fault is tried again after a minute, then after twice as long, as far as the usual cadence.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
# What only a person can mend is looked at now and then, in case it was.
PERSON_WAIT = timedelta(hours=1)
_MOST_DOUBLINGS = 10
# How often a connection is asked for accounts that came to be since; and sooner, when one of them seems to be gone.
DISCOVER_EVERY = timedelta(days=1)
LOOK_AGAIN_AFTER = timedelta(hours=1)

log = logs.get(__name__)


def record(
    connection: Connection, sync: Sync, synced: Synced, *, reader: Reader, broke: Broke, error: PlatformError
) -> None:
    """Note the fault with the account, and tell of it, in the caller's transaction. Its windows stay on the list."""
    if isinstance(error, ConnectionBroken) and not has_still(connection, synced.connection_id, synced.ciphertext):
        error = PlatformTransient("The access was renewed while the account was read; it is read again.")
    attempts = windows.failed(connection, synced.account_id, broke.days) if broke.days else _of_a_listing(error)
    runs.failed(
        connection,
        synced,
        reader,
        kind="metrics" if broke.days else "entities",
        started_at=broke.started_at,
        business_at=broke.business_at,
        error=error,
        days=broke.days,
    )
    _note(connection, synced.account_id, error, attempts)
    if isinstance(error, PlatformThrottled) and error.scope == "app":
        connection.execute(
            text("select pause_platform(:platform, :until)"), {"platform": sync.platform, "until": error.retry_at}
        )
    if isinstance(error, ConnectionBroken):
        break_connection(connection, sync.platform, synced.org_id, synced.connection_id, error)
    if isinstance(error, AccountInaccessible):
        _look_again(connection, synced.connection_id)
    _tell(connection, sync, synced, error, attempts)


def _note(connection: Connection, account_id: int, error: PlatformError, attempts: int) -> None:
    """Say with the account what is wrong, and when it is tried again."""
    next_due_at, blocked_until = _when(error, attempts)
    connection.execute(
        text(
            "update ad_accounts set error_code = :code, error_detail = :detail, error_at = :now,"
            " next_due_at = :next_due_at, blocked_until = :blocked_until where account_id = :account_id"
        ),
        {
            "account_id": account_id,
            "code": error.code,
            "detail": error.detail[:1000],
            "now": clock.now(),
            "next_due_at": next_due_at,
            "blocked_until": blocked_until,
        },
    )


def _tell(connection: Connection, sync: Sync, synced: Synced, error: PlatformError, attempts: int) -> None:
    failed = catalogue.SyncFailed(
        org_id=synced.org_id,
        account_id=synced.account_id,
        platform=sync.platform,
        code=error.code,
        retryable=error.retryable,
    )
    publish(connection, failed)
    log.warning(
        "sync_failed",
        account_id=synced.account_id,
        code=error.code,
        platform_code=error.platform_code,
        detail=error.detail,
        acts=error.acts.value,
        attempts=attempts,
    )


def has_still(connection: Connection, connection_id: UUID, ciphertext: bytes) -> bool:
    """Whether a connection has the token that was used, and keeps it until the transaction ends.

    What the platform says of an older one says nothing of a person's new log-in.
    """
    of_it = {"id": connection_id}
    # Two statements: the second sees what whoever held the lock has written.
    connection.execute(text("select from connections where connection_id = :id for update"), of_it)
    query = text("select ciphertext from connection_tokens where connection_id = :id")
    return bytes(connection.execute(query, of_it).scalar_one_or_none() or b"") == ciphertext


def break_connection(
    connection: Connection, platform: Platform, org_id: UUID, connection_id: UUID, error: PlatformError
) -> None:
    """Mark a connection as broken and tell of it, once, however many accounts it has.

    Accounts that another connection reaches go on by that one.
    """
    code = error.platform_code
    broken = connection.execute(
        text(
            "update connections set status = 'broken', broken_code = :code, broken_reason = :reason,"
            " broken_detail = :detail, broken_at = now(), updated_at = now()"
            " where connection_id = :connection_id and status = 'active'"
        ),
        {"connection_id": connection_id, "code": code, "reason": error.code, "detail": error.detail[:1000]},
    )
    if broken.rowcount:
        connection.execute(text("select hand_over_accounts(:id)"), {"id": connection_id})
        event = catalogue.ConnectionBroken(
            org_id=org_id, account_id=None, connection_id=connection_id, platform=platform, code=code
        )
        publish(connection, event)
        target, new = ("connection", connection_id), {"status": "broken", "platform_code": code}
        old = {"status": "active"}
        audit.record(connection, "connection.broken", org_id=org_id, target=target, old=old, new=new)


def _look_again(connection: Connection, connection_id: UUID) -> None:
    """Let the next tick find out which accounts the connection still reaches, unless it did within the hour."""
    now = clock.now()
    connection.execute(
        text(
            "update connections set discovered_at = :long_ago where connection_id = :connection_id"
            " and discovered_at between :long_ago and :now"
        ),
        {"connection_id": connection_id, "long_ago": now - DISCOVER_EVERY, "now": now - LOOK_AGAIN_AFTER},
    )


def _of_a_listing(error: PlatformError) -> int:
    """Objects that cannot be read are looked at as often as usual; what passes by itself, soon again."""
    return _MOST_DOUBLINGS if isinstance(error, PlatformProtocolError) else 1


def _when(error: PlatformError, attempts: int) -> tuple[datetime, datetime | None]:
    """When the account is due again (business clock), and until when it must be left alone (real time)."""
    if isinstance(error, PlatformThrottled):
        return clock.now(), error.retry_at if error.scope == "account" else None
    if not error.retryable:
        return clock.now() + PERSON_WAIT, None
    wait = FIRST_WAIT * 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    return clock.now() + min(wait, LONGEST_WAIT), None
