"""People and organisations by name, for what is shown and mailed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.db import Database
from adloom.errors import NotFound
from adloom.identity.roles import Role


@dataclass(frozen=True)
class SessionOf:
    """Whose session it is, in words."""

    user_id: UUID
    email: str
    user_name: str
    org_id: UUID
    organisation: str
    role: Role
    account_scope: str


def describe(database: Database, org_id: UUID, user_id: UUID) -> SessionOf:
    """The member and the organisation by name."""
    with database.tenant(org_id) as connection:
        row = connection.execute(
            text(
                "select u.user_id, u.email, u.name as user_name, o.org_id, o.name as organisation, m.role,"
                " m.account_scope from users u join memberships m on m.user_id = u.user_id"
                " join organisations o on o.org_id = m.org_id where u.user_id = :user and m.org_id = :org"
            ),
            {"user": user_id, "org": org_id},
        ).one_or_none()
    if row is None:
        raise NotFound("This member is no longer there.")
    return SessionOf(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def person_name(connection: Connection, user_id: UUID) -> str:
    """The person's name, in a transaction of an organisation that it is a member of."""
    return cast(
        "str", connection.execute(text("select name from users where user_id = :user"), {"user": user_id}).scalar_one()
    )


def organisation_name(database: Database, org_id: UUID) -> str:
    """The organisation's name."""
    with database.tenant(org_id) as connection:
        query = text("select name from organisations where org_id = :org")
        return cast("str", connection.execute(query, {"org": org_id}).scalar_one())
