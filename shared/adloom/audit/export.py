"""Events as files: CSV for a table, JSON lines that are the very records whose hashes count."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adloom.audit import locks, store, values
from adloom.audit.archive import records, statements
from adloom.audit.chain import START, next_hash
from adloom.audit.signing import ForgedError, Trust
from adloom.db import Database
from adloom.errors import Conflict
from adloom.storage import Storage

COLUMNS = (
    *("position", "at", "action", "actor_kind", "actor_id", "session", "address", "agent"),
    *("target_kind", "target_id", "old", "new", "request", "role", "hash"),
)
# A spreadsheet takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(found: Iterable[tuple[dict[str, Any], bytes]]) -> Iterator[str]:
    """A header and one line per event, from records and hashes."""
    yield _line(COLUMNS)
    for record, digest in found:
        yield _line(_cells(record, digest))


def written(
    found: Iterable[tuple[str, bytes]], form: str, progress: Callable[[str, int], None]
) -> Iterator[tuple[str, int]]:
    """Lines of a file and how many events were written with each; `form` is `csv` or `jsonl`."""
    if form == "csv":
        yield _line(COLUMNS), 0
    for count, (record, digest) in enumerate(found, start=1):
        yield (_line(_cells(json.loads(record), digest)) if form == "csv" else record + "\n"), count
        progress("events", count)


def _cells(record: dict[str, Any], digest: bytes) -> list[str]:
    actor, target = record.get("actor", {}), record.get("target", {})
    named: dict[str, Any] = {
        **{name: record.get(name) for name in ("position", "at", "action", "request", "role")},
        **{name: actor.get(name) for name in ("session", "address", "agent")},
        **{f"actor_{name}": actor.get(name) for name in ("kind", "id")},
        **{f"target_{name}": target.get(name) for name in ("kind", "id")},
        **{name: values.dumps(record[name]) for name in ("old", "new") if name in record},
        "hash": digest.hex(),
    }
    return [_cell(named.get(column)) for column in COLUMNS]


def _cell(value: Any) -> str:
    if value is None or value == "":
        return ""
    said = str(value)
    return f"'{said}" if said.startswith(_FORMULA) else said


def _line(cells: Iterable[str]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerow(cells)
    return target.getvalue()


def whole(database: Database, storage: Storage, trust: Trust, chain: str) -> Iterator[tuple[str, bytes]]:
    """Every event of a chain with its hash, the oldest first: the archived ones, then those of the database.

    It follows the hashes; Conflict where they do not hold.
    """
    with database.statements() as lock, locks.shared(lock, locks.ARCHIVE):  # nothing moves from there to here meanwhile
        position, digest = 0, START
        for said in _files(storage, trust, chain):
            for record in records(storage, said):
                position, digest = position + 1, next_hash(digest, record)
                yield record, digest
            if (position, digest.hex()) != (said["last"], said["hash"]):
                raise _broken(chain, position)
        for event in store.events(database, chain, position):
            digest = next_hash(digest, event.record)
            if digest != event.hash or event.event_position != position + 1:
                raise _broken(chain, position + 1)
            position += 1
            yield event.record, digest


def _files(storage: Storage, trust: Trust, chain: str) -> Iterator[dict[str, Any]]:
    """The statements of the files that follow each other; one that was stored twice counts once."""
    position = 0
    for _, said in statements(storage, trust, chain):
        if isinstance(said, ForgedError):
            raise _broken(chain, position + 1)
        if said["first"] == position + 1:
            yield said
            position = said["last"]


def _broken(chain: str, position: int) -> Conflict:
    return Conflict(
        f"The chain {chain} does not hold at position {position}: `adloom audit verify` says what is wrong."
    )
