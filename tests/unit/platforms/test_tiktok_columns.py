"""Pages read by columns say of each row what is to be said of it alone, whatever the others are."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import LEVELS, Fact, FactColumns, Level
from adloom.platforms.tiktok import columns, conversions, report
from adloom.platforms.tiktok.report import EXTRAS, Row

ACCOUNT = "7"
_IDS: dict[Level, tuple[str, ...]] = {
    "account": ("advertiser_id",),
    "campaign": ("campaign_id", "campaign_name"),
    "ad_group": ("adgroup_id", "adgroup_name", "campaign_id"),
    "ad": ("ad_id", "ad_name", "adgroup_id", "campaign_id"),
}
_COUNTED = ("impressions", "clicks", "spend")
_numbers = st.sampled_from(["0", "0.00", "12", "3.50", "-", None, "1e3", "-2", 'a"b\\', ""])
_plain = st.sampled_from(["0", "0.00", "7", "19.90"])
_zeros = st.sampled_from(["0", "0.00"])
_attributes = st.sampled_from(["21", "Ad - two", "-", None, 'ü "quoted"'])


def _metrics(numbers: st.SearchStrategy[str | None], *, whole: bool = True) -> st.SearchStrategy[dict[str, str | None]]:
    """The metrics of a row; not all of them are there unless it is whole."""
    names = dict.fromkeys((*report.metrics_of("account"), "total_sales_lead", "total_sales_lead_value"), numbers)
    attributes = dict.fromkeys(("campaign_id", "campaign_name", "adgroup_id", "adgroup_name", "ad_name"), _attributes)
    if whole:
        return st.fixed_dictionaries(names, optional=attributes)
    return st.fixed_dictionaries({}, optional={**names, **attributes})


_without_extras = _metrics(_plain).map(lambda row: {**row, **dict.fromkeys(EXTRAS, "0")})
_pages = (
    st.lists(_metrics(_plain), max_size=5)
    | st.lists(_metrics(_zeros) | _without_extras | _metrics(_plain), max_size=5)
    | st.lists(_metrics(_numbers, whole=False) | _metrics(_plain), max_size=5)
)


def decoded(level: Level, page: list[dict[str, str | None]]) -> list[Row]:
    own = _IDS[level][0]
    rows = [
        {"dimensions": {own: f"9{number}", "stat_time_day": "2026-03-01 00:00:00"}, "metrics": metrics}
        for number, metrics in enumerate(page)
    ]
    body = {"code": 0, "data": {"list": rows, "page_info": {"total_number": 1, "total_page": 1}}}
    return report.decoder.decode(msgspec.json.encode(body)).data.rows


def alone(level: Level, number: int, metrics: dict[str, str | None], definition: str) -> Fact | None:
    """What a row says, in so many words."""

    def said(name: str) -> str | None:
        return None if metrics.get(name) == "-" else metrics.get(name)

    own = f"9{number}"
    above = {"account": "", "campaign": ACCOUNT, "ad_group": said("campaign_id"), "ad": said("adgroup_id")}[level]
    branch = {"account": "", "campaign": own}.get(level, said("campaign_id"))
    name = None if level == "account" else said(_IDS[level][1])
    counted = (definition, conversions.value_of(definition), "video_play_actions", "reach")
    numbers = [said(one) for one in (*_COUNTED, *counted)]
    extras = {one: said(one) for one in EXTRAS}
    is_zero = {None, "0", "0.0", "0.00"}.issuperset
    if is_zero(numbers) and is_zero(extras.values()):
        return None
    actions: dict[str, Any] | None = {one: text for one, text in extras.items() if text is not None}
    raw = None if is_zero(extras.values()) else json.dumps(actions, ensure_ascii=False, separators=(",", ":")).encode()
    return Fact(own, above or "", branch or "", name or "", "2026-03-01", *numbers, raw)


@given(page=_pages, level=st.sampled_from(LEVELS), definition=st.sampled_from(conversions.DEFINITIONS))
def test_each_row_of_any_page_says_what_it_says_alone(
    page: list[dict[str, str | None]], level: Level, definition: str
) -> None:
    found = columns.facts(decoded(level, page), level, ACCOUNT, definition)
    expected = [alone(level, number, metrics, definition) for number, metrics in enumerate(page)]
    assert list(found) == [fact for fact in expected if fact is not None]
    assert len(found) == len(list(found))
    if found.is_plain:
        told = "".join(text for column in found.numbers for text in column if text is not None)
        assert told.replace(".", "").isdigit()
        assert not any(None in column for column in found.numbers)


def test_a_usual_page_is_plain_and_one_with_a_dash_is_not() -> None:
    usual = dict.fromkeys(report.metrics_of("account"), "1")
    assert columns.facts(decoded("account", [usual, usual]), "account", ACCOUNT).is_plain
    assert not columns.facts(decoded("account", [usual, {**usual, "reach": "-"}]), "account", ACCOUNT).is_plain


@pytest.mark.parametrize("lost", ["account", "stat_time_day"])
def test_a_row_of_zeros_needs_its_id_and_day_too(lost: str) -> None:
    dimensions = {"advertiser_id": "7", "stat_time_day": "2026-03-01 00:00:00"}
    del dimensions["advertiser_id" if lost == "account" else lost]
    with pytest.raises(PlatformProtocolError):
        columns.facts([msgspec.convert({"dimensions": dimensions, "metrics": {}}, Row)], "account", ACCOUNT)


def test_rows_made_into_columns_and_back_are_the_same() -> None:
    facts = [Fact("1", "2", "3", "n", "2026-03-01", "1", None, "2.5", "0", None, "4", None, b"{}") for _ in range(2)]
    assert list(FactColumns.of(facts)) == facts
    assert len(FactColumns.of(facts)) == len(facts)
