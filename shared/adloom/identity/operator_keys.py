"""Operator keys: who has one is the operator, in every organisation. They can be listed, made and taken back.

The deployment's own stands in the secret `operator-key` and is registered at each start. One that was taken back stays
so, whatever starts: the way on is another key in that secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit
from adloom.db import Database
from adloom.errors import NotFound
from adloom.identity.tokens import last_four, new_operator_key, token_hash


@dataclass(frozen=True)
class OperatorKey:
    """A key as it is listed; `last_four` is empty for one that was registered before that was kept."""

    key_id: UUID
    name: str
    last_four: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class MadeKey:
    """A new key; `token` is shown this once."""

    key: OperatorKey
    token: str = field(repr=False)


def register(database: Database, token: str, name: str) -> bool:
    """Let the holder of this token act as the operator; False when it was taken back. Twice is harmless."""
    with database.system() as connection:
        return _register(connection, token, name) is not None


def make(connection: Connection, name: str) -> MadeKey:
    """A new operator key."""
    token = new_operator_key()
    query = text("select * from all_operator_keys() where key_id = :key")
    return MadeKey(_key(connection.execute(query, {"key": _register(connection, token, name)}).one()), token)


def every(database: Database) -> list[OperatorKey]:
    """All operator keys, the oldest first; those that were taken back too."""
    with database.system() as connection:
        return [_key(row) for row in connection.execute(text("select * from all_operator_keys()"))]


def revoke(connection: Connection, key_id: UUID) -> str:
    """Take a key back, at once and everywhere; its name. NotFound unless it is there and was not taken back yet."""
    query = text("select name from revoke_operator_key(:key)")
    name = connection.execute(query, {"key": key_id}).scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such operator key, or it was revoked already.")
    audit.record(connection, "operator_key.revoked", org_id=None, target=("operator_key", key_id), old={"name": name})
    return cast("str", name)


def _register(connection: Connection, token: str, name: str) -> UUID | None:
    """The key's id; None when it was taken back."""
    values = {"hash": token_hash(token), "name": name, "four": last_four(token)}
    query = text("select key_id, made from register_operator_key(:hash, :name, :four)")
    row = connection.execute(query, values).one()
    if row.made:
        audit.record(
            connection,
            "operator_key.made",
            org_id=None,
            target=("operator_key", row.key_id),
            new={"name": name, "last_four": values["four"]},
        )
    return cast("UUID | None", row.key_id)


def _key(row: object) -> OperatorKey:
    return OperatorKey(**row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's public name for it
