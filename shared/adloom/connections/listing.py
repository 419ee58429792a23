"""Connections and the accounts behind them, for showing: how each of them is. Inside a tenant transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class ListedConnection:
    """A connection. `accounts` it reaches, `synced` of them are read by it, `troubled` of those cannot be just now.

    Expiry, renewal and `last_synced_at` are on the business clock, the rest is real time; all are aware.
    """

    connection_id: UUID
    platform: str
    name: str
    status: str
    token_kind: str
    scopes: list[str]
    extras: list[str]
    account_choice: str
    chosen_at: datetime | None
    token_expires_at: datetime | None
    refreshed_at: datetime | None
    refresh_error: str | None
    broken_code: str | None
    broken_detail: str | None
    broken_at: datetime | None
    revoked_at: datetime | None
    connected_at: datetime
    accounts: int
    synced: int
    troubled: int
    last_synced_at: datetime | None

    @property
    def waits_for_choice(self) -> bool:
        """Whether a person has yet to say which accounts are to be read."""
        return self.status == "active" and self.account_choice == "chosen" and self.chosen_at is None


@dataclass(frozen=True)
class ReachedAccount:
    """An account that a connection reaches. `is_read_here`: by this connection, not by another that reaches it too."""

    account_id: int
    external_id: str
    name: str
    platform: str
    currency: str
    timezone: str
    status: str
    sync_enabled: bool
    is_read_here: bool
    lost_at: datetime | None
    last_synced_at: datetime | None
    error_code: str | None
    error_detail: str | None


_REACH = """
reach as (
    select coalesce(g.connection_id, a.connection_id) as connection_id, a.account_id, g.lost_at
      from ad_accounts a left join account_grants g using (account_id)
    union
    select a.connection_id, a.account_id, null from ad_accounts a
     where not exists (select from account_grants g
                        where g.account_id = a.account_id and g.connection_id = a.connection_id)
)
"""

_LISTED = f"""
with {_REACH}
select c.connection_id, c.platform, c.name, c.status, c.token_kind, c.scopes, c.extras, c.account_choice, c.chosen_at,
       c.token_expires_at, c.refreshed_at, c.refresh_error, c.broken_code, c.broken_detail, c.broken_at, c.revoked_at,
       c.connected_at, count(a.account_id) filter (where r.lost_at is null) as accounts,
       count(a.account_id) filter (where a.connection_id = c.connection_id and a.sync_enabled) as synced,
       count(a.account_id) filter (where a.connection_id = c.connection_id and a.sync_enabled
                                     and a.error_code is not null) as troubled,
       max(a.last_synced_at) filter (where a.connection_id = c.connection_id) as last_synced_at
  from connections c left join reach r on r.connection_id = c.connection_id
       left join ad_accounts a on a.account_id = r.account_id
 where cast(:only as uuid) is null or c.connection_id = :only
 group by c.connection_id
 order by c.platform, lower(c.name), c.connection_id
"""

_ACCOUNTS = f"""
with {_REACH}
select a.account_id, a.external_id, a.name, a.platform, a.currency, a.timezone, a.status, a.sync_enabled,
       a.connection_id = r.connection_id as is_read_here, r.lost_at, a.last_synced_at, a.error_code, a.error_detail
  from reach r join ad_accounts a on a.account_id = r.account_id
 where r.connection_id = :connection_id
 order by lower(a.name), a.account_id
"""


def connections(connection: Connection) -> list[ListedConnection]:
    """The organisation's connections by platform and name; what is counted are accounts in the viewer's scope."""
    rows = connection.execute(text(_LISTED), {"only": None}).mappings()
    return [ListedConnection(**row) for row in rows]


def one(connection: Connection, connection_id: UUID) -> ListedConnection | None:
    """One of them; None where there is no such thing in the organisation."""
    row = connection.execute(text(_LISTED), {"only": connection_id}).mappings().one_or_none()
    return ListedConnection(**row) if row is not None else None


def reached(connection: Connection, connection_id: UUID) -> list[ReachedAccount]:
    """The accounts behind a connection, by name, those that it has lost too."""
    rows = connection.execute(text(_ACCOUNTS), {"connection_id": connection_id}).mappings()
    return [ReachedAccount(**row) for row in rows]
