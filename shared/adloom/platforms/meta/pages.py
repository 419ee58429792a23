"""Walking through the pages of an edge.

The SDK's cursors stop at the first empty page; here only a page without `next` is the last one.
https://developers.facebook.com/docs/graph-api/results
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from adloom.errors import PlatformProtocolError, TooMuchData
from adloom.platforms.meta import ladder
from adloom.platforms.meta.client import GraphClient

# A page that is served again is passed over; a cursor that keeps coming back is a loop.
MAX_REPEATED_CURSORS = 3
# A filter may leave pages empty, but not without end.
MAX_EMPTY_PAGES = 500
WAIT_BEFORE_ASKING_FOR_LESS_S = 1.0

T = TypeVar("T")


class _Cursors(msgspec.Struct):
    after: str = ""


class _Paging(msgspec.Struct):
    cursors: _Cursors | None = None
    next: str | None = None


class Page(msgspec.Struct, Generic[T]):
    """What every edge answers."""

    data: list[T]
    paging: _Paging | None = None

    @property
    def after(self) -> str | None:
        """The cursor of the next page; None on the last one."""
        if self.paging is None or not self.paging.next:
            return None
        if self.paging.cursors is not None and self.paging.cursors.after:
            return self.paging.cursors.after
        given = parse_qs(urlsplit(self.paging.next).query).get("after")
        if not given:
            raise PlatformProtocolError("Meta announces a next page without a cursor", platform_code="cursor")
        return given[0]


class Walker:
    """Reads edges to their last page, with pages as large as Meta allows. Remembers the size that worked."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._limits: dict[str, int] = {}

    def walk(
        self, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[Page[T]], *, kind: str
    ) -> Iterator[list[T]]:
        """The pages of an edge. `kind` names questions of one size. A page may come twice, TooMuchData remains when the
        smallest one is too large.
        """
        seen: dict[str, int] = {}
        empty, after = 0, None
        while True:
            page = self._page(path, {**params, "after": after} if after else params, decoder, kind)
            empty = 0 if page.data else empty + 1
            yield page.data
            after = page.after
            if after is None:
                return
            seen[after] = seen.get(after, 0) + 1
            if seen[after] > MAX_REPEATED_CURSORS or empty > MAX_EMPTY_PAGES:
                raise PlatformProtocolError("Meta's pages lead in a circle", platform_code="cursor")

    def _page(
        self, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[Page[T]], kind: str
    ) -> Page[T]:
        while True:
            limit = self._limits.get(kind) or ladder.first_limit(kind)
            try:
                return self._client.get(path, {**params, "limit": limit}, decoder)
            except TooMuchData:
                smaller = ladder.smaller_limit(limit)
                if smaller is None or not self._client.deadline.sleep(WAIT_BEFORE_ASKING_FOR_LESS_S):
                    raise
                self._limits[kind] = smaller
