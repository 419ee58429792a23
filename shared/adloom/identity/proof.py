"""Proof of who a person is: the password."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from adloom import audit, logs
from adloom.db import Database
from adloom.errors import Forbidden, Unauthenticated
from adloom.identity import passwords, people

log = logs.get(__name__)


@dataclass(frozen=True)
class Proven:
    """Somebody who gave the right password, or showed a linked identity: not logged in yet."""

    user_id: UUID
    org_id: UUID


def check_password(database: Database, email: str, password: str) -> Proven:
    """Who it is, for the right password.

    Unauthenticated with one and the same sentence whether the user is unknown or the password wrong, after the same
    work. The old hash is replaced when its parameters are not today's.
    """
    with database.system() as connection:
        query = text("select user_id, org_id, password_hash from login_by_email(:email)")
        found = connection.execute(query, {"email": email}).one_or_none()
    # Outside of the transaction: hashing takes its time, and no connection waits for it.
    if not passwords.verify(password, found.password_hash if found else None) or found is None:
        _failed(database, email, found.org_id if found else None, found.user_id if found else None)
        raise Unauthenticated("The e-mail address or the password is wrong.", code="wrong_login")
    if passwords.needs_rehash(found.password_hash):
        new_hash = passwords.hash_password(password)
        with database.tenant(found.org_id) as connection:
            connection.execute(
                text(
                    "update user_credentials set password_hash = :new, updated_at = now()"
                    " where user_id = :user and password_hash = :old"
                ),
                {"new": new_hash, "old": found.password_hash, "user": found.user_id},
            )
    return Proven(found.user_id, found.org_id)


def _failed(database: Database, email: str, org_id: UUID | None, user_id: UUID | None) -> None:
    """The same work whether there is such an account or not. What was typed for an address is kept nowhere: it may be
    a password.
    """
    log.warning("login_failed", known=user_id is not None)
    said = {"reason": "wrong_password" if user_id else "unknown_address"}
    key, target = email.strip().lower(), ("member", user_id or "unknown")
    audit.note_first(database, "login.failed", key, org_id=org_id, target=target, new=said)


def check_own_password(database: Database, user_id: UUID, password: str) -> None:
    """Forbidden unless it is this person's password; the session stays what it is. Whoever logs in by a provider may
    have none.
    """
    with database.system() as connection:
        query = text("select password_hash from password_of_person(:user)")
        found = connection.execute(query, {"user": user_id}).scalar_one_or_none()
    if not passwords.verify(password, found):
        if found is None:
            raise Forbidden(
                "You have no password yet: have a link mailed to you by POST /password/forgotten.", code="no_password"
            )
        log.warning("proof_failed", user_id=str(user_id))
        said = {"reason": "wrong_password", "logged_in": True}
        home, target = people.by_id(database, user_id).home, ("member", user_id)
        audit.note_first(database, "login.failed", user_id, org_id=home, target=target, new=said)
        raise Forbidden("The password is wrong.", code="wrong_password")
