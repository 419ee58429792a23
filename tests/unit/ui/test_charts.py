import json
from decimal import Decimal
from itertools import pairwise

import pytest

from ui import charts
from ui.charts import Point, Words

WORDS = Words("Spend", "24 Oct to 20 Nov", "previous 28 days", "provisional", "Still corrected")


def point(value, previous=None, *, provisional=False, label="24 Oct"):
    value = None if value is None else Decimal(value)
    previous = None if previous is None else Decimal(previous)
    return Point(label, f"Sat {label}", value, f"€{value}", previous, f"€{previous}", "Fri 25 Sep", provisional)


@pytest.mark.parametrize(
    ("highest", "top"),
    [("2150", "2400"), ("4.1", "4.5"), ("100000", "120000"), ("1", "1.2"), ("0", "3"), ("0.02", "0.024")],
)
def test_the_axis_ends_at_a_round_number_above_the_highest_day(highest, top):
    assert charts.scale(Decimal(highest))[0] == Decimal(top)


@pytest.mark.parametrize("highest", ["0.07", "1", "9.99", "1234", "98765432"])
def test_there_are_four_grid_lines_and_the_highest_day_is_below_the_top(highest):
    lines = charts.ticks([point(highest)])
    assert len(lines) == 4
    assert lines[0] == 0
    assert lines[-1] >= Decimal(highest)


def test_a_day_below_zero_is_still_on_the_drawing():
    lines = charts.ticks([point("30"), point("-4")])
    assert lines[0] < -4
    assert 0 in lines


def test_the_previous_period_counts_for_the_scale():
    assert charts.ticks([point("10", "100")])[-1] >= 100


@pytest.mark.parametrize("length", [1, 2, 7, 28, 31, 90, 400, 1147])
def test_the_last_day_is_labelled_and_labels_stay_few(length):
    chosen = charts.labelled_days(length)
    assert chosen[-1] == length - 1
    assert len(chosen) <= 9
    assert chosen == sorted(set(chosen))


@pytest.mark.parametrize("length", [14, 28, 30, 90, 365, 1147])
def test_labels_of_a_phone_are_a_quarter_of_the_range_apart_or_more(length):
    chosen = charts.labelled_days(length, 2)
    assert min(later - earlier for earlier, later in pairwise(chosen)) * 4 >= length
    assert f"innerWidth < 768 ? {chosen} : {charts.labelled_days(length)}" in json.dumps(
        options([point("1")] * length)["xAxis"]
    )


def options(points):
    return charts.time_series(points, [str(line) for line in charts.ticks(points)], WORDS)


def test_provisional_days_are_hatched_from_the_day_before_on():
    series = options([point("1", label=str(day), provisional=day >= 7) for day in range(10)])["series"]
    [[start, end]] = series[0]["markArea"]["data"]
    assert (start["xAxis"], end["xAxis"]) == (6, 9)


def test_a_chart_of_provisional_days_only_is_hatched_faintly_and_named_at_its_beginning():
    def area(provisional):
        days = [point("1", label=str(day), provisional=day >= 28 - provisional) for day in range(28)]
        return options(days)["series"][0]["markArea"]

    few, every = area(3), area(28)
    assert few["data"][0][0]["label"]["position"] == "insideTopRight"
    assert every["data"][0][0]["label"]["position"] == "insideTopLeft"
    assert few["itemStyle"]["opacity"] > every["itemStyle"]["opacity"] > 0


def test_nothing_is_hatched_where_nothing_is_provisional():
    assert options([point("1"), point("2")])["series"][0]["markArea"]["data"] == []


def test_a_day_to_come_is_a_gap_and_not_a_zero():
    assert options([point("1"), point(None)])["series"][0]["data"][1]["value"] is None


def test_the_tooltip_escapes_its_texts():
    shown = str(charts.tooltip(point("1", label="<img src=x>"), WORDS))
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_options_can_be_sent_as_json_and_end_no_script():
    sent = json.dumps(options([point("1", label="</script>"), point("2")]))
    assert "</script>" not in sent.replace('"</script>"', "")
    assert "\\\\u003c" in sent
