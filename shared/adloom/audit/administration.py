"""What the database's administrator does: migrations and restores. They stand in the deployment's chain."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import Connection, text

from adloom.audit.trail import body_of
from adloom.db import migrate
from adloom.db.engine import CONNECT_TIMEOUT_S

_APPEND = "audit_append(uuid, text)"


def upgrade(admin_url: str, revision: str = "head") -> None:
    """Bring the database to a migration, and say so in the trail where anything changed.

    A process that dies between the two leaves the migration without its event; the log of whoever ran it has it.
    """
    before = revision_of(admin_url)
    migrate.upgrade(admin_url, revision)
    _note_move(admin_url, before)


def downgrade(admin_url: str, revision: str) -> None:
    """The way back; below the migration that brought the trail there is none to say it in."""
    before = revision_of(admin_url)
    migrate.downgrade(admin_url, revision)
    _note_move(admin_url, before)


def note(admin_url: str, action: str, *, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None) -> None:
    """Write an event as the administrator; nothing where the database has no trail."""
    body = body_of(action, old=old, new=new)
    with psycopg.connect(admin_url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        if connection.execute("select to_regprocedure(%s) is not null", (_APPEND,)).fetchone() == (True,):
            connection.execute("select audit_append(null, %s)", (body,))


def has_trail(connection: Connection) -> bool:
    """Whether the database has come to the migration that brought the trail."""
    found = connection.execute(text("select to_regprocedure(:append) is not null"), {"append": _APPEND})
    return bool(found.scalar_one())


def revision_of(admin_url: str) -> str | None:
    """The migration that a database is at; None where it has none."""
    with psycopg.connect(admin_url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        if connection.execute("select to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None


def _note_move(admin_url: str, before: str | None) -> None:
    """A database that was only made now has no event of it: it stays empty, so that a backup can go into it."""
    if before is not None and (after := revision_of(admin_url)) != before:
        note(admin_url, "database.migrated", old={"revision": before}, new={"revision": after})
