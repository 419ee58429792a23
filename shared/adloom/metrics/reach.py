"""Which log-in reaches which account. Several people may see the same account: it is read by the log-in of one."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import clock, logs

log = logs.get(__name__)

_FOUND = """
insert into account_grants as g (connection_id, account_id, org_id, login_id, seen_at)
values (:connection_id, :account_id, :org_id, :login, :now)
on conflict (connection_id, account_id) do update set login_id = coalesce(excluded.login_id, g.login_id),
    seen_at = excluded.seen_at, lost_at = null
"""
# What it was found to be before, and is no more; also what nobody noted then.
_LOST = """
insert into account_grants as g (connection_id, account_id, org_id, login_id, seen_at, lost_at)
select a.connection_id, a.account_id, a.org_id, a.login_id, :now, :now
  from ad_accounts a where a.connection_id = :connection_id and a.external_id <> all (:found)
on conflict (connection_id, account_id) do update set lost_at = coalesce(g.lost_at, excluded.lost_at)
"""
_LOST_BY_OTHERS = """
update account_grants g set lost_at = :now
  from ad_accounts a
 where g.connection_id = :connection_id and a.account_id = g.account_id and a.external_id <> all (:found)
   and g.lost_at is null
"""
# What it reaches again is tried at once; what it reaches no more, and no other does, says so.
_BACK = """
update ad_accounts set error_code = null, error_detail = null, error_at = null, next_due_at = null
 where connection_id = :connection_id and external_id = any (:found) and error_code = 'account_left'
"""
_LEFT = """
update ad_accounts set error_code = 'account_left', error_at = :now,
       error_detail = 'The log-in that this account was connected with does not reach it any more.'
 where connection_id = :connection_id and external_id <> all (:found) and error_code is distinct from 'account_left'
"""


def found(connection: Connection, org_id: UUID, connection_id: UUID, account_id: int, login: str | None) -> None:
    """Note that a connection reaches an account."""
    values = {"connection_id": connection_id, "account_id": account_id, "org_id": org_id, "login": login}
    connection.execute(text(_FOUND), values | {"now": clock.now()})


def lost(connection: Connection, org_id: UUID, connection_id: UUID, found: Collection[str]) -> None:
    """Note what a connection reaches no more, now that it has found these: only that stops.

    Where another connection reaches it, the account goes on by that one.
    """
    values = {"connection_id": connection_id, "found": list(found), "now": clock.now()}
    connection.execute(text(_LOST), values)
    connection.execute(text(_LOST_BY_OTHERS), values)
    heirs = connection.execute(text("select hand_over_accounts(:connection_id)"), values).all()
    connection.execute(text(_BACK), values)
    left = connection.execute(text(_LEFT), values).rowcount
    if heirs or left:
        log.info("accounts_left", org_id=str(org_id), connection_id=str(connection_id), left=left, heirs=len(heirs))
