"""API keys: how other systems act for an organisation. All of it on real time.

A key is made by a member and can never do more than that member can at the moment: a maker with a lower role or fewer
accounts lowers the key, and the keys of a maker who leaves end for good. Its token is shown once and stored hashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adloom import audit
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import Conflict, Forbidden, NotFound
from adloom.identity.account_scope import common, is_within
from adloom.identity.principal import ALL_ACCOUNTS, Principal
from adloom.identity.roles import Role, includes, least, lesser
from adloom.identity.scopes import MEANINGS, Scope
from adloom.identity.tokens import last_four, new_key_token, token_hash

EndedBecause = Literal["revoked", "maker_left", "expired"]

# More than an organisation has systems; one that has so many has a program that makes them.
MOST_ALIVE = 100


@dataclass(frozen=True)
class NewKey:
    """A key to be made. No role means the least that its scopes need, no accounts those that the maker sees."""

    name: str
    scopes: Sequence[Scope]
    life: timedelta
    per_minute: int
    role: Role | None = None
    account_scope: str | None = None


@dataclass(frozen=True)
class ApiKey:
    """A key as people see it. `role` and `account_scope` are what it can do now, `maker` None for the operator."""

    key_id: UUID
    name: str
    prefix: str
    last_four: str
    scopes: list[Scope]
    role: Role
    account_scope: str
    per_minute: int
    maker: str | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    ended_at: datetime | None
    ended_because: EndedBecause | None


@dataclass(frozen=True)
class MadeKey:
    """A new key; `token` is shown this once."""

    key: ApiKey
    token: str = field(repr=False)


_KEYS = """
select k.key_id, k.name, k.prefix, k.last_four, k.scopes, k.role, k.account_scope, k.per_minute, k.created_at,
       k.expires_at, k.last_used_at, k.revoked_at, k.ended_because, u.name as maker, m.role as makers_role,
       m.account_scope as makers_account_scope
  from api_keys k
  left join users u on u.user_id = k.made_by
  left join memberships m on m.org_id = k.org_id and m.user_id = k.made_by
 where k.org_id = :org
"""
_INSERT = """
insert into api_keys (key_id, org_id, made_by, name, token_hash, prefix, last_four, scopes, role, account_scope,
                      per_minute, created_at, expires_at)
values (:key, :org, :maker, :name, :hash, :prefix, :four, :scopes, :role, :accounts, :per_minute, :now, :expires)
"""


def make(connection: Connection, principal: Principal, new: NewKey) -> MadeKey:
    """A key of the principal's organisation, in a transaction of it.

    Forbidden for a role or accounts that the principal has not; Conflict for a role that is too low for a scope, and
    when there are enough keys.
    """
    needed = least(MEANINGS[scope].needs for scope in new.scopes)
    role = new.role or needed
    accounts = new.account_scope or principal.account_scope
    if not includes(role, needed):
        raise Conflict(f"These scopes need at least the role {needed}.", code="role_too_low")
    _allow(principal, role, accounts)
    _lock(connection, principal.org_id)
    _check_still_member(connection, principal)
    if _alive(connection, principal.org_id) >= MOST_ALIVE:
        raise Conflict(f"There are {MOST_ALIVE} keys already: revoke one that nobody uses.", code="too_many_keys")
    token, prefix = new_key_token()
    key_id, now = uuid4(), real_now()
    shown = {
        "name": new.name,
        "prefix": prefix,
        "scopes": sorted(set(new.scopes)),
        "role": role,
        "accounts": accounts,
        "per_minute": new.per_minute,
        "expires": now + new.life,
    }
    values = {"key": key_id, "org": principal.org_id, "maker": principal.user_id, "now": now}
    hidden = {"hash": token_hash(token), "four": last_four(token)}
    connection.execute(text(_INSERT), values | shown | hidden)
    audit.record(connection, "key.made", org_id=principal.org_id, target=("key", key_id), new=shown)
    return MadeKey(_find(connection, principal.org_id, key_id), token)


def every(database: Database, org_id: UUID) -> list[ApiKey]:
    """The organisation's keys, the newest first; those that ended are listed for three months."""
    with database.tenant(org_id) as connection:
        rows = connection.execute(text(f"{_KEYS} order by k.created_at desc, k.key_id"), {"org": org_id}).all()
    return [_key(row) for row in rows]


def revoke(connection: Connection, principal: Principal, key_id: UUID) -> None:
    """End a key at once and everywhere. NotFound unless it is there and alive, Forbidden for one that can do what the
    principal cannot.
    """
    _lock(connection, principal.org_id)
    found = _find(connection, principal.org_id, key_id)
    if found.ended_because is not None:
        raise NotFound("This key has ended already.")
    _allow(principal, found.role, found.account_scope)
    _end(connection, principal.org_id, "revoked", "key_id", key_id)


def end_of_maker(connection: Connection, org_id: UUID, user_id: UUID) -> int:
    """End the keys that a member made who leaves; how many. They stay ended should the member come back."""
    return _end(connection, org_id, "maker_left", "made_by", user_id)


def principal_by_key(database: Database, token: str) -> Principal | None:
    """Who acts with this key; None when it is unknown, expired or revoked, or its maker has left. Notes the use."""
    with database.statements() as connection:
        row = connection.execute(
            text("select * from principal_by_key(:hash)"), {"hash": token_hash(token)}
        ).one_or_none()
    if row is None:
        return None
    return Principal(
        kind="key",
        user_id=None,
        organisation_id=row.org_id,
        role=lesser(row.role, row.makers_role),
        account_scope=common(row.account_scope, row.makers_account_scope),
        expires_at=row.expires_at,
        key_id=row.key_id,
        scopes=frozenset(row.scopes),
        per_minute=row.per_minute,
    )


def purge(database: Database) -> int:
    """Delete the keys that ended three months ago; how many."""
    with database.system() as connection:
        return cast("int", connection.execute(text("select purge_api_keys()")).scalar_one())


def _allow(principal: Principal, role: Role, accounts: str) -> None:
    if not includes(principal.role, role):
        raise Forbidden("This key's role is above your own.", code="role_above")
    if not is_within(accounts, principal.account_scope):
        raise Forbidden("This key has accounts that you do not have.", code="account_outside")


def _lock(connection: Connection, org_id: UUID) -> None:
    """Two who change keys or members at once wait for each other."""
    connection.execute(text("select from organisations where org_id = :org for no key update"), {"org": org_id})


def _check_still_member(connection: Connection, principal: Principal) -> None:
    """Forbidden for a member who was taken out while the request was on its way: the key would outlive them."""
    query = text("select from memberships where org_id = :org and user_id = :user")
    who = {"org": principal.org_id, "user": principal.user_id}
    if principal.user_id is not None and connection.execute(query, who).one_or_none() is None:
        raise Forbidden("You are no member of this organisation any more.", code="no_member")


def _alive(connection: Connection, org_id: UUID) -> int:
    query = "select count(*) from api_keys where org_id = :org and revoked_at is null and expires_at > now()"
    return cast("int", connection.execute(text(query), {"org": org_id}).scalar_one())


def _end(connection: Connection, org_id: UUID, because: Literal["revoked", "maker_left"], which: str, of: UUID) -> int:
    query = (
        "update api_keys set revoked_at = now(), ended_because = :because"
        f" where org_id = :org and revoked_at is null and {which} = :of returning key_id, name, prefix"
    )
    ended = connection.execute(text(query), {"because": because, "org": org_id, "of": of}).all()
    for row in ended:
        told = {"name": row.name, "prefix": row.prefix}
        target = ("key", row.key_id)
        audit.record(connection, "key.revoked", org_id=org_id, target=target, old=told, new={"because": because})
    return len(ended)


def _find(connection: Connection, org_id: UUID, key_id: UUID) -> ApiKey:
    row = connection.execute(text(f"{_KEYS} and k.key_id = :key"), {"org": org_id, "key": key_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such key here.")
    return _key(row)


def _key(row: Any) -> ApiKey:
    ended_at, because = row.revoked_at, row.ended_because
    if ended_at is None and row.expires_at <= real_now():
        ended_at, because = row.expires_at, "expired"
    return ApiKey(
        key_id=row.key_id,
        name=row.name,
        prefix=row.prefix,
        last_four=row.last_four,
        scopes=list(row.scopes),
        role=lesser(row.role, row.makers_role) if row.makers_role else row.role,
        account_scope=common(row.account_scope, row.makers_account_scope or ALL_ACCOUNTS),
        per_minute=row.per_minute,
        maker=row.maker,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        ended_at=ended_at,
        ended_because=because,
    )
