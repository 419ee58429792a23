"""The server that a backup is to fill: refused unless it is empty, and brought to the backup's migration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from adloom.backup import tables
from adloom.backup.contents import Header
from adloom.db import migrate, timescale_sums
from adloom.errors import Conflict, InvalidRequest, Unavailable


@contextmanager
def connected(admin_url: str) -> Iterator[tables.Connection]:
    """A connection of the administrator, without a transaction; a server that is away becomes Unavailable."""
    try:
        with tables.connect(admin_url, "adloom-restore") as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise _away(error) from error
    except psycopg.IntegrityError as error:
        raise Conflict(f"The database refuses the rows of the backup: {_first_line(error)}") from error


def _away(error: psycopg.OperationalError) -> Unavailable:
    return Unavailable(f"The database does not answer: {_first_line(error)}", code="database_down")


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]


def check(admin_url: str) -> None:
    """Conflict unless there is no such database yet, or an empty one. Changes nothing."""
    try:
        there = migrate.database_exists(admin_url)
    except psycopg.OperationalError as error:
        raise _away(error) from error
    if there:
        with connected(admin_url) as connection:
            check_empty(connection)


def check_empty(connection: tables.Connection) -> None:
    """Conflict unless there are no tables, or only ours and without a row."""
    found = tables.listed(connection)
    if not found:
        return
    advice = "A backup goes into an empty one only: name another in admin-database-url, or drop this one first"
    if tables.revision(connection) is None:
        raise Conflict(f"The database holds tables that are not Adloom's. {advice}", code="database_not_empty")
    with connection.transaction(force_rollback=True):
        unguard(connection, found)
        filled = [table.name for table in found if _has_rows(connection, table)]
    if filled:
        names = ", ".join(name.removeprefix("public.") for name in sorted(filled)[:3])
        more = f" and {len(filled) - 3} more tables" if len(filled) > 3 else ""  # noqa: PLR2004 - as many as are shown
        raise Conflict(f"The database is not empty: {names}{more} have rows. {advice}", code="database_not_empty")


def _has_rows(connection: tables.Connection, table: tables.Table) -> bool:
    row = connection.execute(sql.SQL("select exists (select from {})").format(table.identifier)).fetchone()
    return row == (True,)


def unguard(connection: tables.Connection, found: list[tables.Table]) -> None:
    """Let the owner see and write all rows, for the length of a transaction: an owner obeys forced row security."""
    for table in found:
        if table.forces_row_security:
            connection.execute(sql.SQL("alter table {} no force row level security").format(table.identifier))


def guard(connection: tables.Connection, found: list[tables.Table]) -> None:
    for table in found:
        if table.forces_row_security:
            connection.execute(sql.SQL("alter table {} force row level security").format(table.identifier))


def mark_stored_sums(connection: tables.Connection) -> None:
    """Where TimescaleDB stores sums, have readers take rows until they are made: the restored rows are in none yet."""
    if connection.execute("select to_regprocedure('public.sums_are_stored()') is not null").fetchone() != (True,):
        return
    if connection.execute("select public.sums_are_stored()").fetchone() == (True,):
        connection.execute(timescale_sums.MARK_WHAT_IS_THERE.encode())


def check_known(header: Header) -> None:
    """InvalidRequest for a backup at a migration that this version does not have."""
    if header.revision not in migrate.revisions():
        raise InvalidRequest(
            f"This backup is at the migration {header.revision}, which this Adloom does not know: it was made by "
            f"version {header.adloom}. Install that one or a newer one",
            code="backup_too_new",
        )


def bring_to(admin_url: str, revision: str) -> None:
    """Make the database unless it is there, and bring it to a migration, up or down; it is empty."""
    migrate.create_database(admin_url)
    with connected(admin_url) as connection:
        present = tables.revision(connection)
    known = migrate.revisions()
    if present is not None and (present not in known or known.index(present) > known.index(revision)):
        migrate.downgrade(admin_url, revision)
    else:
        migrate.upgrade(admin_url, revision)
