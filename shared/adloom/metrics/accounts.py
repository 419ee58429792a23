"""Ad accounts as the sync sees them: what it needs of one, and finding those of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from adloom import clock
from adloom.db.texts import storable
from adloom.errors import NotFound
from adloom.metrics import schedule
from adloom.metrics.schedule import Purpose
from adloom.platforms.model import Account


@dataclass(frozen=True)
class Synced:
    """An account with what decides whether it can be synced now. Never logged: `ciphertext` is the platform token."""

    org_id: UUID
    account_id: int
    connection_id: UUID
    account: Account
    is_enabled: bool
    is_connected: bool
    blocked_until: datetime | None
    last_synced_at: datetime | None
    restated_on: date | None
    continuation: UUID | None
    ciphertext: bytes = field(repr=False)

    @property
    def today(self) -> date:
        """The account's local day on the business clock."""
        return clock.today(self.account.timezone)

    @property
    def last_synced_on(self) -> date | None:
        """The local day of the last sync that reached its today."""
        if self.last_synced_at is None:
            return None
        return self.last_synced_at.astimezone(ZoneInfo(self.account.timezone)).date()

    @property
    def is_blocked(self) -> bool:
        """Whether the platform, or a fault, keeps us away at this real moment."""
        return self.blocked_until is not None and self.blocked_until > clock.real_now()

    @property
    def born(self) -> date | None:
        at = self.account.created_at
        return at.astimezone(ZoneInfo(self.account.timezone)).date() if at else None


_LOAD = """
select a.org_id, a.account_id, a.connection_id, a.external_id, a.name, a.currency, a.timezone, a.status,
       a.sync_enabled, a.blocked_until, a.last_synced_at, a.restated_on, a.continuation, a.login_id,
       a.lookback_days, a.conversion, c.status = 'active' as is_connected, t.ciphertext, e.created_at
  from ad_accounts a
  join connections c on c.connection_id = a.connection_id
  left join connection_tokens t on t.connection_id = a.connection_id
  left join entities e on e.account_id = a.account_id and e.level = 'account' and e.external_id = a.external_id
 where a.account_id = :account_id
"""


def load(connection: Connection, account_id: int) -> Synced:
    """One account; NotFound when it is not there or not the organisation's."""
    row = connection.execute(text(_LOAD), {"account_id": account_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such ad account.", code="account_unknown")
    return Synced(
        org_id=row.org_id,
        account_id=row.account_id,
        connection_id=row.connection_id,
        account=Account(
            external_id=row.external_id,
            name=row.name,
            currency=row.currency,
            timezone=row.timezone,
            status=row.status,
            created_at=row.created_at,
            login=row.login_id,
            lookback_days=row.lookback_days,
            conversion=row.conversion,
        ),
        is_enabled=row.sync_enabled,
        is_connected=row.is_connected and row.ciphertext is not None,
        blocked_until=row.blocked_until,
        last_synced_at=row.last_synced_at,
        restated_on=row.restated_on,
        continuation=row.continuation,
        ciphertext=bytes(row.ciphertext or b""),
    )


# Another log-in than the one that has found it reads it, and can.
_READS = """a.connection_id <> excluded.connection_id
        and exists (select from connections o where o.connection_id = a.connection_id and o.status = 'active')
        and not exists (select from account_grants g where g.account_id = a.account_id
                           and g.connection_id = a.connection_id and g.lost_at is not null)"""
# Currency and zone of an account that is there already change with its next listing, which keeps what they were.
_SAVE = f"""
insert into ad_accounts as a
    (org_id, connection_id, platform, external_id, name, currency, timezone, status, login_id, lookback_days,
     sync_enabled)
select :org_id, c.connection_id, :platform, :external_id, :name, :currency, :timezone, :status, :login, :lookback,
       c.account_choice = 'all'
  from connections c where c.connection_id = :connection_id
on conflict (org_id, platform, external_id) do update set
    connection_id = case when {_READS} then a.connection_id else excluded.connection_id end,
    name = excluded.name, status = excluded.status,
    login_id = case when {_READS} then a.login_id else coalesce(excluded.login_id, a.login_id) end,
    lookback_days = coalesce(excluded.lookback_days, a.lookback_days)
returning a.account_id
"""


def save(connection: Connection, *, org_id: UUID, connection_id: UUID, platform: str, account: Account) -> int:
    """Store an account that a connection reaches; its id.

    A new one is synced unless a person chooses accounts. One that another connection reads stays with that one.
    """
    saved = connection.execute(
        text(_SAVE),
        {
            "org_id": org_id,
            "connection_id": connection_id,
            "platform": platform,
            "external_id": account.external_id,
            "name": storable(account.name) or account.external_id,
            "currency": account.currency,
            "timezone": account.timezone,
            "status": account.status,
            "login": account.login,
            "lookback": account.lookback_days,
        },
    )
    return int(saved.scalar_one())


def refresh(connection: Connection, account_id: int, account: Account) -> None:
    """Note what the platform says of an account, if that is new."""
    connection.execute(
        text(
            "update ad_accounts set name = :name, currency = :currency, timezone = :timezone, status = :status,"
            " login_id = coalesce(:login, login_id), lookback_days = coalesce(:lookback, lookback_days)"
            " where account_id = :account_id and (name, currency, timezone, status, login_id, lookback_days)"
            " is distinct from (:name, :currency, :timezone, :status, coalesce(:login, login_id),"
            " coalesce(:lookback, lookback_days))"
        ),
        {
            "account_id": account_id,
            "name": storable(account.name) or account.external_id,
            "currency": account.currency,
            "timezone": account.timezone,
            "status": account.status,
            "login": account.login,
            "lookback": account.lookback_days,
        },
    )


def synced(connection: Connection, account_id: int, at: datetime | None) -> None:
    """Note that a window was stored; `at` is the business time when it reached the account's today."""
    connection.execute(
        text(
            "update ad_accounts set last_synced_at = coalesce(:at, last_synced_at), error_code = null,"
            " error_detail = null, error_at = null where account_id = :account_id"
        ),
        {"account_id": account_id, "at": at},
    )


def still_counts_by(connection: Connection, synced: Synced) -> bool:
    """Whether the account counts as conversions what it did when it was loaded.

    The answer holds until the transaction ends.
    """
    conversion = connection.execute(
        text("select conversion from ad_accounts where account_id = :account_id for update"),
        {"account_id": synced.account_id},
    ).scalar_one()
    return bool(conversion == synced.account.conversion)


def due(connection: Connection, account_id: int, at: datetime) -> None:
    """Let the tick come back to the account at a business time."""
    connection.execute(
        text("update ad_accounts set next_due_at = :at where account_id = :account_id"),
        {"account_id": account_id, "at": at},
    )


_MEASURED: dict[Purpose, str] = {"sync": "sync_calls", "night": "night_calls"}


def put_off(connection: Connection, account_id: int, now: datetime, until: datetime) -> None:
    """Leave an account alone until a real time, and let the first tick after it come back; `now` is business time."""
    connection.execute(
        text("update ad_accounts set next_due_at = :now, blocked_until = :until where account_id = :account_id"),
        {"account_id": account_id, "now": now, "until": until},
    )


def expected_calls(connection: Connection, account_id: int, purpose: Purpose) -> float:
    """How many calls a slice for this purpose takes."""
    column = _MEASURED.get(purpose)
    if column is None:
        return schedule.FIRST_SYNC_CALLS
    known = connection.execute(
        text(f"select {column} from ad_accounts where account_id = :account_id"), {"account_id": account_id}
    ).scalar_one()
    if known is not None:
        return float(known)
    return schedule.FIRST_SYNC_CALLS if purpose == "sync" else schedule.FIRST_NIGHT_CALLS


def measured(connection: Connection, account_id: int, purpose: Purpose, calls: int) -> None:
    """Note how many calls a whole sync took; what was measured before counts, too."""
    column = _MEASURED.get(purpose)
    if column is None or not calls:
        return
    known = connection.execute(
        text(f"select {column} from ad_accounts where account_id = :account_id"), {"account_id": account_id}
    ).scalar_one()
    connection.execute(
        text(f"update ad_accounts set {column} = :calls where account_id = :account_id"),
        {"account_id": account_id, "calls": schedule.measured(known, calls)},
    )


def continue_with(connection: Connection, account_id: int, event_id: UUID) -> None:
    """Name the event that goes on with the account's work."""
    connection.execute(
        text("update ad_accounts set continuation = :event_id where account_id = :account_id"),
        {"account_id": account_id, "event_id": event_id},
    )


def restated(connection: Connection, account_id: int, on: date) -> None:
    """Note the local day on which the restatement window was asked for."""
    connection.execute(
        text("update ad_accounts set restated_on = :on where account_id = :account_id"),
        {"account_id": account_id, "on": on},
    )
