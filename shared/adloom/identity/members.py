"""Organisations and their members."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from adloom import audit
from adloom.db import Database
from adloom.errors import Conflict
from adloom.identity import password_rules, passwords
from adloom.identity.principal import ALL_ACCOUNTS
from adloom.identity.roles import Role

# Any number of our own: two set-ups at once wait for each other.
_SETUP_LOCK = 0x41_44_4C_53  # "ADLS"
_CREDENTIALS = "insert into user_credentials (user_id, org_id, password_hash) values (:user, :org, :hash)"


@dataclass(frozen=True)
class NewMember:
    """A person to be made. `email` in any case; `password` in clear, until it is hashed. `demo` is the owner that the
    sandbox's demo starts with; `verified` whoever came by a link that was mailed to the address.
    """

    email: str
    name: str
    password: str
    role: Role
    account_scope: str = ALL_ACCOUNTS
    demo: bool = False
    verified: bool = False


def set_up(database: Database, organisation: str, owner: NewMember) -> tuple[UUID, UUID]:
    """Make the first organisation and its owner; their ids. Conflict once there is one."""
    password_hash = _hashed(owner)
    org_id = uuid4()
    with database.tenant(org_id) as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _SETUP_LOCK})
        if not connection.execute(text("select needs_setup()")).scalar_one():
            raise Conflict("This installation is set up already; log in.", code="already_set_up")
        _insert_organisation(connection, org_id, organisation)
        user_id = _insert(connection, org_id, owner, password_hash)
        _note(connection, org_id, user_id, owner, organisation)
    return org_id, user_id


def needs_setup(database: Database) -> bool:
    """Whether nobody has set this installation up yet."""
    with database.system() as connection:
        return bool(connection.execute(text("select needs_setup()")).scalar_one())


def create(
    database: Database, org_id: UUID, member: NewMember, first: Callable[[Connection], None] | None = None
) -> UUID:
    """Make a person and the membership; the user's id. Conflict when the address is taken, in whatever organisation.

    `first` is done in the same transaction and may raise.
    """
    password_hash = _hashed(member)
    with _one_address(), database.tenant(org_id) as connection:
        if first is not None:
            first(connection)
        user_id = _insert(connection, org_id, member, password_hash)
        _note(connection, org_id, user_id, member)
    return user_id


def create_organisation(
    database: Database, organisation: str, owner: NewMember, first: Callable[[Connection], None]
) -> tuple[UUID, UUID]:
    """Make an organisation and its owner, after `first` in the same transaction; their ids."""
    password_hash, org_id = _hashed(owner), uuid4()
    with _one_address(), database.tenant(org_id) as connection:
        first(connection)
        _insert_organisation(connection, org_id, organisation)
        user_id = _insert(connection, org_id, owner, password_hash)
        _note(connection, org_id, user_id, owner, organisation)
    return org_id, user_id


def add_without_password(connection: Connection, org_id: UUID, email: str, name: str) -> UUID:
    """A viewer who comes by an identity provider, in a transaction of the organisation; the user's id. The address is
    one that the provider has verified. Conflict when it is taken.
    """
    with _one_address(), connection.begin_nested():
        return _insert(connection, org_id, NewMember(email, name, "", "viewer", verified=True), None)


def _hashed(member: NewMember) -> str:
    password_rules.check(member.password, member.name, member.email)
    return passwords.hash_password(member.password)


@contextmanager
def _one_address() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if "users_email" in str(error.orig):
            raise Conflict("There is a user of this e-mail address already.", code="email_taken") from error
        raise


def _note(connection: Connection, org_id: UUID, user_id: UUID, member: NewMember, organisation: str = "") -> None:
    """The trail of a new member, and of the organisation that is made with it."""
    who = audit.by(user_id)
    if organisation:
        target, name = ("organisation", org_id), {"name": organisation}
        audit.record(connection, "organisation.made", org_id=org_id, target=target, new=name, actor=who)
        audit.record(connection, "organisation.made", org_id=None, target=target, new=name, actor=who)
    said = {"role": member.role, "accounts": member.account_scope}
    audit.record(connection, "member.added", org_id=org_id, target=("member", user_id), new=said, actor=who)


def _insert_organisation(connection: Connection, org_id: UUID, name: str) -> None:
    query = text("insert into organisations (org_id, name) values (:org, :name)")
    connection.execute(query, {"org": org_id, "name": name})


def _insert(connection: Connection, org_id: UUID, member: NewMember, password_hash: str | None) -> UUID:
    user_id = uuid4()
    values = {
        "org": org_id,
        "user": user_id,
        "email": member.email.strip().lower(),
        "name": member.name,
        "hash": password_hash,
        "role": member.role,
        "scope": member.account_scope,
        "demo": member.demo,
        "verified": member.verified,
    }
    for statement in (
        (
            "insert into users (user_id, org_id, email, name, demo, email_verified_at)"
            " values (:user, :org, :email, :name, :demo, case when :verified then now() end)"
        ),
        *([_CREDENTIALS] if password_hash is not None else []),
        "insert into memberships (org_id, user_id, role, account_scope) values (:org, :user, :role, :scope)",
    ):
        connection.execute(text(statement), values)
    return user_id
