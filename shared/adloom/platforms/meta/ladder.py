"""Asking for less when Meta says "please reduce the amount of data": pure helpers.

First smaller pages, then fewer days, then a report that Meta prepares by itself, then a few campaigns at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from adloom.platforms.model import Days

# Rows of a page. Meta takes more than 500 where the rows are small.
PAGE_LIMITS = (1000, 500, 100, 25)
CAMPAIGNS_PER_QUESTION = 20


def smaller_limit(limit: int) -> int | None:
    """The next smaller page; None below the smallest."""
    return next((smaller for smaller in PAGE_LIMITS if smaller < limit), None)


def halves(days: Days) -> tuple[Days, Days] | None:
    """The days in two, the newer half first and not the smaller; None for a single day."""
    if len(days) == 1:
        return None
    middle = days.since + timedelta(len(days) // 2)
    return Days(middle, days.until), Days(days.since, middle - timedelta(1))


def chunks(ids: Iterable[str], size: int = CAMPAIGNS_PER_QUESTION) -> Iterator[list[str]]:
    """The ids in lists of at most `size`."""
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk
