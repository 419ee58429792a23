"""Reads a CSV file of a facts folder into rows in a known column order, with the line of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from infra.sandbox.facts.errors import Faults

Cells = tuple[str, ...]


def rows(
    folder: Path, name: str, required: Sequence[str], optional: Sequence[str], faults: Faults
) -> Iterator[tuple[int, Cells]]:
    """Yield `(line, cells)`, cells in the order `required + optional`; a column left out is empty cells.

    Nothing is yielded for a file that is not there; what is wrong with header or quoting goes to `faults`.
    """
    text = _text(folder, name, faults)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if not header or not _header_is_right(header, name, required, optional, faults):
            if not header:
                faults.add(name, 1, "the header is missing")
            return
        yield from _records(reader, header, name, (*required, *optional), faults)
    except csv.Error as exc:
        faults.add(name, reader.line_num, f"is not CSV: {exc}")


def _records(
    reader: Iterator[list[str]], header: list[str], name: str, columns: Sequence[str], faults: Faults
) -> Iterator[tuple[int, Cells]]:
    width = len(header)
    # A column left out points behind the last cell, where an empty one is appended.
    in_order = itemgetter(*(header.index(column) if column in header else width for column in columns))
    line = 1
    for cells in reader:
        line += 1
        if len(cells) == width:
            cells.append("")
            yield line, in_order(cells)
        elif cells:
            faults.add(name, line, f"has {len(cells)} cells, the header has {width}")
        # A quoted cell may span lines: the next record starts behind the last one read.
        line = reader.line_num  # type: ignore[attr-defined]


def _header_is_right(
    header: list[str], name: str, required: Sequence[str], optional: Sequence[str], faults: Faults
) -> bool:
    before = len(faults.found)
    known = {*required, *optional}
    for column in header:
        if column not in known:
            faults.add(name, 1, f"unknown column {column!r}")
        elif header.count(column) > 1:
            faults.add(name, 1, f"column {column!r} is there twice")
    for column in required:
        if column not in header:
            faults.add(name, 1, f"column {column!r} is missing")
    return len(faults.found) == before


def _text(folder: Path, name: str, faults: Faults) -> str | None:
    path = folder / name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        faults.add(name, 0, f"cannot be read: {exc.strerror}")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        faults.add(name, data.count(b"\n", 0, exc.start) + 1, "is not UTF-8")
        return None
