"""Asking for less when Meta says "please reduce the amount of data": pure helpers.

First smaller pages, then fewer days, then a report that Meta prepares by itself, then a few campaigns at a time.
"""

from __future__ import annotations

# Rows of a page. Meta takes more than 500 where the rows are small.
PAGE_LIMITS = (1000, 500, 100, 25)
# Ads come with their creatives, which are many times as large as a row of numbers.
_LARGE = {"ads": 500}
CAMPAIGNS_PER_QUESTION = 20


def first_limit(kind: str) -> int:
    """The page that is asked for first."""
    return _LARGE.get(kind, PAGE_LIMITS[0])


def smaller_limit(limit: int) -> int | None:
    """The next smaller page; None below the smallest."""
    return next((smaller for smaller in PAGE_LIMITS if smaller < limit), None)
