"""Prolongs accesses that end soon, where the platform lets us: Meta's, whose tokens last for sixty days.

A system user's token is exchanged against a new one. A person's may be, too; where Meta gives out the same end again,
only logging in helps, and the warning says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit, clock, logs
from adloom.connections import store
from adloom.connections.checking import Broken, is_still
from adloom.connections.store import Connected
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import ConnectionBroken, PlatformError
from adloom.platforms.grant import Grant

if TYPE_CHECKING:
    from adloom.platforms.meta.oauth import MetaOAuth

# A third of its life before the end, and then once a day.
BEFORE_END = timedelta(days=20)
EVERY = timedelta(days=1)

log = logs.get(__name__)

_CLAIM = "select * from claim_expiring_connections(:now, :within, :every, 1)"


def renew_next(database: Database, vault: Vault, oauth: MetaOAuth, *, broken: Broken) -> bool:
    """Prolong one access; False where none is due. A fault is noted with the connection and tried again in a day."""
    values = {"now": clock.now(), "within": BEFORE_END, "every": EVERY}
    with database.system() as connection:
        claimed = connection.execute(text(_CLAIM), values).one_or_none()
    if claimed is None:
        return False
    org_id, connection_id = claimed.org_id, claimed.connection_id
    with database.tenant(org_id) as connection:
        connected = store.one(connection, connection_id, locked=True)
        if connected.status != "active":
            return True
        token = store.access_token(connection, vault, connection_id)
    try:
        grant = oauth.renew(token, connected.token_kind)
    except PlatformError as error:
        with database.tenant(org_id) as connection:
            if is_still(connection, vault, connection_id, token):
                _failed(connection, org_id, connection_id, error, broken=broken)
        return True
    with database.tenant(org_id) as connection:
        if is_still(connection, vault, connection_id, token):
            _renewed(connection, vault, org_id, connected, grant)
    return True


def _renewed(connection: Connection, vault: Vault, org_id: UUID, connected: Connected, grant: Grant) -> None:
    connection_id, before, after = connected.connection_id, connected.token_expires_at, grant.expires_at
    store.keep(connection, vault, org_id, connection_id, grant.token)
    is_longer = after is None or before is None or after > before
    connection.execute(
        text(
            "update connections set token_expires_at = :expires, scopes = :scopes, refresh_error = null,"
            " refreshed_at = case when :longer then :now else refreshed_at end,"
            " warned_days = case when :longer then null else warned_days end, updated_at = now()"
            " where connection_id = :id"
        ),
        {
            "id": connection_id,
            "expires": after,
            "scopes": list(grant.scopes),
            "longer": is_longer,
            "now": clock.now(),
        },
    )
    if is_longer:
        old, new = {"ends": _said(before)}, {"ends": _said(after)}
        target = ("connection", connection_id)
        audit.record(connection, "connection.refreshed", org_id=org_id, target=target, old=old, new=new)
    log.info("renewed", connection_id=str(connection_id), is_longer=is_longer)


def _failed(connection: Connection, org_id: UUID, connection_id: UUID, error: PlatformError, *, broken: Broken) -> None:
    connection.execute(
        text("update connections set refresh_error = :error, updated_at = now() where connection_id = :id"),
        {"id": connection_id, "error": error.detail[:1000]},
    )
    if isinstance(error, ConnectionBroken):
        broken(connection, "meta", org_id, connection_id, error)
    log.warning("renewal_failed", connection_id=str(connection_id), code=error.code, detail=error.detail)


def _said(at: object) -> str | None:
    return str(at) if at is not None else None
