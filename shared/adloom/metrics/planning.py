"""Who asks for days: the tick and people. (A new connection: connected.py.)"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit, clock, logs
from adloom.errors import NotFound, ValidationFailed
from adloom.events.catalogue import AccountsConnected
from adloom.events.outbox import publish
from adloom.metrics import accounts, pacing, schedule, windows
from adloom.metrics.accounts import Synced
from adloom.metrics.failures import DISCOVER_EVERY
from adloom.metrics.sync import Sync
from adloom.platforms.model import Days

log = logs.get(__name__)

# One tick claims no more, so that it ends in time; the next one goes on.
MOST_PER_TICK = 500


@dataclass(frozen=True)
class Planned:
    """An account that will be synced. `windows` is the number of ranges that wait for it."""

    account_id: int
    external_id: str
    since: date
    until: date
    windows: int


def tick(sync: Sync) -> int:
    """Ask for the days of every account that is due; how many there were.

    Claiming an account and asking for its days are one transaction: neither happens without the other.
    """
    with sync.database.system() as connection:
        paused = connection.execute(text("select platform_paused_until(:platform)"), {"platform": sync.platform})
        if paused.scalar_one() is not None:
            return 0
        every = pacing.settle(connection, sync)
    while _claim_connection(sync):
        pass
    claimed = 0
    while claimed < MOST_PER_TICK and _claim_account(sync, every):
        claimed += 1
    return claimed


def _claim_connection(sync: Sync) -> bool:
    with sync.database.system() as connection:
        claimed = _claim(connection, "claim_due_connections", sync, DISCOVER_EVERY)
        if claimed is None:
            return False
        _act_for(connection, claimed.org_id, "*")
        event = AccountsConnected(
            org_id=claimed.org_id, account_id=None, connection_id=claimed.connection_id, platform=sync.platform
        )
        publish(connection, event)
        return True


def _claim_account(sync: Sync, every: timedelta) -> bool:
    with sync.database.system() as connection:
        claimed = _claim(connection, "claim_due_accounts", sync, every)
        if claimed is None:
            return False
        _act_for(connection, claimed.org_id, str(claimed.account_id))
        accounts.due(connection, claimed.account_id, schedule.next_due(claimed.account_id, clock.now(), every))
        try:
            with connection.begin_nested():
                synced = accounts.load(connection, claimed.account_id)
                windows.plan(connection, synced.org_id, synced.account_id, _due_days(connection, sync, synced))
                sync.wake(connection, synced.org_id, synced.account_id, "tick")
        except (LookupError, ValueError):
            # It stays claimed until it is due again: it must not keep everybody behind it waiting.
            log.exception("account_not_planned", account_id=claimed.account_id)
        return True


def _claim(connection: Connection, function: str, sync: Sync, every: timedelta) -> Any:
    return connection.execute(
        text(f"select * from {function}(:platform, :now, :every, 1)"),
        {"platform": sync.platform, "now": clock.now(), "every": every},
    ).one_or_none()


def _act_for(connection: Connection, org_id: UUID, account_scope: str) -> None:
    """From here on the transaction is that of one organisation."""
    connection.execute(
        text("select set_config('app.org_id', :org, true), set_config('app.account_scope', :scope, true)"),
        {"org": str(org_id), "scope": account_scope},
    )


def _due_days(connection: Connection, sync: Sync, synced: Synced) -> Days:
    """The last days; once per local day all that may have moved."""
    today = synced.today
    if synced.restated_on == today:
        return windows.recent(today, sync.cadence)
    accounts.restated(connection, synced.account_id, today)
    windows.take_back(connection, synced.account_id)
    moving = windows.restatement(today, synced.last_synced_on, sync.cadence, synced.account.lookback_days)
    return windows.clamped(moving, today, sync.cadence) or windows.recent(today, sync.cadence)


def request(
    sync: Sync,
    *,
    org_id: UUID,
    account_scope: str,
    wanted: Collection[str] = (),
    since: date | None = None,
    until: date | None = None,
) -> list[Planned]:
    """Ask for days of accounts, named by the platform's id or ours; all of the organisation's without names.

    Without `since` everything that may have moved, without `until` up to the account's today. NotFound for a name that
    nobody has, ValidationFailed for days that the platform cannot tell of.
    """
    with sync.database.tenant(org_id, account_scope) as connection:
        chosen = _chosen(connection, sync, wanted)
        asked = [(accounts.load(connection, account_id), since, until) for account_id in chosen]
        if not wanted:
            # The range may lie before the birth of one account, or begin where its day has not: the others go on.
            asked = [one for one in asked if _days(sync, *one)] or asked
        planned = [_ask(connection, sync, *one) for one in asked]
        said = {"accounts": [each.account_id for each in planned], "since": since, "until": until}
        audit.record(connection, "sync.asked", org_id=org_id, target=("platform", sync.platform), new=said)
    return planned


def _chosen(connection: Connection, sync: Sync, wanted: Collection[str]) -> list[int]:
    rows = connection.execute(
        text(
            "select account_id, external_id from ad_accounts where platform = :platform and sync_enabled"
            " order by account_id"
        ),
        {"platform": sync.platform},
    ).all()
    if not wanted:
        return [row.account_id for row in rows]
    by_name = {str(row.account_id): row.account_id for row in rows} | {row.external_id: row.account_id for row in rows}
    if unknown := sorted(set(wanted) - set(by_name)):
        raise NotFound(f"There is no such ad account here: {', '.join(unknown)}", code="account_unknown")
    return list(dict.fromkeys(by_name[name] for name in wanted))


def _range(sync: Sync, synced: Synced, since: date | None, until: date | None) -> tuple[date, date]:
    first = (
        since
        or windows.restatement(synced.today, synced.last_synced_on, sync.cadence, synced.account.lookback_days).since
    )
    return first, until or synced.today


def _days(sync: Sync, synced: Synced, since: date | None, until: date | None) -> Days | None:
    """The days of the range that the account has; None where it has none."""
    first, last = _range(sync, synced, since, until)
    return windows.clamped(Days(first, last), synced.today, sync.cadence) if first <= last else None


def _ask(connection: Connection, sync: Sync, synced: Synced, since: date | None, until: date | None) -> Planned:
    days = _days(sync, synced, since, until)
    if days is None:
        first, last = _range(sync, synced, since, until)
        raise ValidationFailed(
            f"Account {synced.account.external_id} has no days between {first} and {last}",
            fields=[{"field": "body.since", "problem": "no day of this account is in the range"}],
        )
    waiting = windows.plan(connection, synced.org_id, synced.account_id, days)
    sync.wake(connection, synced.org_id, synced.account_id, "operator")
    return Planned(synced.account_id, synced.account.external_id, days.since, days.until, waiting)
