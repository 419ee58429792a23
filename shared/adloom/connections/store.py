"""Connections and their tokens in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adloom.connections.vault import Vault
from adloom.db.texts import storable
from adloom.errors import NotFound
from adloom.events.catalogue import Platform
from adloom.platforms.grant import Extra, Grant, TokenKind

# Which accounts are synced: every one that the log-in reaches, also those to come, or those that a person chose.
AccountChoice = Literal["all", "chosen"]


@dataclass(frozen=True)
class Terms:
    """What a connection is for: which accounts, and what beyond reading them."""

    choice: AccountChoice = "all"
    extras: tuple[Extra, ...] = ()

    def with_extras(self, more: Iterable[Extra]) -> Terms:
        return replace(self, extras=tuple(sorted({*self.extras, *more})))


@dataclass(frozen=True)
class Connected:
    """A connection. `token_expires_at` is the platform's time; `broken_code` its own code, `broken_reason` ours."""

    connection_id: UUID
    platform: Platform
    external_user_id: str
    name: str
    status: Literal["active", "broken", "revoked"]
    token_kind: TokenKind
    scopes: list[str]
    token_expires_at: datetime | None
    broken_code: str | None
    broken_reason: str | None
    broken_detail: str | None
    broken_at: datetime | None
    revoked_at: datetime | None
    connected_at: datetime
    refreshed_at: datetime | None
    refresh_error: str | None
    discovered_at: datetime | None
    account_choice: AccountChoice
    chosen_at: datetime | None
    extras: list[Extra]

    @property
    def terms(self) -> Terms:
        return Terms(self.account_choice, tuple(self.extras))


_COLUMNS = ", ".join(Connected.__dataclass_fields__)

_SAVE = """
insert into connections
    (connection_id, org_id, platform, external_user_id, name, scopes, token_expires_at, token_kind, account_choice,
     extras)
values (:id, :org, :platform, :person, :name, :scopes, :expires, :kind, :choice, :extras)
on conflict (org_id, platform, external_user_id) do update set
    name = excluded.name, scopes = excluded.scopes, token_expires_at = excluded.token_expires_at,
    token_kind = excluded.token_kind, extras = excluded.extras, status = 'active', broken_code = null,
    broken_reason = null, broken_detail = null, broken_at = null, revoked_at = null, refresh_error = null,
    warned_days = null, connected_at = now(), updated_at = now()
returning connection_id
"""


def save(
    connection: Connection, vault: Vault, org_id: UUID, platform: str, grant: Grant, *, terms: Terms | None = None
) -> UUID:
    """Store a grant; the connection's id.

    The same person's connection is updated in place and whole again, and its accounts stay chosen.
    """
    terms = terms or Terms()
    connection_id = connection.execute(
        text(_SAVE),
        {
            "id": uuid4(),
            "org": org_id,
            "platform": platform,
            "person": grant.external_user_id,
            "name": storable(grant.name)[:200],
            "scopes": list(grant.scopes),
            "expires": grant.expires_at,
            "kind": grant.kind,
            "choice": terms.choice,
            "extras": list(terms.extras),
        },
    ).scalar_one()
    keep(connection, vault, org_id, connection_id, grant.token)
    # What the old token could not do, the new one is to try at once.
    connection.execute(
        text(
            "update ad_accounts set error_code = null, error_detail = null, error_at = null, next_due_at = null"
            " where connection_id = :id and error_code is not null"
        ),
        {"id": connection_id},
    )
    return cast("UUID", connection_id)


def keep(connection: Connection, vault: Vault, org_id: UUID, connection_id: UUID, token: str) -> None:
    """Put a token in the place of the one before."""
    connection.execute(
        text(
            "insert into connection_tokens (connection_id, org_id, ciphertext) values (:id, :org, :ciphertext)"
            " on conflict (connection_id) do update set ciphertext = excluded.ciphertext, updated_at = now()"
        ),
        {"id": connection_id, "org": org_id, "ciphertext": vault.encrypt(token)},
    )


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
    rows = connection.execute(text(f"select {_COLUMNS} from connections order by connected_at desc, connection_id"))
    return [_read(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def one(connection: Connection, connection_id: UUID, *, locked: bool = False) -> Connected:
    """A connection of the organisation; NotFound without it. `locked` until the transaction ends."""
    end = " for update" if locked else ""
    query = text(f"select {_COLUMNS} from connections where connection_id = :id{end}")
    row = connection.execute(query, {"id": connection_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such connection.")
    return _read(row)


def _read(row: Any) -> Connected:
    return Connected(**row)
