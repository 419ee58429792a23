"""Pages read by columns: the same text, sums and refusals as row by row, whatever the page holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.errors import PlatformProtocolError
from adloom.metrics import intake
from adloom.metrics.columns import Columns
from adloom.metrics.intake import Branches, Intake, Strangers
from adloom.platforms.model import LEVELS, Days, Fact, FactColumns

MARCH = Days(date(2026, 3, 1), date(2026, 3, 2))
ASKED = {day.isoformat() for day in MARCH}

_ids = st.sampled_from(["41", "42", "43", "44", "45", "46", "a\tb", "ü\\", ""])
_days = st.sampled_from(["2026-03-01"] * 8 + ["2026-03-02"] * 8 + ["2026-03-03"])
_few = st.sampled_from(["1", "20", "300", None])
_counts = st.sampled_from(["0", "7", "12", None] * 6 + ["007", "-3", " 4", "1_0", "1.5", "x", "", "٣"])
_amounts = st.sampled_from(
    ["0", "1.50", "80.00", None] * 12
    + ["007.10", ".5", "5.", ".", "-3.25", " 4", "1e-07", "NaN", "-Infinity", "Infinity", "", "x", "²"]
)
_actions = st.sampled_from([None, b'{"a":1}', b'{"a":"\\u00e9"}', b'{\n"a":\t1}\r', b"\xff", "ü".encode()])
_facts = st.builds(
    Fact, entity_id=_ids, parent_id=st.sampled_from(["31", "32"]), branch=st.sampled_from(["21", "22"]),
    name=st.sampled_from(["old", "new"]), day=_days, impressions=_counts, clicks=_counts, spend=_amounts,
    conversions=_amounts, conversion_value=_amounts, video_views=_counts, reach=_counts, actions=_actions,
)  # fmt: skip
_plain = st.builds(
    Fact, entity_id=_ids, parent_id=st.just("31"), branch=st.sampled_from(["21", "22"]), name=st.just("Parka"),
    day=st.sampled_from(sorted(ASKED)), impressions=_few, clicks=_few, spend=_few, conversions=_few,
    conversion_value=_few, video_views=_few, reach=_few, actions=_actions,
)  # fmt: skip
_page = st.lists(_plain, min_size=1, max_size=6) | st.lists(_facts, max_size=4)
_Taken = tuple[list[bytes | str], int, Branches, Strangers]
_READERS: dict[str, Callable[..., Columns | None]] = {"columns": Columns.of, "rows": lambda *_: None}


def taken(how: str, pages: list[list[Fact]]) -> _Taken:
    """What comes of the pages up to the first that is refused."""
    found: list[bytes | str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(intake.Columns, "of", _READERS[how])
        one = Intake(MARCH, {level: {"41"} for level in LEVELS})
        one.begin("ad")
        try:
            found += [one.lines("ad", page) for page in pages]
        except PlatformProtocolError as error:
            found.append(f"{error.platform_code}: {error.detail}")
    return found, one.rows, one.sums()["ad"], one.strangers


@given(pages=st.lists(_page, max_size=3))
def test_any_pages_come_out_the_same(pages: list[list[Fact]]) -> None:
    assert taken("columns", pages) == taken("rows", pages)


@given(pages=st.lists(_page, max_size=2))
def test_pages_that_come_again_come_out_the_same(pages: list[list[Fact]]) -> None:
    again = [*pages, *pages, [row for page in pages for row in page]]
    assert taken("columns", again) == taken("rows", again)


def plain(entity_id: str = "41", day: str = "2026-03-01", spend: str | None = "1.50") -> Fact:
    return Fact(entity_id, "31", "21", "Parka", day, "100", "3", spend, "2", "80.00", None, "7", b'{"a":1}')


def test_a_usual_page_is_read_by_columns() -> None:
    columns = Columns.of("ad", FactColumns.of([plain(), plain("a\tb", spend=None), plain(day="2026-03-02")]), ASKED)
    assert columns is not None
    assert b"\n".join(columns.lines) == (
        b'ad\t41\t2026-03-01\t100\t3\t1.50\t2\t80.00\t\\N\t7\t{"a":1}\n'
        b'ad\ta\\tb\t2026-03-01\t100\t3\t\\N\t2\t80.00\t\\N\t7\t{"a":1}\n'
        b'ad\t41\t2026-03-02\t100\t3\t1.50\t2\t80.00\t\\N\t7\t{"a":1}'
    )


@pytest.mark.parametrize(
    "odd", [plain(spend="1e2"), plain(spend=""), plain(spend="."), plain(spend="٣"), plain(day="2026-03-03")]
)
def test_a_page_with_something_unusual_is_not(odd: Fact) -> None:
    assert Columns.of("ad", FactColumns.of([plain(), odd]), ASKED) is None


def test_a_page_of_many_rows_is_taken_in_whole_and_a_row_that_came_long_before_is_known() -> None:
    rows = [plain(str(number)) for number in range(3 * intake._AT_ONCE + 1)]
    one = Intake(MARCH, {level: set() for level in LEVELS})
    one.begin("ad")
    text = one.lines("ad", [*rows, rows[0]])
    assert [line.split(b"\t")[1].decode() for line in text.splitlines()] == [row.entity_id for row in rows]
    assert one.rows == one.sums()["ad"]["2026-03-01", "21"].rows == len(rows)
    with pytest.raises(PlatformProtocolError, match="two different rows"):
        one.lines("ad", [plain("5", spend="1.51")])
