"""Events as files: CSV for a table, JSON lines that are the very records whose hashes count."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from adloom.audit import values

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
