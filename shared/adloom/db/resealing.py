"""Closes what is encrypted in the database again, by a ring's newest key, while functions go on.

A row is changed only if it is still what was read: what a function has written meanwhile is looked at in the next
round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from adloom.errors import ConfigurationError
from adloom.keyring import KeyRing, Newest

# Rows of one transaction.
BATCH = 200


@dataclass(frozen=True)
class Sealed:
    """A column: its rows as `key` and `sealed`, and the change of one by :key, :old and :new."""

    select: str
    update: str


@dataclass(frozen=True)
class Round:
    """`changed` rows are closed by the newest key now; `left` were not yet; `lost` ones no key opens."""

    changed: int = 0
    left: int = 0
    lost: int = 0

    def __add__(self, other: Round) -> Round:
        return Round(self.changed + other.changed, self.left + other.left, self.lost + other.lost)


def reseal(
    opened: Callable[[], AbstractContextManager[Connection]], columns: Sequence[Sealed], ring: KeyRing, newest: Newest
) -> Round:
    """One round over some columns; `opened` begins a transaction in which their rows are seen."""
    done = Round()
    for column in columns:
        with opened() as connection:
            rows = [(row.key, bytes(row.sealed)) for row in connection.execute(text(column.select))]
        for batch in _batches([row for row in rows if not newest.has_closed(row[1])]):
            with opened() as connection:
                for key, sealed in batch:
                    done += _changed(connection, column, key, sealed, ring)
    return done


def _changed(connection: Connection, column: Sealed, key: Any, sealed: bytes, ring: KeyRing) -> Round:
    try:
        new = ring.rotate(sealed)
    except ConfigurationError:
        return Round(lost=1)
    answer = connection.execute(text(column.update), {"key": key, "old": sealed, "new": new})
    return Round(changed=1) if answer.scalar() else Round(left=1)


def _batches(rows: list[tuple[Any, bytes]]) -> Iterator[list[tuple[Any, bytes]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
