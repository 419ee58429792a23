"""Who a provider's people are here: known by issuer and subject, never by an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from adloom.db import Database
from adloom.errors import Conflict, NotFound
from adloom.identity.people import Person
from adloom.sso.claims import Claims


@dataclass(frozen=True)
class Known:
    """The person of an identity. `org_id` is where the person logs in to; None for a member of nothing."""

    identity_id: UUID
    user_id: UUID
    home: UUID
    org_id: UUID | None


@dataclass(frozen=True)
class Identity:
    """An identity as its person sees it. `email` is what the provider said when it was linked."""

    identity_id: UUID
    provider: str
    email: str
    created_at: datetime
    last_used_at: datetime | None


def find(database: Database, claims: Claims) -> Known | None:
    with database.system() as connection:
        query = text("select * from person_by_identity(:issuer, :subject)")
        row = connection.execute(query, {"issuer": claims.issuer, "subject": claims.subject}).one_or_none()
    return None if row is None else Known(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def has_account(database: Database, email: str) -> bool:
    with database.system() as connection:
        query = text("select user_id from user_by_email(:email)")
        return connection.execute(query, {"email": email}).one_or_none() is not None


def add(connection: Connection, home: UUID, user_id: UUID, provider: str, claims: Claims) -> UUID:
    """Link an identity, in a transaction of the person's home; its id. Conflict when it is somebody's already."""
    identity_id = uuid4()
    try:
        with connection.begin_nested():
            connection.execute(
                text(
                    "insert into sso_identities (identity_id, org_id, user_id, provider, issuer, subject, email)"
                    " values (:id, :org, :user, :provider, :issuer, :subject, :email)"
                ),
                {
                    "id": identity_id,
                    "org": home,
                    "user": user_id,
                    "provider": provider,
                    "issuer": claims.issuer,
                    "subject": claims.subject,
                    "email": claims.email or "",
                },
            )
    except IntegrityError as error:
        raise Conflict("This identity is linked with an account already.", code="identity_taken") from error
    return identity_id


def every(connection: Connection, user_id: UUID) -> list[Identity]:
    """A person's identities, the oldest first, at home."""
    rows = connection.execute(
        text(
            "select identity_id, provider, email, created_at, last_used_at from sso_identities"
            " where user_id = :user order by created_at, identity_id"
        ),
        {"user": user_id},
    )
    return [Identity(**row._mapping) for row in rows]  # noqa: SLF001 - as above


def remove(connection: Connection, person: Person, identity_id: UUID) -> str:
    """Unlink one, at home; its provider. NotFound, or Conflict where nothing would be left to log in with.

    Two who unlink at once wait for each other, so that not both take the one before the last.
    """
    rows = connection.execute(
        text("select identity_id, provider from sso_identities where user_id = :user for update"),
        {"user": person.user_id},
    ).all()
    providers = {row.identity_id: row.provider for row in rows}
    if identity_id not in providers:
        raise NotFound("You have no such identity.")
    if len(providers) == 1 and not has_password(connection, person.user_id):
        raise Conflict("You have no password: without this identity you could not log in any more.", code="last_way")
    connection.execute(text("delete from sso_identities where identity_id = :id"), {"id": identity_id})
    return str(providers[identity_id])


def has_password(connection: Connection, user_id: UUID) -> bool:
    query = text("select 1 from password_of_person(:user)")
    return connection.execute(query, {"user": user_id}).one_or_none() is not None


def note_use(connection: Connection, identity_id: UUID) -> None:
    query = text("update sso_identities set last_used_at = now() where identity_id = :id")
    connection.execute(query, {"id": identity_id})
