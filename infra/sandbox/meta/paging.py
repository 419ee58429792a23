"""Cursors. One points behind the last row served by that row's place in the order, not by a row count.

A row that appears or goes between two pages therefore neither repeats nor hides another one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import parameter

DEFAULT_LIMIT = 25
MAX_LIMIT = 5000


class Keyed(Protocol):
    """Something with a place in the order."""

    @property
    def key(self) -> str:
        """Sorts as the rows are served."""
        ...


_K = TypeVar("_K", bound=Keyed)


@dataclass(frozen=True)
class Cursor:
    """`page` counts from 1 within a walk; rows with a key up to `key` have been served."""

    page: int = 1
    key: str = ""

    def encode(self) -> str:
        """The opaque text."""
        return base64.urlsafe_b64encode(f"{self.page}|{self.key}".encode()).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """Read a cursor of ours; the start for an empty one."""
    if not text:
        return Cursor()
    try:
        page, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        return Cursor(int(page), key)
    except (ValueError, binascii.Error):
        raise parameter("Invalid cursors values", error_subcode=1349125) from None


@dataclass
class Page:
    """The rows of one page as they were found, and the `paging` object of the answer."""

    rows: list[Any]
    paging: dict[str, Any] | None


def page_of(call: Call, found: Iterable[_K], start: Cursor) -> Page:
    """Cut a page from rows in order, all of them behind the cursor `start`."""
    limit = call.whole("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    taken = list(islice(found, limit + 1))
    rows, more = taken[:limit], len(taken) > limit
    if call.is_emptied:
        rows = []
    if not rows and not call.holds_page:
        return Page([], None)
    end = start if call.holds_page else Cursor(start.page + 1, rows[-1].key)
    paging: dict[str, Any] = {"cursors": {"before": start.encode(), "after": end.encode()}}
    if more or call.holds_page:
        again = {**call.params, "after": end.encode()}
        paging["next"] = f"{call.base_url}/{call.version}/{call.path}?{urlencode(again)}"
    return Page(rows, paging)
