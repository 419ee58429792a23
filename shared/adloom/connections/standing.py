"""How connections stand, as people see it: what they reach, until when, what is wrong, and the one thing to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import clock
from adloom.connections import store
from adloom.connections.store import Connected
from adloom.errors import Actor
from adloom.platforms import scopes
from adloom.platforms.advice import NAMES, advice, code_in
from adloom.platforms.advice_causes import Remedy

# From here on a person is told that an access ends.
ENDS_SOON = timedelta(days=7)


@dataclass(frozen=True)
class Trouble:
    """What is wrong. `happened` and `step` are sentences for a person, `said` the platform's own words."""

    code: str
    acts: Actor
    remedy: Remedy
    happened: str
    step: str
    said: str | None = None


@dataclass(frozen=True)
class Reached:
    """An ad account that a log-in reaches. `lost_at`: it does no more. `read_by` is the connection that reads it.
    `conversion` is what somebody chose it to count.
    """

    account_id: int
    external_id: str
    name: str
    currency: str
    timezone: str
    status: str
    is_chosen: bool
    login_id: str | None
    last_synced_at: datetime | None
    lost_at: datetime | None
    read_by: UUID
    read_by_name: str
    conversion: str | None
    trouble: Trouble | None


@dataclass(frozen=True)
class Standing:
    """A connection with what it comes to. Counts are of accounts; `last_synced_at` of the latest among them."""

    connected: Connected
    missing_scopes: tuple[str, ...]
    found: int
    chosen: int
    in_trouble: int
    last_synced_at: datetime | None
    is_replaced: bool
    trouble: Trouble | None


_COUNTS = """
select c.connection_id, count(a.account_id) as found, count(a.account_id) filter (where a.sync_enabled) as chosen,
       count(a.account_id) filter (where a.sync_enabled and a.error_code is not null) as in_trouble,
       max(a.last_synced_at) as last_synced_at,
       exists (select from account_grants g join ad_accounts o on o.account_id = g.account_id
                where g.connection_id = c.connection_id and o.connection_id <> c.connection_id) as has_heirs
  from connections c left join ad_accounts a on a.connection_id = c.connection_id
 group by c.connection_id
"""
_REACHED = """
select a.account_id, a.external_id, a.name, a.currency, a.timezone, a.status, a.sync_enabled as is_chosen,
       coalesce(g.login_id, a.login_id) as login_id, a.last_synced_at, g.lost_at, a.connection_id as read_by,
       r.name as read_by_name, a.conversion, a.error_code, a.error_detail
  from ad_accounts a join connections r on r.connection_id = a.connection_id
  left join account_grants g on g.account_id = a.account_id and g.connection_id = :id
 where a.connection_id = :id or g.connection_id is not null
 order by lower(a.name), a.account_id
"""


def every(connection: Connection) -> list[Standing]:
    """The organisation's connections, newest first."""
    counts = {row["connection_id"]: row for row in connection.execute(text(_COUNTS)).mappings()}
    return [_standing(connected, counts[connected.connection_id]) for connected in store.every(connection)]


def one(connection: Connection, connection_id: UUID) -> Standing:
    """One of them; NotFound without it."""
    connected = store.one(connection, connection_id)
    counts = {row["connection_id"]: row for row in connection.execute(text(_COUNTS)).mappings()}
    return _standing(connected, counts[connection_id])


def reached(connection: Connection, connected: Connected) -> list[Reached]:
    """The ad accounts in scope that the connection reaches or reads, by name."""
    rows = connection.execute(text(_REACHED), {"id": connected.connection_id}).mappings()
    return [_account(connected, dict(row)) for row in rows]


def _account(connected: Connected, row: dict[str, Any]) -> Reached:
    code, said = row.pop("error_code"), row.pop("error_detail")
    is_own = row["read_by"] == connected.connection_id
    trouble = (
        _of(connected.platform, code, code_in(said), said) if code and is_own and connected.status == "active" else None
    )
    return Reached(**row, trouble=trouble)


def _standing(connected: Connected, counts: Any) -> Standing:
    lacking = scopes.missing(connected.platform, connected.scopes, connected.extras)
    is_replaced = connected.status != "active" and counts["found"] == 0 and counts["has_heirs"]
    return Standing(
        connected=connected,
        missing_scopes=lacking,
        found=counts["found"],
        chosen=counts["chosen"],
        in_trouble=counts["in_trouble"],
        last_synced_at=counts["last_synced_at"],
        is_replaced=is_replaced,
        trouble=None if is_replaced else _trouble(connected, lacking),
    )


def _trouble(connected: Connected, lacking: Collection[str]) -> Trouble | None:
    """The worst of what a person has to know; one that they ended themselves is none."""
    platform = connected.platform
    if connected.status == "revoked":
        return None
    if connected.status == "broken":
        code = connected.broken_reason or "connection_broken"
        return _of(platform, code, connected.broken_code or "", connected.broken_detail)
    if lacking:
        return _of(platform, "scopes_missing")
    ends = connected.token_expires_at
    if ends is not None and ends - clock.now() <= ENDS_SOON:
        return _ending(platform, ends)
    if connected.account_choice == "chosen" and connected.chosen_at is None:
        name = NAMES[platform]
        return Trouble(
            code="accounts_to_choose",
            acts=Actor.USER,
            remedy="choose",
            happened=f"Adloom does not know yet which ad accounts of {name} it is to read.",
            step="Choose the accounts whose numbers you want here.",
        )
    return None


def _ending(platform: str, ends: datetime) -> Trouble:
    name = NAMES[platform]
    return Trouble(
        code="access_ending",
        acts=Actor.USER,
        remedy="reconnect",
        happened=f"The access to {name} ends on {ends:%Y-%m-%d %H:%M} UTC.",
        step=f"Connect {name} again before that. Accounts and history stay as they are.",
    )


def _of(platform: str, code: str, platform_code: str = "", said: str | None = None) -> Trouble:
    words = advice(platform, code, platform_code).named(platform)
    return Trouble(code, words.acts, words.remedy, words.happened, words.step, said)
