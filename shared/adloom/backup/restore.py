"""Fills an empty server from a backup.

1. The whole file is read and held against its own sums, the rings against its fingerprints, and the bucket against its
   objects. Nothing has been written until then.
2. The empty database is brought to the migration of the backup.
3. In one transaction: rows and sequences, read back and compared; then the objects; then it commits. What is cut off
   before leaves an empty database, and can be begun again.
4. The migrations that came since are run, and the login roles get their passwords.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from psycopg import Copy, sql

from adloom.backup import keys, read, tables, target
from adloom.backup.contents import Header, Manifest, TableSum
from adloom.backup.make import Progress
from adloom.backup.read import Whole
from adloom.backup.rowsum import RowSum
from adloom.db import migrate
from adloom.errors import ConfigurationError, Conflict, Unavailable
from adloom.storage import Storage

_PIECE = 1 << 20
# Beyond this an object waits on the disk, not in memory.
_IN_MEMORY = 8 << 20


@dataclass(frozen=True)
class Server:
    """Where a backup goes, and what is known of it. `passwords`: login role -> password."""

    admin_url: str
    storage: Storage
    rings: keys.Rings
    passwords: Mapping[str, str]


def restore(
    path: Path,
    identities: list[Any],
    server: Server,
    *,
    without_keys: bool = False,
    progress: Progress = lambda _what, _done: None,
) -> Whole:
    """Fill the server; what was in the backup.

    InvalidRequest, Conflict or ConfigurationError before anything is written when the file, the server or the rings
    do not fit; Unavailable when something goes away on the way, and then nothing is committed.
    """
    target.check(server.admin_url)
    whole = read.walk(path, identities, _Checking(server, without_keys=without_keys, progress=progress))
    server.storage.make_bucket()
    target.bring_to(server.admin_url, whole.header.revision)
    with target.connected(server.admin_url) as connection, connection.transaction():
        # Somebody may have come in while the file was read.
        target.check_empty(connection)
        read.walk(path, identities, _Filling(connection, server.storage, whole, progress))
    with target.connected(server.admin_url) as connection:
        connection.execute("analyze")
    migrate.upgrade(server.admin_url)
    migrate.set_passwords(server.admin_url, server.passwords)
    return whole


class _Checking(read.Looking):
    """The first walk: whether everything fits."""

    def __init__(self, server: Server, *, without_keys: bool, progress: Progress) -> None:
        self._server = server
        self._without_keys = without_keys
        self._progress = progress
        storage = server.storage
        self._has_objects = storage.has_bucket() and next(storage.objects(), None) is not None
        self._rows = 0

    def begin(self, header: Header) -> None:
        super().begin(header)
        target.check_known(header)
        lacking = keys.missing(header.key_rings, self._server.rings)
        if lacking and not self._without_keys:
            raise ConfigurationError(
                f"{', '.join(lacking)}: this server has no such secret, or one without the keys of the backup, and the "
                "stored tokens cannot be opened then. Put the old server's secret in its place first. If it is lost: "
                "--without-keys restores all the same, and every ad account has to be connected again",
                code="key_ring_missing",
            )

    def rows(self, table: str, lines: bytes) -> None:  # noqa: ARG002 - as it is called
        self._rows += lines.count(b"\n")
        self._progress("checked", self._rows)

    def object(self, key: str, size: int, chunks: Iterator[bytes]) -> bytes:
        found = read.digest(chunks)
        there = self._server.storage.size(key) if self._has_objects else None
        if there is not None and (there != size or read.digest(self._server.storage.stream(key)[1]) != found):
            raise Conflict(
                f"The bucket holds another object under the key {key}. A restore overwrites nothing: name an empty "
                "bucket",
                code="object_differs",
            )
        return found


class _Filling(read.Looking):
    """The second walk, inside of the transaction."""

    def __init__(self, connection: tables.Connection, storage: Storage, whole: Whole, progress: Progress) -> None:
        self._connection = connection
        self._storage = storage
        self._manifest: Manifest = whole.manifest
        self._progress = progress
        self._tables: dict[str, tables.Table] = {}
        self._into: str | None = None
        self._copying: AbstractContextManager[Copy] | None = None
        self._copy: Copy | None = None
        self._done = 0

    def begin(self, header: Header) -> None:
        there = {table.name: table for table in tables.listed(self._connection)}
        for name, columns in header.tables.items():
            table = there.get(name)
            if table is None or set(table.columns) != set(columns):
                raise Conflict(f"{name} looks different at the migration {header.revision} of this Adloom")
            self._tables[name] = tables.Table(name, tuple(columns), table.forces_row_security, table.triggers)
        target.unguard(self._connection, list(self._tables.values()))
        self._drop_triggers()

    def rows(self, table: str, lines: bytes) -> None:
        if table != self._into:
            self._end_copy()
            self._begin_copy(self._tables[table])
        if self._copy is not None:
            self._copy.write(lines)
        self._done += lines.count(b"\n")
        self._progress("restored", self._done)

    def _begin_copy(self, table: tables.Table) -> None:
        statement = sql.SQL("copy {} ({}) from stdin").format(table.identifier, table.column_list)
        self._copying = self._connection.cursor().copy(statement)
        self._copy = self._copying.__enter__()
        self._into = table.name

    def _end_copy(self) -> None:
        if self._copying is not None:
            self._copying.__exit__(None, None, None)
        self._copying = self._copy = self._into = None

    def end_of_rows(self) -> None:
        self._end_copy()
        self._set_sequences()
        read.check_sums(self._manifest.tables, self._read_back())
        self._make_triggers()
        target.guard(self._connection, list(self._tables.values()))
        target.mark_stored_sums(self._connection)

    def _drop_triggers(self) -> None:
        """What they would do has been done where the rows come from. A hypertable's can't be switched off."""
        for table in self._tables.values():
            for name, _ in table.triggers:
                self._connection.execute(
                    sql.SQL("drop trigger {} on {}").format(sql.Identifier(name), table.identifier)
                )

    def _make_triggers(self) -> None:
        for table in self._tables.values():
            for _, definition in table.triggers:
                self._connection.execute(definition.encode())

    def _set_sequences(self) -> None:
        for name, position in self._manifest.sequences.items():
            values = (name, position.last_value, position.is_called)
            self._connection.execute("select setval(%s::regclass, %s, %s)", values)

    def _read_back(self) -> dict[str, TableSum]:
        found = {}
        for name, table in self._tables.items():
            total = RowSum()
            for _ in tables.rows(self._connection, table, total, _PIECE):
                self._progress("compared", total.rows)
            found[name] = TableSum.model_validate(total.record())
        return found

    def object(self, key: str, size: int, chunks: Iterator[bytes]) -> bytes:
        found = sha256()
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            for chunk in chunks:
                found.update(chunk)
                body.write(chunk)
            if self._storage.size(key) is None:
                body.seek(0)
                self._storage.put_file(key, body)
        if read.digest(self._storage.stream(key)[1]) != found.digest():
            raise Unavailable(f"The object storage gives back something else than it was given for {key}")
        self._progress("objects", size)
        return found.digest()
