"""Rows as they come: once each, added up, and as text that COPY reads back to the same values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adloom.errors import PlatformProtocolError
from adloom.metrics.intake import COLUMNS, Intake
from adloom.metrics.sums import Sums
from adloom.platforms.model import LEVELS, Days, Fact

MARCH = Days(date(2026, 3, 1), date(2026, 3, 7))


def fact(entity_id: str = "41", day: str = "2026-03-01", **cells: Any) -> Fact:
    usual: dict[str, Any] = {
        "parent_id": "31", "branch": "21", "name": "Parka", "impressions": "100", "clicks": "3", "spend": "1.50",
        "conversions": "2", "conversion_value": "80.00", "video_views": None, "reach": None, "actions": None,
    }  # fmt: skip
    return Fact(entity_id=entity_id, day=day, **{**usual, **cells})


def intake(**known: str) -> Intake:
    found = Intake(MARCH, {level: set(known.get(level, "").split()) for level in LEVELS})
    found.begin("ad")
    return found


def cells(line: bytes) -> dict[str, str]:
    return dict(zip(COLUMNS, line.decode().removesuffix("\n").split("\t"), strict=True))


def test_a_row_is_a_line_of_copy_and_what_is_unsaid_stays_null() -> None:
    line = intake().lines("ad", [fact(reach="7", actions=b'{"a":1}')])
    assert cells(line) == {
        "level": "ad", "entity_id": "41", "day": "2026-03-01", "impressions": "100", "clicks": "3", "spend": "1.50",
        "conversions": "2", "conversion_value": "80.00", "video_views": r"\N", "reach": "7", "actions": '{"a":1}',
    }  # fmt: skip


def test_a_row_that_comes_again_is_dropped_and_counted_once() -> None:
    taken = intake()
    assert taken.lines("ad", [fact(), fact("42")])
    assert taken.lines("ad", [fact("42"), fact()]) == b""
    assert taken.rows == 2
    assert taken.sums()["ad"]["2026-03-01", "21"].spend == Decimal("3.00")


def test_a_row_that_comes_again_with_other_numbers_is_not_believed() -> None:
    taken = intake()
    taken.lines("ad", [fact()])
    with pytest.raises(PlatformProtocolError, match="two different rows"):
        taken.lines("ad", [fact(spend="1.51")])


def test_the_same_id_on_another_level_or_day_is_another_row() -> None:
    taken = intake()
    assert taken.lines("ad", [fact(), fact(day="2026-03-02")]).count(b"\n") == 2
    taken.begin("campaign")
    assert taken.lines("campaign", [fact(branch="41")]).count(b"\n") == 1
    assert set(taken.sums()) == {"ad", "campaign"}


def test_sums_are_exact_by_day_and_campaign() -> None:
    taken = intake()
    taken.lines("ad", [fact("1", spend="0.1"), fact("2", spend="0.2"), fact("3", branch="22", spend=None)])
    sums = taken.sums()["ad"]
    assert sums["2026-03-01", "21"] == Sums(2, 200, 6, Decimal("0.3"), Decimal(4), Decimal(160))
    assert sums["2026-03-01", "22"] == Sums(1, 100, 3, Decimal(0), Decimal(2), Decimal(80))


@pytest.mark.parametrize(
    "cells_",
    [
        {"impressions": "many"},
        {"impressions": "1.5"},
        {"spend": "NaN"},
        {"spend": "Infinity"},
        {"conversions": "sNaN"},
        {"conversion_value": ""},
        {"reach": "-"},
        {"day": "2026-03-08"},
        {"day": "yesterday"},
    ],
    ids=str,
)
def test_what_is_no_number_or_no_day_that_was_asked_for_is_refused(cells_: dict[str, str]) -> None:
    with pytest.raises(PlatformProtocolError):
        intake().lines("ad", [fact(**cells_)])


def test_nothing_in_an_id_or_in_the_actions_can_end_a_line_or_a_field() -> None:
    line = intake().lines("ad", [fact("a\tb\\\n", actions=b'{\n"a":\t"\\u00e9\\n"}')])
    assert line.count(b"\n") == 1
    found = cells(line)
    assert found["entity_id"] == r"a\tb\\\n"
    assert found["actions"] == r'{ "a": "\\u00e9\\n"}'


def test_what_has_no_name_yet_is_met_with_that_of_its_last_day() -> None:
    taken = intake(ad="41 43")
    rows = [
        fact(),
        fact("42", name="new"),
        fact("42", "2026-03-03", name="newest"),
        fact("42", "2026-03-02", name="old"),
    ]
    taken.lines("ad", rows)
    assert taken.strangers == {("ad", "42"): ("newest", "31", "2026-03-03")}


def test_large_ids_and_amounts_keep_every_digit() -> None:
    line = intake().lines("ad", [fact("120210000000000001", spend="12345678901234567890.123456789")])
    assert (cells(line)["entity_id"], cells(line)["spend"]) == ("120210000000000001", "12345678901234567890.123456789")
