"""Archiving: months that ended ninety days ago go to the object storage and then leave the database.

A month is one file or several of bounded size, so that memory and the time of a try are bounded too. A file holds the
records, one a line, exactly as they are hashed, compressed with gzip; beside it lies a signed statement:

    {"v":1,"kind":"archive","chain":"...","month":"2026-07","first":1,"last":20000,
     "previous":"<hash before the first>","hash":"<hash of the last>",
     "file":"<key>","bytes":...,"sha256":"<of the file>"}

Events leave only after the file and its statement were read back and every hash was computed anew. Killed at any
moment, the next try finds what is stored, checks it and goes on; nothing is lost and nothing comes twice.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adloom import audit
from adloom.audit import locks, store
from adloom.audit.chain import next_hash
from adloom.audit.heads import put_off
from adloom.audit.names import EVENTS_SUFFIX, MANIFEST_SUFFIX, chain_folder, part_key
from adloom.audit.signing import ForgedError, SigningKeys, Trust
from adloom.audit.store import End, Stored
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import AdloomError, ConfigurationError, NotFound, Unavailable
from adloom.failpoints import reach
from adloom.storage import Storage

DUTY = "archive"
# Also what the database itself insists on (`audit_forget`).
HOT = timedelta(days=90)
# A file: seconds to write and to check, and some megabytes of memory.
PART_EVENTS = 20_000
PART_BYTES = 16 << 20
_UNPACKED_AT_ONCE = 1 << 18
# Twice what the database takes for an event.
_LONGEST_LINE = 1 << 17

Progress = Callable[[str, int], None]


class BrokenChainError(AdloomError):
    """A chain that does not hold is not archived: the evidence stays where it is."""

    status, code, title = 409, "chain_changed", "The audit trail was changed"


class DamagedError(Exception):
    """What is stored is not what was to be stored."""


@dataclass(frozen=True)
class Part:
    """A file to be; `data` is compressed."""

    chain: str
    month: str
    first: int
    last: int
    previous: bytes
    hash: bytes
    data: bytes

    @property
    def key(self) -> str:
        return part_key(self.chain, self.month, self.first, self.last, self.hash.hex())

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def statement(self) -> dict[str, Any]:
        return {
            "v": 1,
            "kind": "archive",
            "chain": self.chain,
            "month": self.month,
            "first": self.first,
            "last": self.last,
            "previous": self.previous.hex(),
            "hash": self.hash.hex(),
            "file": self.key + EVENTS_SUFFIX,
            "bytes": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
        }


def archive_due(
    database: Database,
    storage: Storage,
    keys: SigningKeys,
    *,
    most: int | None = None,
    progress: Progress = lambda _what, _done: None,
) -> list[Part]:
    """Archive what is due, at most so many files; those that were archived.

    A storage that is away and a chain that does not hold are said in the log and in the trail's state; the months stay.
    """
    made: list[Part] = []
    was_put_off = False
    for end in store.ends(database):
        if not _is_due(database, end):
            continue
        try:
            while (most is None or len(made) < most) and (
                part := _next(database, storage, keys, end.chain)
            ) is not None:
                made.append(part)
                progress(part.chain, sum(each.count for each in made))
        except (Unavailable, ConfigurationError, BrokenChainError) as error:
            was_put_off = True
            put_off(database, DUTY, error)
    if not was_put_off:
        store.note_duty(database, DUTY, None)
    return made


def _next(database: Database, storage: Storage, keys: SigningKeys, chain: str) -> Part | None:
    """Archive the next file of a chain; None when nothing is due, or another process is at it."""
    with locks.exclusive(database, locks.ARCHIVE) as alone:
        end = store.end_of(database, chain)
        part = _build(database, end) if alone and end and _is_due(database, end) else None
        if part is None or end is None:
            return None
        trust = Trust(keys.publics)
        trust.learn(storage)
        if not _is_stored(storage, trust, part):
            _put(storage, keys, part)
            if not _is_stored(storage, trust, part):
                raise Unavailable("The object storage does not give back what was stored", code="storage_changes")
        reach("audit.verified")
        _forget(database, end, part)
    return part


def _is_due(database: Database, end: End) -> bool:
    """Whether the month of the chain's first event in the database ended long enough ago."""
    if end.archived == end.last_position:
        return False
    first = store.slice_of(database, end.chain, end.archived, 1)
    return bool(first) and _month_end(first[0].recorded_at) <= real_now() - HOT


def _month_end(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)


def _month(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m}"


def _build(database: Database, end: End) -> Part:
    """The next file; BrokenChainError where the events do not follow from each other."""
    packed = io.BytesIO()
    last, month, digest, size = end.archived, "", end.archived_hash, 0
    # Equal events give equal bytes: no time and no name in the header.
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as target:
        for event in store.events(database, end.chain, end.archived):
            month = month or _month(event.recorded_at)
            if _month(event.recorded_at) != month or last - end.archived >= PART_EVENTS or size >= PART_BYTES:
                break
            last, digest = event.event_position, _follow(end.chain, last, digest, event)
            line = event.record.encode() + b"\n"
            size += len(line)
            target.write(line)
    return Part(end.chain, month, end.archived + 1, last, end.archived_hash, digest, packed.getvalue())


def _follow(chain: str, last: int, digest: bytes, event: Stored) -> bytes:
    following = next_hash(digest, event.record)
    if event.event_position != last + 1 or following != event.hash:
        raise BrokenChainError(
            f"The chain {chain} does not hold at position {last + 1}: `adloom audit verify` says what is wrong. Its "
            "events stay in the database."
        )
    return following


def _put(storage: Storage, keys: SigningKeys, part: Part) -> None:
    storage.put(part.key + EVENTS_SUFFIX, part.data)
    reach("audit.stored")
    storage.put(part.key + MANIFEST_SUFFIX, keys.sign(part.statement()))


def _is_stored(storage: Storage, trust: Trust, part: Part) -> bool:
    """Whether the storage holds the file and its statement, and the file says what the events say."""
    try:
        said = trust.open(storage.get(part.key + MANIFEST_SUFFIX), "archive")
        digest, count = part.previous, 0
        for record in records(storage, said):
            digest, count = next_hash(digest, record), count + 1
    except (NotFound, ForgedError, DamagedError):
        return False
    named = ("chain", "month", "first", "last", "previous", "hash")
    wanted = part.statement()
    return {name: said[name] for name in named} == {name: wanted[name] for name in named} and (digest, count) == (
        part.hash,
        part.count,
    )


def _forget(database: Database, end: End, part: Part) -> None:
    with database.system() as connection:
        gone = store.forget(connection, part.chain, part.last, part.hash)
        if gone != part.count:
            raise BrokenChainError(f"The chain {part.chain} changed while it was archived.")
        said = {"month": part.month, "first": part.first, "last": part.last, "sha256": part.statement()["sha256"]}
        target = ("archive", part.key + EVENTS_SUFFIX)
        audit.record(connection, "audit.archived", org_id=end.org_id, target=target, new=said)


def statements(storage: Storage, trust: Trust, chain: str) -> Iterator[tuple[str, dict[str, Any] | ForgedError]]:
    """The keys of a chain's statements and what they say, or why they are not believed; in the order of events."""
    for each in storage.objects(chain_folder(chain)):
        if each.key.endswith(MANIFEST_SUFFIX):
            try:
                said = trust.open(storage.get(each.key), "archive")
            except ForgedError as error:
                yield each.key, error
            else:
                strange = ForgedError(f"is about the chain {said['chain']}")
                yield each.key, said if said["chain"] == chain else strange


def records(storage: Storage, said: dict[str, Any]) -> Iterator[str]:
    """The records of an archive file that a statement names, streamed; DamagedError where the file is not that one.

    The sum is known only at the end: do not believe the records before the last one came.
    """
    digest, left, unpack = hashlib.sha256(), b"", zlib.decompressobj(wbits=31)
    _, pieces = storage.stream(said["file"])
    try:
        for piece in pieces:
            digest.update(piece)
            data = piece
            while data:
                *lines, left = (left + unpack.decompress(data, _UNPACKED_AT_ONCE)).split(b"\n")
                yield from (line.decode() for line in lines)
                data = unpack.unconsumed_tail
                if len(left) > _LONGEST_LINE:
                    raise DamagedError("it holds something that is no event")
        *lines, left = (left + unpack.flush()).split(b"\n")
        yield from (line.decode() for line in lines)
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedError("it cannot be unpacked") from error
    if left or not unpack.eof or digest.hexdigest() != said["sha256"]:
        raise DamagedError("its sum is not the one that was signed")
