"""When a tick is due on a clock that jumps, runs fast or stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from infra.connector.cron import Schedule

START = datetime(2026, 3, 1, 9, 1, tzinfo=UTC)


def due(schedule: Schedule, *minutes: float) -> list[bool]:
    return [schedule.is_due(START + timedelta(minutes=each)) for each in minutes]


def test_the_first_look_is_due_and_then_the_schedule_decides():
    assert due(Schedule("*/15 * * * *"), 0, 1, 13.9, 14, 14.1, 29) == [True, False, False, True, False, True]


def test_a_clock_that_stands_still_is_due_once():
    assert due(Schedule("* * * * *"), *[0] * 5) == [True, False, False, False, False]


def test_a_leap_forward_is_due_once():
    assert due(Schedule("* * * * *"), 0, 600_000, 600_000.5, 600_001) == [True, True, False, True]


def test_a_leap_back_is_due_once_and_the_schedule_goes_on_from_there():
    assert due(Schedule("*/15 * * * *"), 600, 0, 1, 14) == [True, True, False, True]


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=60).map(sorted))
def test_running_forward_there_is_never_more_than_one_tick_an_interval(minutes):
    schedule = Schedule("*/15 * * * *")
    ticked = [int((minute + 1) // 15) for minute, now in zip(minutes, due(schedule, *minutes), strict=True) if now]
    assert len(ticked) == len(set(ticked))
