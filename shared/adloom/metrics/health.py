"""How fresh and how true the stored numbers are, and what needs a person. Inside a tenant transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import clock
from adloom.errors import Actor
from adloom.metrics import settling
from adloom.metrics.schedule import USUAL
from adloom.platforms.advice import advice, code_in

# So many times the cadence that its platform has now: one slow or failed run is no reason to worry a person.
STALE_AFTER = 4

TrustState = Literal["ok", "unexplained", "stale", "empty"]
NeedKind = Literal["connection_broken", "sync_error", "stale_sync", "unexplained"]


@dataclass(frozen=True)
class Account:
    """An ad account. `today` is its local day; `last_synced_at` is business time, aware; `every` is its cadence."""

    account_id: int
    external_id: str
    name: str
    platform: str
    currency: str
    timezone: str
    status: str
    sync_enabled: bool
    last_synced_at: datetime | None
    error_code: str | None
    error_detail: str | None
    connection_id: UUID
    connection_status: str
    pending_windows: int
    broken_reason: str | None = None
    broken_code: str | None = None
    lookback_days: int | None = None
    every: timedelta = USUAL

    @property
    def today(self) -> date:
        return clock.today(self.timezone)

    @property
    def is_stale(self) -> bool:
        return self.last_synced_at is None or clock.now() - self.last_synced_at > STALE_AFTER * self.every

    @property
    def provisional_since(self) -> date:
        """From this local day on the platform may still change its numbers."""
        return settling.of(self.platform, self.lookback_days).moving_since(self.today)


@dataclass(frozen=True)
class Trust:
    """The trust line. `data_as_of` is the time of the account that is furthest behind, business clock.

    `checked`, `explained` and `unexplained` count account-days whose totals were compared with the platform's.
    """

    state: TrustState
    data_as_of: datetime | None
    checked: int
    explained: int
    unexplained: int
    pending_windows: int

    @property
    def syncing(self) -> bool:
        return self.pending_windows > 0


@dataclass(frozen=True)
class Need:
    """One thing that a person can do. `count` is the number of days concerned, where days are.

    `reason` is our code of what ended a connection, `code` the platform's; of a sync `code` is ours.
    """

    kind: NeedKind
    platform: str
    name: str
    account_id: int | None = None
    connection_id: UUID | None = None
    code: str | None = None
    detail: str | None = None
    since: datetime | None = None
    count: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class LedgerDay:
    """One account and day: the platform's total, and how each level compares. Money in the account's currency."""

    account_id: int
    day: date
    level: str
    state: str
    explanation: str | None
    spend: Decimal
    impressions: Decimal
    clicks: Decimal
    conversions: Decimal
    conversion_value: Decimal
    row_count: int
    checked_at: datetime
    run_id: int


@dataclass(frozen=True)
class DifferingDay:
    """A day of an account that differs for no known reason: at which levels, the platform's total of its spend, and
    the sum of the widest of these levels. Money in the account's currency; without a total of the platform `total` is
    None.
    """

    account_id: int
    day: date
    levels: list[str]
    explanation: str | None
    total: Decimal | None
    stored: Decimal


_ACCOUNTS = f"""
select a.account_id, a.external_id, a.name, a.platform, a.currency, a.timezone, a.status, a.sync_enabled,
       a.last_synced_at, a.error_code, a.error_detail, a.connection_id, c.status as connection_status,
       (select count(*) from sync_windows w where w.account_id = a.account_id and w.aside_at is null)
           as pending_windows,
       c.broken_reason, c.broken_code, a.lookback_days,
       coalesce(p.every, interval '{USUAL.total_seconds():.0f} s') as every
  from ad_accounts a join connections c on c.connection_id = a.connection_id
  left join sync_paces() p on p.platform = a.platform
 order by a.platform, lower(a.name), a.account_id
"""

# A day counts once, with the worst of its levels.
_DAYS = """
select count(*) as checked,
       count(*) filter (where worst = 2) as unexplained,
       count(*) filter (where worst = 1) as explained
  from (select account_id, day,
               max(case state when 'unexplained' then 2 when 'explained' then 1 else 0 end) as worst
          from reconciliations
         where :everything or account_id = any (:accounts)
         group by account_id, day) d
"""

_DIFFERING = """
select r.account_id, r.day, array_agg(r.level order by r.level) as levels, max(r.explanation) as explanation,
       max(t.spend) as total,
       (array_agg(r.spend order by array_position(array['account', 'campaign', 'ad_group', 'ad'], r.level)))[1]
       as stored
  from reconciliations r
  left join reconciliations t on t.account_id = r.account_id and t.day = r.day and t.level = 'account'
 where r.state = 'unexplained'
 group by r.account_id, r.day order by r.day desc, r.account_id limit :most
"""

_UNEXPLAINED = """
select a.account_id, a.platform, a.name, count(distinct r.day) as days
  from reconciliations r join ad_accounts a on a.account_id = r.account_id
 where r.state = 'unexplained'
 group by a.account_id order by days desc, a.account_id
"""

_BROKEN = """
select connection_id, platform, name, broken_code, broken_reason, broken_at from connections
 where status = 'broken' order by broken_at
"""

_LEDGER = """
select account_id, day, level, state, explanation, spend, impressions, clicks, conversions, conversion_value,
       row_count, checked_at, run_id
  from reconciliations
 where account_id = :account_id and day between :since and :until
 order by day desc, level
"""


def accounts(connection: Connection) -> list[Account]:
    """The ad accounts in scope, by platform and name."""
    return [Account(**row) for row in connection.execute(text(_ACCOUNTS)).mappings()]


def trust(connection: Connection, account_ids: tuple[int, ...] = ()) -> Trust:
    """The trust line for these accounts; for all in scope when none is named."""
    chosen = [item for item in accounts(connection) if not account_ids or item.account_id in account_ids]
    days = _one(connection, _DAYS, everything=not account_ids, accounts=list(account_ids))
    enabled = [item for item in chosen if item.sync_enabled]
    synced = [item.last_synced_at for item in enabled if item.last_synced_at is not None]
    return Trust(
        state=_state(enabled, synced, int(days["unexplained"])),
        data_as_of=min(synced, default=None),
        checked=int(days["checked"]),
        explained=int(days["explained"]),
        unexplained=int(days["unexplained"]),
        pending_windows=sum(item.pending_windows for item in chosen),
    )


def _state(enabled: list[Account], synced: list[datetime], unexplained: int) -> TrustState:
    if not synced:
        return "empty"
    if unexplained:
        return "unexplained"
    return "stale" if any(item.is_stale for item in enabled) else "ok"


def needs_you(connection: Connection) -> list[Need]:
    """What a person can act on, the most urgent first. A broken connection hides what follows from it."""
    needs = [
        Need(
            "connection_broken",
            row["platform"],
            row["name"],
            connection_id=row["connection_id"],
            code=row["broken_code"],
            since=row["broken_at"],
            reason=row["broken_reason"],
        )
        for row in connection.execute(text(_BROKEN)).mappings()
    ]
    needs += [
        Need("unexplained", row["platform"], row["name"], account_id=row["account_id"], count=int(row["days"]))
        for row in connection.execute(text(_UNEXPLAINED)).mappings()
    ]
    for item in accounts(connection):
        if not item.sync_enabled or item.connection_status != "active":
            continue
        if item.error_code is not None and not _passes(item):
            needs.append(
                Need(
                    "sync_error",
                    item.platform,
                    item.name,
                    account_id=item.account_id,
                    code=item.error_code,
                    detail=item.error_detail,
                    since=item.last_synced_at,
                )
            )
        elif item.is_stale and not item.pending_windows:
            needs.append(
                Need("stale_sync", item.platform, item.name, account_id=item.account_id, since=item.last_synced_at)
            )
    return needs


def _passes(item: Account) -> bool:
    """Whether the account's error goes away by itself: then nobody has to do anything unless it stays."""
    said = advice(item.platform, item.error_code or "", code_in(item.error_detail))
    return said.acts is Actor.NOBODY


def ledger(connection: Connection, account_id: int, since: date, until: date) -> list[LedgerDay]:
    """The reconciliation of an account, newest day first, one entry per level."""
    values = {"account_id": account_id, "since": since, "until": until}
    return [LedgerDay(**row) for row in connection.execute(text(_LEDGER), values).mappings()]


def differing(connection: Connection, most: int = 100) -> list[DifferingDay]:
    """Days that nothing explains, of any account in scope, the newest first."""
    return [DifferingDay(**row) for row in connection.execute(text(_DIFFERING), {"most": most}).mappings()]


def _one(connection: Connection, statement: str, **values: Any) -> Any:
    return connection.execute(text(statement), values).mappings().one()
