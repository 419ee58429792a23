from datetime import date

import pytest

from adloom.metrics.query import Period
from ui import ranges

TODAY = date(2026, 11, 20)
YESTERDAY = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("today", date(2026, 11, 20), TODAY),
        ("yesterday", YESTERDAY, YESTERDAY),
        ("7d", date(2026, 11, 13), YESTERDAY),
        ("28d", date(2026, 10, 23), YESTERDAY),
        ("90d", date(2026, 8, 22), YESTERDAY),
        ("month", date(2026, 11, 1), TODAY),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
    ],
)
def test_the_last_days_are_whole_days_and_today_is_a_preset_of_its_own(name, since, until):
    assert ranges.preset(name, TODAY).period == Period(since, until)


def test_a_preset_is_compared_with_the_same_number_of_days_before():
    assert ranges.preset("28d", TODAY).previous == Period(date(2026, 9, 25), date(2026, 10, 22))


def test_a_month_that_is_not_over_is_compared_with_the_same_days_of_the_month_before():
    assert ranges.preset("month", TODAY).previous == Period(date(2026, 10, 1), date(2026, 10, 20))


def test_a_whole_month_is_compared_with_the_whole_month_before():
    assert ranges.preset("last_month", TODAY).previous == Period(date(2026, 9, 1), date(2026, 9, 30))


def test_the_end_of_march_is_compared_with_what_february_has():
    shown = ranges.preset("month", date(2026, 3, 30))
    assert shown.previous == Period(date(2026, 2, 1), date(2026, 2, 28))


def test_a_custom_range_is_named_by_its_days():
    assert ranges.custom(date(2026, 10, 3), date(2026, 10, 9)).label == "3 Oct \N{EN DASH} 9 Oct"


@pytest.mark.parametrize(
    ("since", "until"), [(date(2026, 2, 2), date(2026, 2, 1)), (date(2020, 1, 1), date(2026, 1, 1))]
)
def test_a_range_that_is_empty_or_longer_than_platforms_keep_is_refused(since, until):
    with pytest.raises(ValueError, match="the"):
        ranges.custom(since, until)


def test_a_single_day_is_drawn_at_the_end_of_its_fortnight():
    drawn = ranges.preset("today", TODAY).drawn
    assert drawn.period == Period(date(2026, 11, 7), TODAY)
    assert drawn.previous == Period(date(2026, 10, 24), date(2026, 11, 6))


def test_several_days_are_drawn_as_they_are():
    shown = ranges.preset("7d", TODAY)
    assert shown.drawn is shown
