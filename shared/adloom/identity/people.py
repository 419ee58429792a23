"""A person, whatever organisation a session of theirs is in.

What belongs to the log-in (password, second factor) is kept in the person's home organisation: `at_home` is the
transaction for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.db import Database
from adloom.errors import NotFound


@dataclass(frozen=True)
class Person:
    """`privileged`: owner or admin somewhere. `confirmed_at`: since when there is a second factor."""

    user_id: UUID
    home: UUID
    email: str
    name: str
    confirmed_at: datetime | None
    privileged: bool
    demo: bool

    def needs_second_factor(self, *, sandbox: bool) -> bool:
        """Owners and admins log in with a second factor, except the demo's owner beside a sandbox."""
        return self.privileged and not (self.demo and sandbox)


def find(connection: Connection, user_id: UUID) -> Person:
    """The person; NotFound when nobody has this id."""
    row = connection.execute(text("select * from person_of(:user)"), {"user": user_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such person.")
    return Person(user_id=user_id, **row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def by_id(database: Database, user_id: UUID) -> Person:
    """The same, outside of a transaction."""
    with database.statements() as connection:
        return find(connection, user_id)


@contextmanager
def at_home(database: Database, user_id: UUID) -> Iterator[tuple[Connection, Person]]:
    """A transaction of the person's home organisation."""
    with database.system() as connection:
        person = find(connection, user_id)
        query = "select set_config('app.org_id', :org, true), set_config('app.account_scope', '*', true)"
        connection.execute(text(query), {"org": str(person.home)})
        yield connection, person


def rename(connection: Connection, user_id: UUID, name: str) -> None:
    """Give a person another name, in a transaction of the home."""
    connection.execute(text("update users set name = :name where user_id = :user"), {"name": name, "user": user_id})


def verified_at(connection: Connection, user_id: UUID) -> datetime | None:
    """Since when the person's address is verified, in a transaction of the home."""
    query = text("select email_verified_at from users where user_id = :user")
    found: datetime | None = connection.execute(query, {"user": user_id}).scalar_one()
    return found
