from decimal import Decimal

import pytest

from adloom.metrics.query import Measures
from ui.measures import METRICS, change, spend_change


def sums(spend="0", value="0", clicks=0):
    return Measures(spend=Decimal(spend), conversion_value=Decimal(value), clicks=clicks)


def test_more_clicks_are_good_and_fewer_bad():
    assert change(METRICS["clicks"], sums(clicks=110), sums(clicks=100)).mood == "good"
    assert change(METRICS["clicks"], sums(clicks=90), sums(clicks=100)).mood == "bad"


def test_more_spend_is_neither_good_nor_bad():
    assert change(METRICS["spend"], sums("110"), sums("100")).mood == ""
    assert change(METRICS["spend"], sums("90"), sums("100")).mood == ""


def test_roas_moves_by_its_difference_and_not_in_per_cent():
    moved = change(METRICS["roas"], sums("100", "358"), sums("100", "337"))
    assert (moved.text, moved.mood) == ("+0.21", "good")


def test_a_change_too_small_to_be_written_is_not_judged():
    moved = change(METRICS["roas"], sums("100", "300.1"), sums("100", "300.3"))
    assert (moved.text, moved.mood) == ("0.00", "")


@pytest.mark.parametrize(("now", "then", "shown"), [("5", "0", "new"), ("0", "0", "\N{EN DASH}")])
def test_there_is_no_per_cent_of_nothing(now, then, shown):
    assert change(METRICS["spend"], sums(now), sums(then)).text == shown
    assert spend_change(sums(now), sums(then)) == shown


def test_a_day_that_is_not_over_is_not_judged():
    assert change(METRICS["clicks"], sums(clicks=10), sums(clicks=100), partial=True).mood == ""


def test_without_spend_there_is_no_roas_and_no_change_of_it():
    assert change(METRICS["roas"], sums("0", "10"), sums("100", "337")).text == "\N{EN DASH}"
