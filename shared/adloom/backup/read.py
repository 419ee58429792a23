"""Walks through a backup and holds everything in it against what it says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol

from adloom.backup import archive, contents
from adloom.backup.archive import Entry
from adloom.backup.contents import Header, Manifest, TableSum
from adloom.backup.objects import ObjectTally
from adloom.backup.rowsum import RowSum

_CHUNK = 1 << 18


class Visitor(Protocol):
    """What is told of a backup while it is walked through, in this order."""

    def begin(self, header: Header) -> None:
        """The first thing that is read."""

    def rows(self, table: str, lines: bytes) -> None:
        """Whole rows in COPY's text format; all pieces of a table come one after the other."""

    def end_of_rows(self) -> None:
        """Objects follow, or nothing."""

    def object(self, key: str, size: int, chunks: Iterator[bytes]) -> bytes:
        """An object; must read its chunks to the end, and give their SHA-256."""


class Looking:
    """A visitor that only reads."""

    def begin(self, header: Header) -> None:
        contents.check_format(header)

    def rows(self, table: str, lines: bytes) -> None:
        """Counted by the walk itself."""

    def end_of_rows(self) -> None:
        """Nothing hangs on it."""

    def object(self, key: str, size: int, chunks: Iterator[bytes]) -> bytes:  # noqa: ARG002 - as it is called
        return digest(chunks)


@dataclass(frozen=True)
class Whole:
    """A backup that was read to its end and is what it says."""

    header: Header
    manifest: Manifest


def digest(chunks: Iterable[bytes]) -> bytes:
    total = sha256()
    for chunk in chunks:
        total.update(chunk)
    return total.digest()


def walk(path: Path, identities: list[Any], visitor: Visitor) -> Whole:
    """Tell the visitor of everything in the file; InvalidRequest when it is damaged or the identity is wrong."""
    walking = _Walk(visitor)
    with archive.opened(path, identities) as entries:
        for entry in entries:
            walking.step(entry)
    return walking.finish()


class _Walk:
    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._header: Header | None = None
        self._manifest: Manifest | None = None
        self._sums: dict[str, RowSum] = {}
        self._tally = ObjectTally()
        self._rows_ended = False

    def step(self, entry: Entry) -> None:
        if self._header is None:
            self._begin(entry)
        elif self._manifest is not None:
            raise archive.damaged("it goes on behind its end")
        elif entry.name.startswith(contents.TABLES) and not self._rows_ended:
            self._rows(entry)
        elif entry.name.startswith(contents.OBJECTS):
            self._end_rows()
            found = self._visitor.object(entry.key, entry.size, _chunks(entry.body))
            self._tally.add(entry.key, entry.size, found)
        elif entry.name == contents.MANIFEST:
            self._end_rows()
            self._manifest = contents.parse(Manifest, entry.body.read())
        else:
            raise archive.damaged(f"{entry.name} does not belong there")

    def _begin(self, entry: Entry) -> None:
        if entry.name != contents.HEADER:
            raise archive.damaged("it does not say what it is")
        self._header = contents.parse(Header, entry.body.read())
        self._sums = {table: RowSum() for table in self._header.tables}
        self._visitor.begin(self._header)

    def _rows(self, entry: Entry) -> None:
        table = entry.name.removeprefix(contents.TABLES).rpartition("/")[0]
        if table not in self._sums:
            raise archive.damaged(f"it has rows of {table}, which it does not name")
        lines = entry.body.read()
        self._sums[table].add(lines)
        self._visitor.rows(table, lines)

    def _end_rows(self) -> None:
        if not self._rows_ended:
            self._rows_ended = True
            self._visitor.end_of_rows()

    def finish(self) -> Whole:
        if self._header is None or self._manifest is None:
            raise archive.damaged("its end is missing")
        found = {name: TableSum.model_validate(total.record()) for name, total in self._sums.items()}
        check_sums(self._manifest.tables, found)
        if self._tally.total != self._manifest.objects:
            raise archive.damaged("its objects do not add up to what its end says")
        return Whole(self._header, self._manifest)


def check_sums(expected: dict[str, TableSum], found: dict[str, TableSum]) -> None:
    """InvalidRequest names the tables whose rows are not what the backup's end says."""
    if different := sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name)):
        raise archive.damaged(f"the rows of {', '.join(different)} do not add up to what its end says")


def _chunks(body: IO[bytes]) -> Iterator[bytes]:
    while chunk := body.read(_CHUNK):
        yield chunk
