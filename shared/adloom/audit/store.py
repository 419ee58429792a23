"""The trail as Postgres holds it, read across organisations: to verify, to sign, to archive and to export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.db import Database

DEPLOYMENT = "deployment"
# An event is at most 64 KiB and mostly half a kilobyte: what one read holds in memory.
SLICE = 500


def chain_of(org_id: UUID | None) -> str:
    """The name of an organisation's chain, or the deployment's."""
    return DEPLOYMENT if org_id is None else str(org_id)


@dataclass(frozen=True)
class End:
    """Where a chain ends. `archived` is the last position that is in the object storage only, 0 for none."""

    chain: str
    org_id: UUID | None
    last_position: int
    hash: bytes
    last_at: datetime | None
    archived: int
    archived_hash: bytes
    archived_until: datetime | None


@dataclass(frozen=True)
class Stored:
    """An event as it is stored; the columns beside `record` repeat what stands in it."""

    event_position: int
    recorded_at: datetime
    action: str
    actor_kind: str
    actor_id: str | None
    target_kind: str | None
    target_id: str | None
    record: str
    hash: bytes


@dataclass(frozen=True)
class HeadFile:
    """A file of signed heads that was stored."""

    sequence: int
    object_key: str
    file_hash: bytes
    made_at: datetime


@dataclass(frozen=True)
class Duty:
    """How signing (`heads`) or archiving (`archive`) went last; `problem` is a code, None when it went well."""

    duty: str
    done_at: datetime | None
    problem: str | None
    problem_since: datetime | None


def ends(database: Database) -> list[End]:
    """The end of every chain."""
    with database.system() as connection:
        rows = connection.execute(text("select * from audit_chain_ends()"))
        return [End(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def end_of(database: Database, chain: str) -> End | None:
    """The end of one chain; None when nothing has happened in it."""
    with database.system() as connection:
        query = text("select * from audit_chain_ends() where chain = :chain")
        row = connection.execute(query, {"chain": chain}).one_or_none()
    return None if row is None else End(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def events(database: Database, chain: str, after: int = 0) -> Iterator[Stored]:
    """The events of a chain after a position, in order; read slice by slice, each in a transaction of its own."""
    while found := slice_of(database, chain, after):
        yield from found
        after = found[-1].event_position


def slice_of(database: Database, chain: str, after: int, most: int = SLICE) -> list[Stored]:
    query = text("select * from audit_slice(:chain, :after, :most)")
    with database.system() as connection:
        rows = connection.execute(query, {"chain": chain, "after": after, "most": most})
        return [Stored(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def forget(connection: Connection, chain: str, last_position: int, last_hash: bytes) -> int:
    """Delete what is archived up to a position; how many events left. The database refuses younger ones."""
    query = text("select audit_forget(:chain, :last, :hash)")
    found = connection.execute(query, {"chain": chain, "last": last_position, "hash": last_hash})
    return cast("int", found.scalar_one())


def last_head(database: Database) -> HeadFile | None:
    with database.system() as connection:
        row = connection.execute(text("select * from audit_last_head()")).one_or_none()
    return None if row is None else HeadFile(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def stored_heads(database: Database) -> Iterator[HeadFile]:
    """Every file of heads that was noted, oldest first."""
    after, query = 0, text("select * from audit_stored_heads(:after, :most)")
    while True:
        with database.system() as connection:
            found = [HeadFile(**row._mapping) for row in connection.execute(query, {"after": after, "most": SLICE})]  # noqa: SLF001 - SQLAlchemy's public name for it
        yield from found
        if not found:
            return
        after = found[-1].sequence


def note_head(database: Database, head: HeadFile) -> None:
    query = text("select audit_note_head(:sequence, :object_key, :file_hash, :made_at)")
    with database.system() as connection:
        connection.execute(query, vars(head))


def note_duty(database: Database, duty: str, problem: str | None) -> None:
    """Say how a duty went; the time of the first failure stays until it went well."""
    with database.system() as connection:
        connection.execute(text("select audit_note_duty(:duty, :problem)"), {"duty": duty, "problem": problem})


def duties(database: Database) -> list[Duty]:
    with database.system() as connection:
        rows = connection.execute(text("select * from audit_duty_states()"))
        return [Duty(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it
