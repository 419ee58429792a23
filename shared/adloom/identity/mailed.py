"""Links that prove that somebody reads the mails of an address: for a new password, for the address itself, and for an
organisation of one's own. Each works once and for a while, and is stored as its hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import Conflict, NotFound
from adloom.identity import members, password_rules, passwords, people, sessions
from adloom.identity.members import NewMember
from adloom.identity.tokens import VERIFICATION_PREFIX, new_token, token_hash

Purpose = Literal["reset", "verify"]

RESET_LIFE = timedelta(hours=1)
VERIFY_LIFE = timedelta(days=3)
REGISTER_LIFE = timedelta(days=1)


@dataclass(frozen=True)
class Link:
    """A link that works still. `email` is the address it was mailed to, `current_email` the account's."""

    hash: bytes
    org_id: UUID
    user_id: UUID
    email: str
    name: str
    current_email: str


def gone() -> NotFound:
    """What whoever holds no link that works is told."""
    return NotFound("This link has expired or was used already; ask for a new one.", code="link_gone")


def ask_for_reset(database: Database, email: str, token: str, sealed: bytes) -> None:
    """Write the mail with the link, or one that says that there is no account. Nobody but the mailbox learns which."""
    with database.system() as connection:
        connection.execute(
            text("select ask_for_reset(:email, :hash, :sealed, :life, :valid)"),
            {
                "email": email,
                "hash": token_hash(token),
                "sealed": sealed,
                "life": RESET_LIFE,
                "valid": said(RESET_LIFE),
            },
        )


def look(database: Database, token: str, purpose: Purpose) -> Link:
    """The link of a token; NotFound when it does not work any more."""
    with database.system() as connection:
        query = text("select * from mailed_link_by_token(:hash, :purpose)")
        row = connection.execute(query, {"hash": token_hash(token), "purpose": purpose}).one_or_none()
    if row is None:
        raise gone()
    return Link(hash=token_hash(token), **row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def claim(connection: Connection, link: Link, purpose: Purpose) -> None:
    """Use it up, and the others of its purpose with it; NotFound when another request did before."""
    query = text("update mailed_links set used_at = now() where token_hash = :hash and used_at is null")
    if connection.execute(query, {"hash": link.hash}).rowcount != 1:
        raise gone()
    connection.execute(
        text(
            "update mailed_links set used_at = now() where user_id = :user and purpose = :purpose and used_at is null"
        ),
        {"user": link.user_id, "purpose": purpose},
    )


def check_new_password(link: Link, password: str) -> str:
    """The hash of a password that this person may set; ValidationFailed otherwise."""
    password_rules.check(password, link.name, link.current_email)
    return passwords.hash_password(password)


def set_password(connection: Connection, user_id: UUID, password_hash: str, *, but: UUID | None = None) -> None:
    """Give the person another password, at home: all sessions end (but one), and so do open log-ins and links, those
    to another address too: whoever had the old password may have asked for one.
    """
    connection.execute(
        # Whoever came by an identity provider has none yet.
        text(
            "insert into user_credentials (user_id, org_id, password_hash)"
            " select user_id, org_id, :hash from users where user_id = :user"
            " on conflict (user_id) do update set password_hash = excluded.password_hash, updated_at = now()"
        ),
        {"hash": password_hash, "user": user_id},
    )
    query = text("update mailed_links set used_at = now() where user_id = :user and used_at is null")
    connection.execute(query, {"user": user_id})
    sessions.end_all(connection, user_id, but=but, because="password")


def mark_verified(connection: Connection, user_id: UUID) -> None:
    """Note, at home, that the person reads the mails of the account's address."""
    query = "update users set email_verified_at = coalesce(email_verified_at, now()) where user_id = :user"
    connection.execute(text(query), {"user": user_id})


def ask_to_verify(connection: Connection, person: people.Person, email: str) -> str:
    """A link for this address, in a transaction of the person's home; its token, shown this once."""
    token = new_token(VERIFICATION_PREFIX)
    connection.execute(
        text(
            "insert into mailed_links (token_hash, org_id, user_id, purpose, email, expires_at)"
            " values (:hash, :org, :user, 'verify', :email, :expires)"
        ),
        {
            "hash": token_hash(token),
            "org": person.home,
            "user": person.user_id,
            "email": email,
            "expires": real_now() + VERIFY_LIFE,
        },
    )
    return token


def verify(connection: Connection, link: Link) -> None:
    """Take the address of a link as the account's, at home. Conflict when another account has it by now.
    Resets that were mailed to the address before it work no more.
    """
    claim(connection, link, "verify")
    if link.email != link.current_email:
        query = text("update mailed_links set used_at = now() where user_id = :user and used_at is null")
        connection.execute(query, {"user": link.user_id})
    try:
        with connection.begin_nested():
            connection.execute(
                text("update users set email = :email, email_verified_at = now() where user_id = :user"),
                {"email": link.email, "user": link.user_id},
            )
    except IntegrityError as error:
        raise Conflict("This address belongs to another account.", code="email_taken") from error


def ask_to_register(database: Database, email: str, token: str, sealed: bytes, sealed_login: bytes) -> None:
    """Write the mail with the link, or one that says that there is an account already."""
    with database.system() as connection:
        connection.execute(
            text("select ask_to_register(:email, :hash, :sealed, :login, :life, :valid)"),
            {
                "email": email,
                "hash": token_hash(token),
                "sealed": sealed,
                "login": sealed_login,
                "life": REGISTER_LIFE,
                "valid": said(REGISTER_LIFE),
            },
        )


def registration(database: Database, token: str) -> str:
    """The address of somebody who registers; NotFound when the link does not work any more."""
    with database.system() as connection:
        query = text("select email from registration_by_token(:hash)")
        email = connection.execute(query, {"hash": token_hash(token)}).scalar_one_or_none()
    if email is None:
        raise gone()
    return str(email)


def register(database: Database, token: str, organisation: str, name: str, password: str) -> tuple[UUID, UUID]:
    """An organisation and its owner; their ids. NotFound when the link does not work any more."""
    owner = NewMember(registration(database, token), name, password, "owner", verified=True)

    def use_up(connection: Connection) -> None:
        query = text("select email from claim_registration(:hash)")
        if connection.execute(query, {"hash": token_hash(token)}).scalar_one_or_none() is None:
            raise gone()

    return members.create_organisation(database, organisation, owner, first=use_up)


def said(life: timedelta) -> str:
    """`1 hour`, `3 days`."""
    hours = int(life.total_seconds()) // 3600
    number, unit = (hours, "hour") if hours < 24 else (hours // 24, "day")  # noqa: PLR2004 - hours of a day
    if (number, unit) == (1, "day"):
        number, unit = 24, "hour"
    return f"{number} {unit}{'s' if number != 1 else ''}"
