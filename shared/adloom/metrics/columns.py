"""A page of rows turned into columns, as most pages can be: what is done to a column at once costs a third."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import repeat
from operator import add
from typing import Self, TypeVar

from adloom.platforms.model import FactColumns, Level
from adloom.platforms.readable import is_plain

NULL = r"\N"
_NULL = NULL.encode()
_ZERO = Decimal(0)
# What ends a field or a line of COPY, or begins an escape.
_UNSAFE = "\\\t\n\r"
_SPACES = bytes.maketrans(b"\n\t\r", b"   ")
N = TypeVar("N", int, Decimal)


class _OddError(Exception):
    """Something in a column is to be looked at row by row."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows with plain numbers of days that were asked for. A number that the platform does not say counts 0."""

    ids: Sequence[str]
    days: Sequence[str]
    branches: Sequence[str]
    # What makes a row the same row.
    keys: list[str]
    impressions: list[int]
    clicks: list[int]
    spend: list[Decimal]
    conversions: list[Decimal]
    conversion_value: list[Decimal]
    # COPY text, without the lines' ends.
    lines: list[bytes]

    @classmethod
    def of(cls, level: Level, page: FactColumns, asked: set[str]) -> Self | None:
        """None where a row has to be looked at by itself: its day was not asked for, a number is unusual or none."""
        ids, branches, days, told = page.entity_ids, page.branches, page.days, page.numbers
        if not asked.issuperset(days):
            return None
        read = _read_plain if page.is_plain else _read
        try:
            impressions, seen = read(told[0], int, 0)
            clicks, clicked = read(told[1], int, 0)
            spend, spent = read(told[2], Decimal, _ZERO)
            conversions, converted = read(told[3], Decimal, _ZERO)
            value, worth = read(told[4], Decimal, _ZERO)
            _, viewed = read(told[5], int, 0)
            _, reached = read(told[6], int, 0)
        except (_OddError, ValueError, InvalidOperation):
            return None
        joined = "".join(ids)
        safe = tuple(map(escaped, ids)) if any(one in joined for one in _UNSAFE) else ids
        fields = zip(
            repeat(level), safe, days, seen, clicked, spent, converted, worth, viewed, reached, repeat("")
        )  # fmt: skip
        # Encoded at once; nothing that was written has a line's end in it.
        heads = "\n".join(map("\t".join, fields)).encode().split(b"\n")
        lines = list(map(add, heads, _all_copied(page.actions)))
        return cls(
            ids, days, branches, list(map(add, ids, days)), impressions, clicks, spend, conversions, value, lines
        )  # fmt: skip


def _read_plain(texts: Sequence[str | None], read: Callable[[str], N], _: N) -> tuple[list[N], Sequence[str]]:
    return list(map(read, texts)), texts  # type: ignore[arg-type, return-value]


def _read(texts: Sequence[str | None], read: Callable[[str], N], nothing: N) -> tuple[list[N], Sequence[str]]:
    """A column's numbers, and their texts for COPY."""
    try:
        joined = "".join(texts)  # type: ignore[arg-type]
    except TypeError:
        return _read_some(texts, read, nothing)
    if not is_plain(joined):
        raise _OddError
    return _read_plain(texts, read, nothing)


def _read_some(texts: Sequence[str | None], read: Callable[[str], N], nothing: N) -> tuple[list[N], Sequence[str]]:
    """A column in which the platform does not say every number."""
    said = [text for text in texts if text is not None]
    if not said:
        return [nothing] * len(texts), [NULL] * len(texts)
    if not is_plain("".join(said)):
        raise _OddError
    return (
        [nothing if text is None else read(text) for text in texts],
        [NULL if text is None else text for text in texts],
    )


def _all_copied(actions: Sequence[bytes | None]) -> Sequence[bytes]:
    try:
        joined = b"".join(actions)  # type: ignore[arg-type]
    except TypeError:
        return list(map(copied, actions))
    if b"\\" in joined or b"\n" in joined or b"\t" in joined or b"\r" in joined:
        return list(map(copied, actions))
    return actions  # type: ignore[return-value]


def copied(actions: bytes | None) -> bytes:
    """Raw JSON as COPY reads it."""
    if actions is None:
        return _NULL
    # Only a backslash, or white space between values, could end a COPY line or field.
    if b"\\" in actions:
        actions = actions.replace(b"\\", b"\\\\")
    if b"\n" in actions or b"\t" in actions or b"\r" in actions:
        actions = actions.translate(_SPACES)
    return actions


def escaped(text: str) -> str:
    """A text as COPY reads it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
