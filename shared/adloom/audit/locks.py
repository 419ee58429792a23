"""Only one signs, and nobody archives while somebody verifies: advisory locks that end with their connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from adloom.db import Database

_SPACE = 0x41_55_44  # "AUD"
HEADS, ARCHIVE = 1, 2


@contextmanager
def exclusive(database: Database, which: int) -> Iterator[Connection | None]:
    """Hold the lock for the block; yields the connection that holds it, None when another does."""
    with database.statements() as connection:
        key = {"space": _SPACE, "which": which}
        held = bool(connection.execute(text("select pg_try_advisory_lock(:space, :which)"), key).scalar_one())
        try:
            yield connection if held else None
        finally:
            if held and not connection.invalidated:
                connection.execute(text("select pg_advisory_unlock(:space, :which)"), key)


@contextmanager
def shared(connection: Connection, which: int) -> Iterator[None]:
    """Keep whoever wants it alone from beginning; waits for one who has it. On a connection of `statements`, which may
    hold another lock already.
    """
    key = {"space": _SPACE, "which": which}
    connection.execute(text("select pg_advisory_lock_shared(:space, :which)"), key)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.execute(text("select pg_advisory_unlock_shared(:space, :which)"), key)
