"""Walking through the pages of a list or a report.

Pages are numbered and no snapshot: a row that comes or goes meanwhile shifts all that follow, so that one row comes
twice or never. TikTok says on each page how many rows there are; both that number and the rows are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import TWICE
from adloom.platforms.tiktok.client import Answer, Envelope, TikTokClient

PAGE_SIZE = 1000
# TopView campaigns come in smaller pages.
TOP_VIEW_PAGE_SIZE = 100
# A list whose objects come and go while it is read is begun again.
MOST_LIST_TRIES = 3

T = TypeVar("T")


class PageInfo(msgspec.Struct):
    """Where a page stands in its walk."""

    total_number: int
    total_page: int
    page: int = 0
    page_size: int = 0


class Page(msgspec.Struct, Generic[T]):
    """A page of a list or a report."""

    page_info: PageInfo
    rows: list[T] = msgspec.field(name="list")


def walk(
    client: TikTokClient,
    path: str,
    params: Mapping[str, object],
    decoder: msgspec.json.Decoder[Envelope[Page[T]]],
    *,
    keys: Callable[[list[T]], Iterable[str]],
    page_size: int = PAGE_SIZE,
) -> Iterator[Answer[Page[T]]]:
    """The pages, one after the other. PlatformProtocolError with the code TWICE when the rows moved meanwhile.

    `keys` are what makes each row of a page the same row.

    A row that comes twice stands at the end of one page and the start of the next, so only the keys of the page before
    are kept.
    """
    before: set[str] = set()
    total, counted, number = -1, 0, 1
    while True:
        answer = client.get(path, {**params, "page": number, "page_size": page_size}, decoder)
        info = answer.data.page_info
        if total not in {-1, info.total_number}:
            raise moved(path, f"{total} rows became {info.total_number}")
        total = info.total_number
        these = set(keys(answer.data.rows))
        counted += len(these - before)
        before = these
        yield answer
        if number >= info.total_page:
            break
        if not these:
            raise moved(path, f"page {number} of {info.total_page} is empty")
        number += 1
    if counted != total:
        raise moved(path, f"{counted} different rows came of {total}")


def listed(
    client: TikTokClient,
    path: str,
    params: Mapping[str, object],
    decoder: msgspec.json.Decoder[Envelope[Page[T]]],
    *,
    keys: Callable[[list[T]], Iterable[str]],
    page_size: int = PAGE_SIZE,
) -> Iterator[T]:
    """The rows of a list, begun again where they moved meanwhile: a row may come twice."""
    for attempt in range(1, MOST_LIST_TRIES + 1):
        try:
            for page in walk(client, path, params, decoder, keys=keys, page_size=page_size):
                yield from page.data.rows
        except PlatformProtocolError as error:
            if error.platform_code != TWICE or attempt == MOST_LIST_TRIES:
                raise
        else:
            return


def moved(path: str, what: str) -> PlatformProtocolError:
    """The rows moved while they were read."""
    return PlatformProtocolError(f"TikTok's rows moved while {path} was read: {what}", platform_code=TWICE)
