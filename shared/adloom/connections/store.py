"""Connections and their tokens in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adloom.connections.vault import Vault
from adloom.errors import NotFound
from adloom.platforms.grant import Grant


@dataclass(frozen=True)
class Connected:
    """A connection as people see it. `token_expires_at` is the platform's time."""

    connection_id: UUID
    platform: str
    name: str
    status: str
    scopes: list[str]
    token_expires_at: datetime | None
    broken_code: str | None
    connected_at: datetime


def save(connection: Connection, vault: Vault, org_id: UUID, platform: str, grant: Grant) -> UUID:
    """Store a grant; the connection's id. The same person's connection is updated in place and whole again."""
    connection_id = connection.execute(
        text(
            "insert into connections"
            " (connection_id, org_id, platform, external_user_id, name, scopes, token_expires_at)"
            " values (:id, :org, :platform, :person, :name, :scopes, :expires)"
            " on conflict (org_id, platform, external_user_id) do update set name = excluded.name,"
            " scopes = excluded.scopes, token_expires_at = excluded.token_expires_at, status = 'active',"
            " broken_code = null, broken_at = null, connected_at = now(), updated_at = now()"
            " returning connection_id"
        ),
        {
            "id": uuid4(),
            "org": org_id,
            "platform": platform,
            "person": grant.external_user_id,
            "name": _storable(grant.name),
            "scopes": list(grant.scopes),
            "expires": grant.expires_at,
        },
    ).scalar_one()
    connection.execute(
        text(
            "insert into connection_tokens (connection_id, org_id, ciphertext) values (:id, :org, :ciphertext)"
            " on conflict (connection_id) do update set ciphertext = excluded.ciphertext, updated_at = now()"
        ),
        {"id": connection_id, "org": org_id, "ciphertext": vault.encrypt(grant.token)},
    )
    # What the old token could not do, the new one is to try at once.
    connection.execute(
        text(
            "update ad_accounts set error_code = null, error_detail = null, error_at = null, next_due_at = null"
            " where connection_id = :id and error_code is not null"
        ),
        {"id": connection_id},
    )
    return cast("UUID", connection_id)


def access_token(connection: Connection, vault: Vault, connection_id: UUID) -> str:
    """The platform token in clear, for the call it is needed for; NotFound without one."""
    ciphertext = connection.execute(
        text("select ciphertext from connection_tokens where connection_id = :id"), {"id": connection_id}
    ).scalar_one_or_none()
    if ciphertext is None:
        raise NotFound("This connection has no token.", code="token_missing")
    return vault.decrypt(bytes(ciphertext))


def every(connection: Connection) -> list[Connected]:
    """The connections of the organisation, newest first."""
    rows = connection.execute(
        text(
            "select connection_id, platform, name, status, scopes, token_expires_at, broken_code, connected_at"
            " from connections order by connected_at desc, connection_id"
        )
    )
    return [Connected(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def _storable(name: str) -> str:
    """A name from outside without what a Postgres text cannot hold."""
    return name.replace("\0", "").encode("utf-8", "replace").decode()[:200]
