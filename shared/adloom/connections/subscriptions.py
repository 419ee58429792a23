"""What a platform tells us of by itself because of a connection: made and undone with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import logs
from adloom.connections import store
from adloom.connections.store import Connected
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import AdloomError, PlatformError
from adloom.platforms import scopes

if TYPE_CHECKING:
    from adloom.platforms.meta.hooks import MetaHooks

Target = Literal["page", "account"]
log = logs.get(__name__)


@dataclass(frozen=True)
class Subscribed:
    """A page or an ad account. `fields` are what the platform tells of; none yet where there is an error."""

    target: Target
    external_id: str
    name: str
    fields: list[str]
    subscribed_at: datetime | None
    error_code: str | None
    error_detail: str | None


_COLUMNS = ", ".join(Subscribed.__dataclass_fields__)


def every(connection: Connection, connection_id: UUID) -> list[Subscribed]:
    """Those of a connection, by name; of accounts those in scope."""
    query = text(
        f"select {_COLUMNS} from connection_subscriptions s where connection_id = :id"
        " and (target <> 'account' or exists (select from ad_accounts a"
        " where a.platform = 'meta' and a.external_id = s.external_id))"
        " order by target, lower(name), external_id"
    )
    return [Subscribed(**row) for row in connection.execute(query, {"id": connection_id}).mappings()]


# Those that want something told, and were not looked after since they were connected, within the day, or, where
# something went wrong, within the hour.
_DUE = """
select c.connection_id from connections c
 where c.platform = 'meta' and c.status = 'active' and ('leads' = any (c.extras) or :write = any (c.scopes))
   and not exists (select from connection_subscriptions s
                    where s.connection_id = c.connection_id and s.updated_at >= c.connected_at
                      and s.updated_at > now() - case when s.error_code is null then interval '1 day'
                                                      else interval '1 hour' end)
"""
_CHOSEN = """
select external_id, name from ad_accounts where connection_id = :id and sync_enabled order by account_id
"""
_KEEP = """
insert into connection_subscriptions as s
    (connection_id, target, external_id, org_id, name, ciphertext, fields, subscribed_at, error_code, error_detail)
values (:id, :target, :external_id, :org_id, :name, :ciphertext, :fields,
        case when cast(:error_code as text) is null then now() end, :error_code, :error_detail)
on conflict (connection_id, target, external_id) do update set name = excluded.name, ciphertext = excluded.ciphertext,
    fields = excluded.fields, subscribed_at = coalesce(s.subscribed_at, excluded.subscribed_at),
    error_code = excluded.error_code, error_detail = excluded.error_detail, updated_at = now()
"""
_SEALED = "select target, external_id, ciphertext from connection_subscriptions where connection_id = :id"


@dataclass(frozen=True)
class _Wanted:
    target: Target
    external_id: str
    name: str
    address: str
    token: str
    fields: tuple[str, ...]


def settle_due(database: Database, vault: Vault, hooks: MetaHooks, most: int) -> None:
    """The tick's part: subscribe what connections want told, the most of them."""
    with database.system() as connection:
        organisations = connection.execute(text("select org_id from all_organisations()")).scalars().all()
    for org_id in organisations:
        with database.tenant(org_id) as connection:
            due = connection.execute(text(_DUE), {"write": scopes.META_WRITE}).scalars().all()
        for connection_id in due[:most]:
            try:
                _settle(database, vault, hooks, org_id, connection_id)
            except AdloomError as error:
                # Such as a token that no key opens: the others go on.
                log.warning("not_settled", connection_id=str(connection_id), code=error.code, detail=error.detail)


def _settle(database: Database, vault: Vault, hooks: MetaHooks, org_id: UUID, connection_id: UUID) -> None:
    with database.tenant(org_id) as connection:
        connected = store.one(connection, connection_id, locked=True)
        if connected.status != "active":
            return
        token = store.access_token(connection, vault, connection_id)
        accounts = connection.execute(text(_CHOSEN), {"id": connection_id}).all()
    try:
        wanted = _pages(hooks, connected, token)
    except PlatformError as error:
        log.warning("pages_unknown", connection_id=str(connection_id), code=error.code, detail=error.detail)
        wanted = []
    if scopes.META_WRITE in connected.scopes:
        wanted += [
            _Wanted("account", row.external_id, row.name, f"act_{row.external_id}", token, scopes.META_ACCOUNT_FIELDS)
            for row in accounts
        ]
    for one in wanted:
        _subscribe(database, vault, hooks, connected, org_id, one=one)


def _pages(hooks: MetaHooks, connected: Connected, token: str) -> list[_Wanted]:
    if "leads" not in connected.extras:
        return []
    return [
        _Wanted("page", page.id, page.name, page.id, page.token, scopes.META_PAGE_FIELDS) for page in hooks.pages(token)
    ]


def _subscribe(
    database: Database, vault: Vault, hooks: MetaHooks, connected: Connected, org_id: UUID, *, one: _Wanted
) -> None:
    """One of them; a refusal is noted with it and stops no other."""
    refused: PlatformError | None = None
    try:
        hooks.subscribe(one.address, one.token, one.fields)
    except PlatformError as error:
        refused = error
        log.warning("not_subscribed", target=one.target, external_id=one.external_id, code=error.code)
    values = {
        "id": connected.connection_id,
        "org_id": org_id,
        "target": one.target,
        "external_id": one.external_id,
        "name": one.name,
        "ciphertext": vault.encrypt(one.token) if one.target == "page" else None,
        "fields": [] if refused else list(one.fields),
        "error_code": refused.code if refused else None,
        "error_detail": refused.detail[:1000] if refused else None,
    }
    if not _kept(database, org_id, values) and refused is None:
        _unsubscribe(hooks, one.target, one.external_id, one.token)


def _kept(database: Database, org_id: UUID, values: dict[str, Any]) -> bool:
    """Whether it was noted; not with a connection that was ended meanwhile, for nobody would undo it any more."""
    with database.tenant(org_id) as connection:
        if store.one(connection, values["id"], locked=True).status == "revoked":
            return False
        connection.execute(text(_KEEP), values)
    return True


def _unsubscribe(hooks: MetaHooks, target: str, external_id: str, token: str) -> None:
    try:
        hooks.unsubscribe(external_id if target == "page" else f"act_{external_id}", token)
    except PlatformError as error:
        log.warning("not_unsubscribed", target=target, external_id=external_id, code=error.code)


def undo(database: Database, vault: Vault, hooks: MetaHooks, org_id: UUID, connection_id: UUID, *, token: str) -> None:
    """Have the platform tell us no more because of a connection, and forget the tokens of its pages.

    What the platform refuses ends with the grant at the latest.
    """
    with database.tenant(org_id) as connection:
        rows = connection.execute(text(_SEALED), {"id": connection_id}).all()
    for row in rows:
        own = vault.decrypt(bytes(row.ciphertext)) if row.target == "page" else token
        _unsubscribe(hooks, row.target, row.external_id, own)
    with database.tenant(org_id) as connection:
        query = text("delete from connection_subscriptions where connection_id = :id")
        connection.execute(query, {"id": connection_id})
