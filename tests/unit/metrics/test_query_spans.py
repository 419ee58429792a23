"""A long period falls into months, weeks and days without a gap and without an overlap."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.metrics.query_spans import Span, is_long, spans

DAY = timedelta(days=1)


def days_of(span: Span) -> list[date]:
    """Every day that the span's days, weeks or months cover."""
    if span.column == "month":
        end = (span.until.replace(day=1) + timedelta(days=32)).replace(day=1) - DAY
    else:
        end = span.until + (timedelta(days=6) if span.column == "week" else timedelta())
    return [span.since + number * DAY for number in range((end - span.since).days + 1)]


@given(st.dates(date(1999, 1, 1), date(2100, 1, 1)), st.integers(0, 1500))
def test_every_day_is_in_exactly_one_span(since: date, length: int) -> None:
    until = since + length * DAY
    found = spans(since, until)
    assert [day for span in found for day in days_of(span)] == [since + n * DAY for n in range(length + 1)]
    for span in found:
        assert span.column != "week" or span.since.weekday() == span.until.weekday() == 0
        assert span.column != "month" or span.since.day == span.until.day == 1


def test_a_quarter_is_three_months_with_weeks_and_days_around_it() -> None:
    found = [(span.column, span.since, span.until) for span in spans(date(2026, 1, 30), date(2026, 5, 14))]
    assert found == [
        ("day", date(2026, 1, 30), date(2026, 1, 31)),
        ("month", date(2026, 2, 1), date(2026, 4, 1)),
        ("day", date(2026, 5, 1), date(2026, 5, 3)),
        ("week", date(2026, 5, 4), date(2026, 5, 4)),
        ("day", date(2026, 5, 11), date(2026, 5, 14)),
    ]


@pytest.mark.parametrize(
    ("since", "until", "long"),
    [
        (date(2026, 1, 1), date(2026, 2, 24), False),
        (date(2026, 1, 1), date(2026, 2, 25), True),
        (date(2026, 1, 1), date.max, False),
    ],
)
def test_only_long_periods_are_worth_it_and_the_calendars_end_is_not_passed(
    since: date, until: date, long: bool
) -> None:
    assert is_long(since, until) is long
