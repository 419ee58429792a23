"""Sessions: log in, look up, log out. All of it on real time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import text

from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import NotFound, Unauthenticated
from adloom.identity import passwords
from adloom.identity.policy import SessionSettings
from adloom.identity.principal import Kind, Principal
from adloom.identity.roles import Role
from adloom.identity.tokens import new_session_token, token_hash


@dataclass(frozen=True)
class Session:
    """A new session; `token` is shown this once."""

    token: str
    expires_at: datetime
    user_id: UUID
    org_id: UUID


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


def log_in(database: Database, email: str, password: str, policy: SessionSettings) -> Session:
    """A new session for the right password.

    Unauthenticated with one and the same sentence whether the user is unknown or the password wrong, after the same
    work. The old hash is replaced when its parameters are not today's.
    """
    with database.system() as connection:
        query = text("select user_id, org_id, password_hash from login_by_email(:email)")
        found = connection.execute(query, {"email": email}).one_or_none()
    # Outside of the transaction: hashing takes its time, and no connection waits for it.
    if not passwords.verify(password, found.password_hash if found else None) or found is None:
        raise Unauthenticated("The e-mail address or the password is wrong.", code="wrong_login")
    new_hash = passwords.hash_password(password) if passwords.needs_rehash(found.password_hash) else None
    token, now = new_session_token(), real_now()
    with database.tenant(found.org_id) as connection:
        if new_hash is not None:
            connection.execute(
                text(
                    "update user_credentials set password_hash = :new, updated_at = now()"
                    " where user_id = :user and password_hash = :old"
                ),
                {"new": new_hash, "old": found.password_hash, "user": found.user_id},
            )
        connection.execute(
            text(
                "insert into sessions (session_id, org_id, user_id, token_hash, created_at, last_used_at,"
                " idle_expires_at, expires_at) values (:id, :org, :user, :hash, :now, :now, :idle, :expires)"
            ),
            {
                "id": uuid4(),
                "org": found.org_id,
                "user": found.user_id,
                "hash": token_hash(token),
                "now": now,
                "idle": now + policy.idle,
                "expires": now + policy.absolute,
            },
        )
    return Session(token, min(now + policy.idle, now + policy.absolute), found.user_id, found.org_id)


def log_out(database: Database, principal: Principal) -> None:
    """End the principal's session at once, everywhere. Twice is harmless."""
    with database.tenant(principal.org_id) as connection:
        connection.execute(
            text("update sessions set revoked_at = now() where session_id = :id and revoked_at is null"),
            {"id": principal.session_id},
        )


def principal_by_token(
    database: Database, token: str, organisation: UUID | None, policy: SessionSettings
) -> Principal | None:
    """Who holds this token; None when it is unknown, expired or revoked. Notes the use of a session.

    `organisation` is what the operator named; a member has the session's own and no choice.
    """
    with database.system() as connection:
        row = connection.execute(
            text("select * from principal_by_token(:hash, :idle)"), {"hash": token_hash(token), "idle": policy.idle}
        ).one_or_none()
        if row is None:
            return None
        org_id = row.org_id
        if row.kind == "operator":
            known = [
                UUID(str(each)) for each in connection.execute(text("select org_id from all_organisations()")).scalars()
            ]
            if organisation is not None and organisation not in known:
                raise NotFound("There is no organisation of that id.", code="organisation_unknown")
            org_id = organisation or (known[0] if len(known) == 1 else None)
    return Principal(
        kind=cast("Kind", row.kind),
        user_id=row.user_id,
        organisation_id=org_id,
        role=cast("Role", row.role),
        account_scope=row.account_scope,
        session_id=row.session_id,
        expires_at=row.expires_at,
    )


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


def organisation_name(database: Database, org_id: UUID) -> str:
    """The organisation's name."""
    with database.tenant(org_id) as connection:
        query = text("select name from organisations where org_id = :org")
        return cast("str", connection.execute(query, {"org": org_id}).scalar_one())


def purge(database: Database) -> int:
    """Delete the sessions that ended long enough ago; how many."""
    with database.system() as connection:
        return cast("int", connection.execute(text("select purge_sessions()")).scalar_one())
