"""Reads single cells of a facts folder. Everything exact: counts are ints, amounts Decimals, instants aware."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from infra.sandbox.facts.currencies import ISO_4217
from infra.sandbox.facts.errors import CellError

_AMOUNT = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII).fullmatch
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
_ID = re.compile(r"[A-Za-z0-9._:~-]+", re.ASCII).fullmatch
# Far above any real count and still a 64-bit integer, so that a reader in any language can hold it.
_MAX_COUNT_DIGITS = 18
_MAX_AMOUNT_LENGTH = 40


def count(text: str) -> int | None:
    """A whole number of 0 or more; None for an empty cell."""
    if not text:
        return None
    if text.isdigit() and text.isascii() and len(text) <= _MAX_COUNT_DIGITS:
        return int(text)
    raise CellError(f"{text!r} is {_why_no_number(text, 'a whole number')}")


def amount(text: str) -> Decimal | None:
    """An exact decimal of 0 or more; None for an empty cell."""
    if not text:
        return None
    if _AMOUNT(text) and len(text) <= _MAX_AMOUNT_LENGTH:
        return Decimal(text)
    raise CellError(f"{text!r} is {_why_no_number(text, 'a decimal number')}")


def _why_no_number(text: str, wanted: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return f"not {wanted}"
    if not value.is_finite():
        return "not a finite number"
    return "negative" if value.is_signed() else f"not {wanted}"


@cache
def day(text: str) -> date:
    """A local day, `YYYY-MM-DD`."""
    if not _DAY(text):
        raise CellError(f"{text!r} is not a date (YYYY-MM-DD)")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CellError(f"{text!r} is not a day of the calendar") from None


def instant(text: str) -> datetime | None:
    """An ISO 8601 instant with offset, in UTC; None for an empty cell."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise CellError(f"{text!r} is not an ISO 8601 instant") from None
    if value.tzinfo is None:
        raise CellError(f"{text!r} has no offset")
    return value.astimezone(UTC)


def identifier(text: str) -> str:
    """An id as the platform writes it."""
    if not text:
        raise CellError("is empty")
    if not _ID(text):
        raise CellError(f"{text!r} is not an id")
    return text


@cache
def currency(text: str) -> str:
    """An ISO 4217 code."""
    if text not in ISO_4217:
        raise CellError(f"{text!r} is not an ISO 4217 currency")
    return text


@cache
def zone(text: str) -> ZoneInfo:
    """An IANA time zone."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CellError(f"{text!r} is not an IANA time zone") from None


def one_of(text: str, allowed: frozenset[str]) -> str:
    """One of a closed list of words."""
    if text not in allowed:
        raise CellError(f"{text!r} is not one of {', '.join(sorted(allowed))}")
    return text


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text of an ad: which field of the creative it fills, and the words."""

    field: str
    text: str


def texts(cell: str) -> tuple[Text, ...]:
    """A JSON list of `{"field", "text"}`; empty for an empty cell."""
    found: tuple[Text, ...] = _json_list(cell, tuple[Text, ...], 'a JSON list of {"field", "text"}')
    return found


def labels(cell: str) -> tuple[str, ...]:
    """A JSON list of strings; empty for an empty cell."""
    found: tuple[str, ...] = _json_list(cell, tuple[str, ...], "a JSON list of strings")
    return found


def _json_list(cell: str, shape: Any, wanted: str) -> Any:
    if not cell:
        return ()
    try:
        return msgspec.json.decode(cell, type=shape)
    except msgspec.DecodeError as exc:
        raise CellError(f"is not {wanted}: {exc}") from None
