"""Which days are asked for: calendar arithmetic, and ranges that are cut out of each other."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adloom.metrics import settling, windows
from adloom.metrics.sizes import FIRST_DAYS, MOST_DAYS, ROWS_PER_WINDOW, SECONDS_PER_WINDOW, Sizer
from adloom.platforms.google.cadence import CADENCE as GOOGLE
from adloom.platforms.meta.cadence import CADENCE
from adloom.platforms.model import Days
from adloom.platforms.tiktok.cadence import CADENCE as TIKTOK

TODAY = date(2026, 3, 31)
DAYS = st.dates(date(2024, 1, 1), date(2024, 6, 30))


def days(since: str, until: str) -> Days:
    return Days(date.fromisoformat(since), date.fromisoformat(until))


@st.composite
def ranges(draw: st.DrawFn) -> Days:
    since = draw(DAYS)
    return Days(since, since + timedelta(draw(st.integers(0, 60))))


@settings(deadline=None)
@given(ranges(), ranges())
def test_cutting_a_range_out_of_another_leaves_exactly_the_other_days(whole: Days, taken: Days) -> None:
    left = windows.without(whole, taken)
    assert [day for part in left for day in part] == [day for day in whole if day not in set(taken)]
    assert len(left) <= 2


@settings(deadline=None)
@given(DAYS, st.integers(0, 60))
def test_months_before_is_a_day_of_that_month_and_the_same_one_where_it_exists(day: date, months: int) -> None:
    found = windows.months_before(day, months)
    assert (day.year * 12 + day.month) - (found.year * 12 + found.month) == months
    assert found.day == day.day or (found + timedelta(1)).day == 1


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [("2026-03-31", 1, "2026-02-28"), ("2024-03-31", 1, "2024-02-29"), ("2026-12-15", 37, "2023-11-15")],
)
def test_months_before_by_hand(day: str, months: int, found: str) -> None:
    assert windows.months_before(date.fromisoformat(day), months) == date.fromisoformat(found)


def test_only_days_that_the_platform_tells_of_are_asked_for() -> None:
    assert windows.clamped(days("2020-01-01", "2030-01-01"), TODAY, CADENCE) == days("2023-02-28", "2026-03-31")
    assert windows.clamped(days("2026-04-01", "2026-04-02"), TODAY, CADENCE) is None
    assert windows.clamped(days("2020-01-01", "2020-01-02"), TODAY, CADENCE) is None


def test_every_sync_reads_three_days_and_once_a_day_all_that_may_have_moved() -> None:
    assert windows.recent(TODAY, CADENCE) == days("2026-03-29", "2026-03-31")
    assert windows.restatement(TODAY, TODAY, CADENCE) == days("2026-03-03", "2026-03-31")


def test_days_on_which_nobody_looked_are_read_too() -> None:
    assert windows.restatement(TODAY, date(2026, 1, 31), CADENCE) == days("2026-01-03", "2026-03-31")


def test_history_is_37_months() -> None:
    assert windows.history(TODAY, CADENCE) == days("2023-02-28", "2026-03-31")


def test_a_range_that_ends_before_it_begins_cannot_be() -> None:
    with pytest.raises(ValueError, match="after"):
        days("2026-03-02", "2026-03-01")


# How long a window is


@settings(deadline=None)
@given(ranges(), st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 100)), max_size=20), st.integers(0, 10))
def test_windows_cover_a_range_once_newest_first(whole: Days, learnt: list[tuple[int, float]], attempts: int) -> None:
    sizer = Sizer(attempts=attempts)
    lessons = iter(learnt)
    found: list[Days] = []
    for window in sizer.windows(whole):
        found.append(window)
        rows, seconds = next(lessons, (0, 0.0))
        sizer.learn(len(window), rows, seconds)
    assert [day for window in found for day in reversed(list(window))] == list(reversed(list(whole)))
    assert all(len(window) <= MOST_DAYS for window in found)


def test_the_first_window_is_a_week_and_quiet_accounts_grow_to_a_quarter_of_a_year() -> None:
    sizer = Sizer()
    sizes = []
    for _ in range(5):
        sizes.append(sizer.next_days())
        sizer.learn(sizes[-1], 10, 0.1)
    assert sizes == [FIRST_DAYS, 28, MOST_DAYS, MOST_DAYS, MOST_DAYS]


def test_a_busy_account_gets_as_many_days_as_fit_a_transaction() -> None:
    sizer = Sizer()
    sizer.learn(7, 7 * 10_000, 1)
    assert sizer.next_days() == ROWS_PER_WINDOW // 10_000
    sizer.learn(3, 3 * 90_000, 1)
    assert sizer.next_days() == 1


def test_a_slow_platform_gets_as_many_days_as_fit_the_time() -> None:
    sizer = Sizer()
    sizer.learn(7, 700, 14.0)
    assert sizer.next_days() == SECONDS_PER_WINDOW / 2


def test_a_guess_keeps_the_first_window_small_and_is_forgotten_with_the_first_measurement() -> None:
    sizer = Sizer(expected=30_000)
    assert sizer.next_days() == 1
    sizer.learn(1, 10, 0.1)
    assert sizer.next_days() == 28


def test_what_the_platform_refused_is_not_asked_again() -> None:
    sizer = Sizer()
    sizer.too_much(7)
    assert sizer.next_days() == 3
    sizer.learn(3, 10, 0.1)
    assert sizer.next_days() == 3
    sizer.too_much(1)
    assert sizer.next_days() == 1


@pytest.mark.parametrize(("attempts", "most"), [(0, 92), (1, 23), (2, 5), (3, 1), (9, 1)])
def test_attempts_that_came_to_nothing_make_windows_shorter(attempts: int, most: int) -> None:
    sizer = Sizer(attempts=attempts)
    for _ in range(4):
        sizer.learn(sizer.next_days(), 1, 0.0)
    assert sizer.next_days() == most


@pytest.mark.parametrize("lookback_days", [None, 7, 28, 45, 90])
@pytest.mark.parametrize("platform", ["google", "meta", "tiktok"])
def test_every_provisional_day_is_read_again_at_night(platform: str, lookback_days: int | None) -> None:
    cadence = {"google": GOOGLE, "meta": CADENCE, "tiktok": TIKTOK}[platform]
    moving = windows.restatement(TODAY, TODAY, cadence, lookback_days)
    assert moving.since <= settling.of(platform, lookback_days).moving_since(TODAY)
