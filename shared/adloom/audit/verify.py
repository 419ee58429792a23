"""Verifying everything: the signed heads, the archive and the database, chain by chain."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adloom.audit import locks, store
from adloom.audit.archive import DamagedError, records, statements
from adloom.audit.chain import Fault, Pin, Walk
from adloom.audit.names import HEADS_FOLDER, ROOT
from adloom.audit.signing import ForgedError, Trust
from adloom.audit.store import End
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import NotFound
from adloom.storage import Storage

# One missed hour is a restart; more is something to look at.
OLD = timedelta(hours=2)

Pins = dict[str, dict[int, Pin]]
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class ChainReport:
    chain: str
    events: int
    archived: int
    signed: int = field(metadata={"says": "the last position that a head covers"})


@dataclass
class Report:
    """What was looked at; the trail holds when there are no faults. Warnings are no faults."""

    chains: list[ChainReport] = field(default_factory=list)
    heads: int = 0
    last_head_at: datetime | None = None
    faults: list[Fault] = field(default_factory=list)
    more_faults: int = 0
    warnings: list[str] = field(default_factory=list)


def verify(
    database: Database, storage: Storage, trust: Trust, progress: Progress = lambda _what, _done: None
) -> Report:
    """Look at everything; what is written meanwhile is left to the next time."""
    report = Report()
    trust.learn(storage)
    pins = _heads(database, storage, trust, report, progress)
    with database.statements() as lock, locks.shared(lock, locks.ARCHIVE):  # no event leaves between two looks
        ends = {end.chain: end for end in store.ends(database)}
        for chain in sorted(set(ends) | set(pins) | _archived_chains(storage)):
            _Chain(database, storage, trust, report, progress).look(chain, ends.get(chain), pins.get(chain, {}))
    return report


def _heads(database: Database, storage: Storage, trust: Trust, report: Report, progress: Progress) -> Pins:
    """Every file of heads: signed, without gaps, each after the one before. What they say of the chains."""
    noted = {head.object_key: head for head in store.stored_heads(database)}
    keys = sorted({each.key for each in storage.objects(HEADS_FOLDER)} | set(noted), key=_sequence_in)
    pins: Pins = defaultdict(dict)
    previous: str | None = None
    expected = 1
    for key in keys:
        try:
            data = storage.get(key)
            said = trust.open(data, "heads")
        except NotFound:
            report.faults.append(Fault("", None, f"{key} was signed and stored, and is gone from the object storage"))
            continue
        except ForgedError as error:
            report.faults.append(Fault("", None, f"{key} {error}: forged"))
            continue
        digest = hashlib.sha256(data).hexdigest()
        if key in noted and digest != noted[key].file_hash.hex():
            report.faults.append(Fault("", None, f"{key} is not the file that was stored: replaced"))
        if said["sequence"] != expected and not _lost(noted, expected, said["sequence"]):
            report.faults.append(Fault("", None, f"{key} is number {said['sequence']}, and {expected} is missing"))
        if said["sequence"] == expected and said["previous"] != previous:
            report.faults.append(Fault("", None, f"{key} follows another file than the one before it: replaced"))
        previous, expected = digest, said["sequence"] + 1
        report.heads, report.last_head_at = report.heads + 1, datetime.fromisoformat(said["at"])
        _pin(pins, key, said, report)
        progress("heads", report.heads)
    _warn(report)
    return pins


def _sequence_in(key: str) -> tuple[str, str]:
    """Files in the order of their numbers, whatever month they lie in."""
    return key.rpartition("/")[2], key


def _lost(noted: dict[str, store.HeadFile], first: int, until: int) -> bool:
    """Whether the missing numbers were said already: the database knows their files."""
    known = {head.sequence for head in noted.values()}
    return all(number in known for number in range(first, until))


def _pin(pins: Pins, key: str, said: dict[str, Any], report: Report) -> None:
    for entry in said["chains"]:
        pin, known = Pin(bytes.fromhex(entry["hash"]), key), pins[entry["chain"]].get(entry["position"])
        if entry.get("refused"):
            what = f"{key} refused to sign it again: what was signed before is no longer in it"
            if not any(fault.chain == entry["chain"] for fault in report.faults):
                report.faults.append(Fault(entry["chain"], entry["position"], what))
        elif known is not None and known.hash != pin.hash:
            report.faults.append(
                Fault(entry["chain"], entry["position"], f"{known.file} and {key} contradict each other")
            )
        else:
            pins[entry["chain"]].setdefault(entry["position"], pin)


def _warn(report: Report) -> None:
    if report.last_head_at is None:
        report.warnings.append("No heads were ever signed: the end of the trail could be cut off unseen.")
    elif (age := real_now() - report.last_head_at) > OLD:
        hours = int(age.total_seconds() // 3600)
        report.warnings.append(
            f"The last heads were signed {hours} hours ago ({report.last_head_at:%Y-%m-%d %H:%M} UTC): signing has "
            "stopped. What was written since could be cut off unseen; look for audit_put_off in the log of auth."
        )


def _archived_chains(storage: Storage) -> set[str]:
    """The chains that have files in the archive."""
    found = {each.key.removeprefix(ROOT).partition("/")[0] for each in storage.objects(ROOT)}
    return found - {"heads", "keys"}


@dataclass
class _Chain:
    """One chain: the archive first, then the database."""

    database: Database
    storage: Storage
    trust: Trust
    report: Report
    progress: Progress

    def look(self, chain: str, end: End | None, pins: dict[int, Pin]) -> None:
        walk = Walk(chain, pins)
        start = self._archive(walk, end.archived if end else None)
        archived = walk.position
        if end is not None:
            if start is None:
                walk.fault(f"the events up to {end.archived} left the database, and no archive file has them all")
                walk.skip_to(end.archived, end.archived_hash)
            elif start != end.archived_hash:
                walk.fault("the database goes on from another hash than the archive ends with", end.archived)
            else:
                walk.skip_to(end.archived, start)
            self._database(walk, end)
        else:
            walk.fault("the chain is gone from the database")
        walk.position = max(walk.position, archived)
        walk.end()
        self.report.faults += walk.faults
        self.report.more_faults += walk.more_faults
        self.report.chains.append(ChainReport(chain, walk.position, archived, max(pins, default=0)))

    def _database(self, walk: Walk, end: End) -> None:
        for event in store.events(self.database, walk.chain, end.archived):
            if event.event_position > end.last_position:
                break  # written since we looked
            walk.stored(event)
            self.progress(walk.chain, walk.position)
        if walk.position < end.last_position:
            walk.fault(
                f"the last event is {walk.position}, and {end.last_position} were written: the tail was deleted",
                walk.position + 1,
            )
        elif walk.hash != end.hash:
            walk.fault("the noted end of the chain has another hash than the last event", walk.position)

    def _archive(self, walk: Walk, wanted: int | None) -> bytes | None:
        """Go along the files; the hash at the position where the database goes on, None when they do not reach it."""
        found = walk.hash if wanted == 0 else None
        for said in self._statements(walk):
            if said["last"] <= walk.position:
                continue  # stored twice, by tries that were killed
            if said["first"] != walk.position + 1:
                which = f"{walk.position + 1} to {said['first'] - 1}"
                walk.fault(f"the events {which} are in no archive file: taken out", walk.position + 1)
                walk.skip_to(said["first"] - 1, bytes.fromhex(said["previous"]))
            elif said["previous"] != walk.hash.hex():
                walk.fault(f"{said['file']} does not follow the file before it", said["first"])
            self._file(walk, said)
            if walk.position == wanted:
                found = walk.hash
        return found

    def _file(self, walk: Walk, said: dict[str, Any]) -> None:
        before = len(walk.faults), walk.more_faults
        try:
            for record in records(self.storage, said):
                walk.archived(record)
                self.progress(walk.chain, walk.position)
        except NotFound:
            walk.fault(f"{said['file']} is gone from the object storage", said["first"])
        except DamagedError as error:
            # One fault: that of the file. What its lines look like says nothing more.
            walk.faults, walk.more_faults = walk.faults[: before[0]], before[1]
            walk.fault(f"{said['file']} was changed: {error}", said["first"])
        else:
            if (walk.position, walk.hash.hex()) != (said["last"], said["hash"]):
                walk.fault(f"{said['file']} does not hold what its statement says", said["first"])
        walk.skip_to(said["last"], bytes.fromhex(said["hash"]))

    def _statements(self, walk: Walk) -> list[dict[str, Any]]:
        found = []
        for key, said in statements(self.storage, self.trust, walk.chain):
            if isinstance(said, ForgedError):
                walk.fault(f"{key} {said}: forged")
            else:
                found.append(said)
        return sorted(found, key=lambda said: (said["first"], said["last"]))
