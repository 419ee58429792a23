"""Asks a platform whether a connection still works, and with which rights."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit
from adloom.connections import store
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import Conflict, ConnectionBroken, PlatformError
from adloom.events.catalogue import AccountsConnected, Platform
from adloom.events.outbox import publish
from adloom.platforms.grant import Inspected, OAuth

# Marks a connection as broken and tells of it: that of the sync, which finds out in the same way.
Broken = Callable[[Connection, Platform, UUID, UUID, PlatformError], None]

_SAID = """
update connections set scopes = coalesce(:scopes, scopes), token_expires_at = coalesce(:expires, token_expires_at),
       status = 'active', broken_code = null, broken_reason = null, broken_detail = null, broken_at = null,
       updated_at = now()
 where connection_id = :id
"""


def check(
    database: Database,
    vault: Vault,
    oauth_of: Callable[[Platform], OAuth],
    org_id: UUID,
    connection_id: UUID,
    *,
    broken: Broken,
) -> None:
    """Note what the platform says of a connection's token. Conflict for one that was ended here; faults that pass are
    raised.
    """
    with database.tenant(org_id) as connection:
        connected = store.one(connection, connection_id)
        if connected.status == "revoked":
            raise Conflict("This connection was ended: connect again.", code="connection_ended")
        token = store.access_token(connection, vault, connection_id)
    try:
        inspected = oauth_of(connected.platform).inspect(token)
    except ConnectionBroken as error:
        with database.tenant(org_id) as connection:
            if is_still(connection, vault, connection_id, token):
                broken(connection, connected.platform, org_id, connection_id, error)
        return
    with database.tenant(org_id) as connection:
        if is_still(connection, vault, connection_id, token):
            _works(connection, org_id, store.one(connection, connection_id), inspected)


def is_still(connection: Connection, vault: Vault, connection_id: UUID, token: str) -> bool:
    """Whether a connection has this token, and keeps it until the transaction ends: no log-in or end came between."""
    connected = store.one(connection, connection_id, locked=True)
    return connected.status != "revoked" and store.access_token(connection, vault, connection_id) == token


def _works(connection: Connection, org_id: UUID, connected: store.Connected, inspected: Inspected) -> None:
    connection_id = connected.connection_id
    scopes = list(inspected.scopes) if inspected.scopes is not None else None
    connection.execute(text(_SAID), {"id": connection_id, "scopes": scopes, "expires": inspected.expires_at})
    if connected.status == "broken":
        target = ("connection", connection_id)
        audit.record(connection, "connection.mended", org_id=org_id, target=target, new={"status": "active"})
        found = AccountsConnected(
            org_id=org_id, account_id=None, connection_id=connection_id, platform=connected.platform
        )
        publish(connection, found)
