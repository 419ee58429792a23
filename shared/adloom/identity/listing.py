"""What a person sees of the own sessions and organisations, whatever organisation the session at hand is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from adloom.db import Database
from adloom.identity.roles import Role


@dataclass(frozen=True)
class KnownSession:
    """A session that is alive. `device` and `place` are words, `address` is where it began; times are real."""

    session_id: UUID
    org_id: UUID
    organisation: str
    device: str
    address: str
    place: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class MyOrganisation:
    """An organisation that a person is a member of, and as what."""

    org_id: UUID
    name: str
    role: Role


def sessions(database: Database, user_id: UUID) -> list[KnownSession]:
    """The person's sessions that are alive, the one used last first."""
    with database.statements() as connection:
        rows = connection.execute(text("select * from sessions_of_person(:user)"), {"user": user_id}).all()
    return [KnownSession(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def organisations(database: Database, user_id: UUID) -> list[MyOrganisation]:
    """The person's organisations by name."""
    with database.statements() as connection:
        rows = connection.execute(text("select * from organisations_of_person(:user)"), {"user": user_id}).all()
    return [MyOrganisation(**row._mapping) for row in rows]  # noqa: SLF001 - as above
