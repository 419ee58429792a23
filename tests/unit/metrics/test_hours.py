"""Rows by the hour on their way in: each once, none of zeros, nothing that cannot be so."""

from __future__ import annotations

from datetime import date

import pytest

from adloom.errors import PlatformProtocolError
from adloom.metrics.hours import HourIntake
from adloom.platforms.model import TWICE, Days, HourFact

MARCH = Days(date(2026, 3, 1), date(2026, 3, 2))


def row(hour: int = 13, day: str = "2026-03-01", spend: str | None = "1.50", entity_id: str = "21") -> HourFact:
    return HourFact(entity_id, day, hour, "10", None, spend, "0.5", None)


def test_a_row_becomes_a_line_in_the_order_of_the_columns() -> None:
    assert HourIntake(MARCH).lines("campaign", [row()]) == b"campaign\t21\t2026-03-01\t13\t10\t\\N\t1.50\t0.5\t\\N\n"


def test_a_row_that_comes_twice_is_stored_once_in_any_page() -> None:
    intake = HourIntake(MARCH)
    assert intake.lines("campaign", [row(), row(), row(14)]).count(b"\n") == 2
    assert intake.lines("campaign", [row(14)]) == b""
    assert intake.lines("account", [row()]).count(b"\n") == 1


def test_a_row_of_zeros_equals_no_row() -> None:
    nothing = HourFact("21", "2026-03-01", 3, "0", "0", "0.00", None, "0")
    assert HourIntake(MARCH).lines("campaign", [nothing]) == b""


def test_a_name_of_the_platform_cannot_break_out_of_its_column() -> None:
    assert b"a\\tb" in HourIntake(MARCH).lines("campaign", [row(entity_id="a\tb")])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (row(24), "hour"),
        (row(-1), "hour"),
        (row(day="2026-03-03"), "days"),
        (row(spend="much"), "number"),
        (row(spend="NaN"), "number"),
    ],
)
def test_what_cannot_be_so_is_refused(wrong: HourFact, code: str) -> None:
    with pytest.raises(PlatformProtocolError) as refused:
        HourIntake(MARCH).lines("campaign", [wrong])
    assert refused.value.platform_code == code


def test_two_different_rows_of_one_hour_ask_for_the_window_again() -> None:
    with pytest.raises(PlatformProtocolError) as refused:
        HourIntake(MARCH).lines("campaign", [row(), row(spend="2")])
    assert refused.value.platform_code == TWICE
