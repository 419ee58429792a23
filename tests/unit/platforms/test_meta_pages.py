"""Walking pages: nothing is lost after an empty one, nothing ends in a circle, a smaller page goes on at the cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from adloom.errors import PlatformProtocolError, TooMuchData
from adloom.platforms import smaller
from adloom.platforms.meta import ladder
from adloom.platforms.meta.pages import MAX_REPEATED_CURSORS, Page, Walker
from adloom.platforms.retry import Deadline

decoder: msgspec.json.Decoder[Page[int]] = msgspec.json.Decoder(Page[int])


class Scripted:
    """Answers questions from a script, in place of the client: what each cursor says, and the largest page it gives."""

    def __init__(self, pages: dict[str, Any], most: int = 10_000) -> None:
        self.pages = pages
        self.most = most
        self.asked: list[tuple[str, int]] = []
        self.waited: list[float] = []
        self.deadline = Deadline(60, sleep=self.waited.append)

    def get(self, _path: str, params: Mapping[str, Any], _decoder: object) -> Page[int]:
        after, limit = params.get("after", ""), params["limit"]
        self.asked.append((after, limit))
        if limit > self.most:
            raise TooMuchData
        return decoder.decode(msgspec.json.encode(self.pages[after]))


def page(*data: int, after: str = "", **more: Any) -> dict[str, Any]:
    if not after:
        return {"data": data, "paging": {"cursors": {"before": "b", "after": "unused"}}}
    return {"data": data, "paging": {"cursors": {"before": "b", "after": after}, "next": "https://x/next", **more}}


def walk(client: Any) -> list[list[int]]:
    return list(Walker(client).walk("act_1/insights", {"fields": "x"}, decoder, kind="ad"))


def test_a_walk_ends_where_no_next_is_announced() -> None:
    client = Scripted({"": page(1, 2, after="a"), "a": page(3)})
    assert walk(client) == [[1, 2], [3]]
    assert [after for after, _ in client.asked] == ["", "a"]


def test_an_empty_page_with_a_next_is_not_the_end() -> None:
    assert walk(Scripted({"": page(1, after="a"), "a": page(after="b"), "b": page(2)})) == [[1], [], [2]]


def test_no_paging_at_all_is_one_page() -> None:
    assert walk(Scripted({"": {"data": [7]}})) == [[7]]


def test_a_next_without_cursors_is_taken_from_its_address_and_never_ends_the_walk_silently() -> None:
    pages: dict[str, Any] = {
        "": {"data": [1], "paging": {"next": "https://x/insights?after=a%3D&limit=5"}},
        "a=": page(2),
    }
    assert walk(Scripted(pages)) == [[1], [2]]
    with pytest.raises(PlatformProtocolError):
        walk(Scripted({"": {"data": [1], "paging": {"next": "https://x/insights"}}}))


def test_cursors_that_lead_in_a_circle_are_given_up() -> None:
    client = Scripted({"": page(1, after="a"), "a": page(2, after="a")})
    with pytest.raises(PlatformProtocolError, match="circle"):
        walk(client)
    assert len(client.asked) == MAX_REPEATED_CURSORS + 1


def test_a_page_that_comes_twice_is_passed_on_twice() -> None:
    class Twice(Scripted):
        def get(self, path: str, params: Mapping[str, Any], _decoder: object) -> Page[int]:
            if params.get("after") == "a" and ("a", 1000) not in self.asked:
                self.asked.append(("a", 1000))
                return decoder.decode(msgspec.json.encode(page(2, after="a")))
            return super().get(path, params, _decoder)

    assert walk(Twice({"": page(1, after="a"), "a": page(2, after="b"), "b": page(3)})) == [[1], [2], [2], [3]]


def test_page_one_is_fine_page_two_too_large_and_the_same_cursor_is_asked_again_with_less() -> None:
    class LargeSecond(Scripted):
        def get(self, path: str, params: Mapping[str, Any], _decoder: object) -> Page[int]:
            self.most = 100 if params.get("after") == "a" else 10_000
            return super().get(path, params, _decoder)

    client = LargeSecond({"": page(1, after="a"), "a": page(2, after="b"), "b": page(3)})
    assert walk(client) == [[1], [2], [3]]
    assert client.asked == [("", 1000), ("a", 1000), ("a", 500), ("a", 100), ("b", 100)]
    assert client.waited == [1.0, 1.0]


def test_below_the_smallest_page_somebody_else_must_ask_for_less() -> None:
    client = Scripted({"": page(1)}, most=1)
    with pytest.raises(TooMuchData):
        walk(client)
    assert [limit for _, limit in client.asked] == list(ladder.PAGE_LIMITS)


def test_the_size_that_worked_is_remembered_for_questions_of_its_kind() -> None:
    client: Any = Scripted({"": page(1)}, most=100)
    walker = Walker(client)
    for kind in ("ad", "ad", "campaign"):
        list(walker.walk("x", {}, decoder, kind=kind))
    assert [limit for _, limit in client.asked] == [1000, 500, 100, 100, 1000, 500, 100]


def test_the_ladder_of_pages_ends() -> None:
    assert [ladder.smaller_limit(limit) for limit in (1000, 500, 100, 25)] == [500, 100, 25, None]


def test_campaigns_are_asked_for_in_chunks() -> None:
    ids = [str(number) for number in range(45)]
    assert [len(chunk) for chunk in smaller.chunks(ids, ladder.CAMPAIGNS_PER_QUESTION)] == [20, 20, 5]
    assert [one for chunk in smaller.chunks(ids, 20) for one in chunk] == ids
