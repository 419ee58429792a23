"""Makes a backup: one snapshot of every table, then the objects, straight into an encrypted file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from adloom import clock
from adloom.backup import archive, contents, files, keys, objects, tables
from adloom.backup.archive import Member
from adloom.backup.contents import Header, Manifest, TableSum
from adloom.backup.objects import ObjectTally
from adloom.backup.rowsum import RowSum
from adloom.db import migrate
from adloom.errors import ConfigurationError, Unavailable
from adloom.storage import Storage

# Large enough that the tar's headers do not count, small enough that memory does not.
_PIECE = 1 << 20

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Made:
    """A backup that was made. `rows` and `objects` are what is in it, `size` is that of the file in bytes."""

    path: Path
    size: int
    rows: dict[str, int]
    objects: int
    removed: list[Path]


def make(
    database_url: str,
    storage: Storage,
    folder: Path,
    *,
    recipients: list[Any],
    rings: keys.Rings,
    keep: int | None = None,
    progress: Progress = lambda _what, _done: None,
) -> Made:
    """Back up into a new file in the folder; with `keep`, only so many of the newest stay.

    Unavailable or ConfigurationError when something fails, and then there is no file and none was removed.
    """
    moment = clock.real_now()
    name = files.name_for(moment)
    with files.new_file(folder, name) as file, _connected(database_url) as connection:
        copy = _Copy(connection, storage, rings, moment.isoformat(timespec="seconds"), progress)
        # Closed first when writing fails: a connection amid a COPY could not be.
        with closing(copy.members()) as members:
            archive.write(members, file, recipients, int(moment.timestamp()))
    path = folder / name
    removed = files.prune(folder, keep) if keep is not None else []
    rows = {table: total.rows for table, total in copy.sums.items()}
    return Made(path, path.stat().st_size, rows, copy.tally.count, removed)


class _Copy:
    """The members of one backup, in the order of the file."""

    def __init__(
        self, connection: tables.Connection, storage: Storage, rings: keys.Rings, made_at: str, progress: Progress
    ) -> None:
        self._connection = connection
        self._storage = storage
        self._rings = rings
        self._made_at = made_at
        self._progress = progress
        self.sums: dict[str, RowSum] = {}
        self.tally = ObjectTally()

    def members(self) -> Generator[Member, None, None]:
        found = _snapshot(self._connection)
        yield contents.member(contents.HEADER, self._header(found))
        for table in found:
            yield from self._table(table)
        positions = tables.positions(self._connection)
        last_head = tables.last_head(self._connection)
        # The snapshot holds back the database's cleaning, and objects may take hours.
        self._connection.rollback()
        for member in objects.members(self._storage, self.tally, last_head):
            yield member
            self._progress("objects", self.tally.count)
        sums = {name: TableSum.model_validate(total.record()) for name, total in self.sums.items()}
        yield contents.member(contents.MANIFEST, Manifest(tables=sums, sequences=positions, objects=self.tally.total))

    def _header(self, found: list[tables.Table]) -> Header:
        revision = tables.revision(self._connection)
        if revision is None:
            raise ConfigurationError("The database has no migrations yet; there is nothing to back up")
        return Header(
            format=contents.FORMAT,
            adloom=contents.own_version(),
            made_at=self._made_at,
            revision=revision,
            server=str(self._connection.execute("show server_version").fetchone()[0]),  # type: ignore[index]
            tables={table.name: list(table.columns) for table in found},
            key_rings={name: list(prints) for name, prints in self._rings.items()},
        )

    def _table(self, table: tables.Table) -> Iterator[Member]:
        total = self.sums[table.name] = RowSum()
        pieces = tables.rows(self._connection, table, total, _PIECE)
        for number, piece in enumerate(pieces, start=1):
            yield Member(f"{contents.TABLES}{table.name}/{number:06}", len(piece), [piece])
            self._progress(table.name, total.rows)


def _snapshot(connection: tables.Connection) -> list[tables.Table]:
    """Begin the snapshot and lock every table against changes of its form; what there is to copy."""
    # Between the snapshot and the locks no migration may come to its end, or the two would know different tables.
    with migrate.no_migration(connection):
        connection.execute("begin isolation level repeatable read, read only")
        tables.check_readable(connection)
        found = tables.listed(connection)
        for table in found:
            connection.execute(sql.SQL("lock table {} in access share mode").format(table.identifier))
    return found


@contextmanager
def _connected(url: str) -> Iterator[tables.Connection]:
    """A connection of the backup's role; a database that is away or goes away becomes Unavailable."""
    try:
        with tables.connect(url, "adloom-backup") as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(f"The role of backups may not do this: {error}", code="backup_privilege") from error
    except psycopg.OperationalError as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(f"The database does not answer: {reason}", code="database_down") from error
