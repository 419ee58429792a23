"""What a chain must be: positions without gaps, each hash made of the one before and the record, and every signed end
as it was signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adloom.audit.store import Stored

START = bytes(32)
# A rewritten table has as many faults as rows; these tell enough.
MOST_FAULTS = 20


def next_hash(previous: bytes, record: str) -> bytes:
    """sha256(previous || record), both as bytes; the first event's previous hash is 32 zero bytes."""
    return hashlib.sha256(previous + record.encode()).digest()


@dataclass(frozen=True)
class Fault:
    """What is wrong, where. `position` is None where no event is meant."""

    chain: str
    position: int | None
    what: str

    def __str__(self) -> str:
        where = f"chain {self.chain}" if self.chain else "heads"
        return f"{where}, position {self.position}: {self.what}" if self.position else f"{where}: {self.what}"


@dataclass(frozen=True)
class Pin:
    """What a head said of a chain."""

    hash: bytes
    file: str


class Walk:
    """Goes along a chain from its beginning, event by event, and collects what is wrong.

    `pins` are the signed heads by position. After a fault it goes on with the hash that is stored, so that one changed
    event is one fault.
    """

    def __init__(self, chain: str, pins: Mapping[int, Pin]) -> None:
        self.chain = chain
        self.position, self.hash = 0, START
        self.faults: list[Fault] = []
        self.more_faults = 0
        self._pins = pins

    def fault(self, what: str, position: int | None = None) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(self.chain, position, what))
        else:
            self.more_faults += 1

    def archived(self, record: str) -> None:
        """The next event of an archive file."""
        self._take(self.position + 1, record, None)

    def stored(self, event: Stored) -> None:
        """The next event of the database."""
        before = self.position
        if event.event_position != before + 1:
            self._missing(before + 1, event.event_position - 1)
        self._columns(event)
        self._take(event.event_position, event.record, event.hash, known=event.event_position == before + 1)

    def _missing(self, first: int, last: int) -> None:
        which = f"the event {first} is" if first == last else f"the events {first} to {last} are"
        self.fault(f"{which} missing: deleted", first)

    def skip_to(self, position: int, digest: bytes) -> None:
        """Go on after events that are gone."""
        self.position, self.hash = position, digest

    def _take(self, position: int, record: str, stored: bytes | None, *, known: bool = True) -> None:
        digest = next_hash(self.hash, record)
        if stored is not None and digest != stored and known:
            self.fault("the record was changed: its hash does not follow from it and the event before", position)
        named = parse(record)
        if (named.get("chain"), named.get("position")) != (self.chain, position):
            said = f"{named.get('position')} of {named.get('chain')}"
            self.fault(f"the record is another event's ({said}): swapped or put in", position)
        self.position, self.hash = position, digest if stored is None else stored
        pin = self._pins.get(position)
        if pin is not None and pin.hash != self.hash:
            self.fault(f"the hash is not the one that {pin.file} signed: the chain was computed anew", position)

    def _columns(self, event: Stored) -> None:
        """What stands beside the record must repeat it; the search believes it."""
        named = parse(event.record)
        actor, target = _part(named, "actor"), _part(named, "target")
        at = event.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for column, said, stored in (
            ("recorded_at", named.get("at"), at),
            ("action", named.get("action"), event.action),
            ("actor_kind", actor.get("kind"), event.actor_kind),
            ("actor_id", actor.get("id"), event.actor_id),
            ("target_kind", target.get("kind"), event.target_kind),
            ("target_id", target.get("id"), event.target_id),
        ):
            if said != stored:
                self.fault(f"the column {column} says something else than the record: changed", event.event_position)

    def end(self) -> None:
        """There are no more events: every head must have been met."""
        lost = [position for position in self._pins if position > self.position]
        if lost:
            last = max(lost)
            self.fault(
                f"the chain ends at {self.position}, but {self._pins[last].file} signed position {last}: "
                "the tail was deleted",
                self.position + 1,
            )


def parse(record: str) -> dict[str, Any]:
    """The record as data; empty where it is no JSON object."""
    try:
        named = json.loads(record)
    except ValueError:
        return {}
    return named if isinstance(named, dict) else {}


def _part(named: dict[str, Any], name: str) -> dict[str, Any]:
    found = named.get(name)
    return found if isinstance(found, dict) else {}
