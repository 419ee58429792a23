"""Smaller questions: days and ids in parts, for every platform. Pure helpers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from adloom.platforms.model import Days

T = TypeVar("T")


def halves(days: Days) -> tuple[Days, Days] | None:
    """The days in two, the newer half first and not the smaller; None for a single day."""
    if len(days) == 1:
        return None
    middle = days.since + timedelta(len(days) // 2)
    return Days(middle, days.until), Days(days.since, middle - timedelta(1))


def spans(days: Days, most: int) -> Iterator[Days]:
    """The days in spans of at most `most`, the newest first."""
    until = days.until
    while until >= days.since:
        since = max(days.since, until - timedelta(most - 1))
        yield Days(since, until)
        until = since - timedelta(1)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
