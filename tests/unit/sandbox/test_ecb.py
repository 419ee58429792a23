"""The sandbox's bank: which days have rates, and when they are out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from adloom.metrics import ecb
from infra.sandbox.ecb import formats, rates


def test_invented_rates_are_the_same_whenever_they_are_asked_for_and_others_for_another_seed() -> None:
    march = rates.invented(7, date(2026, 3, 2), date(2026, 3, 6))
    longer = rates.invented(7, date(2025, 1, 1), date(2026, 3, 31))
    assert {day: longer[day] for day in march} == march
    assert rates.invented(8, date(2026, 3, 2), date(2026, 3, 6)) != march
    assert Decimal("0.9") < march[date(2026, 3, 2)]["USD"] < Decimal("1.3")


def test_there_are_none_on_weekends_and_holidays() -> None:
    days = rates.invented(7, date(2026, 1, 1), date(2026, 12, 31))
    assert date(2026, 4, 3) not in days, "Good Friday"
    assert date(2026, 4, 6) not in days, "Easter Monday"
    assert date(2026, 4, 7) in days
    assert not [day for day in days if day.weekday() > 4]
    assert list(days) == sorted(days, reverse=True)


def test_rates_are_out_at_four_in_frankfurt() -> None:
    assert rates.published(datetime(2026, 3, 3, 14, 59, tzinfo=UTC)) == date(2026, 3, 2)
    assert rates.published(datetime(2026, 3, 3, 15, 0, tzinfo=UTC)) == date(2026, 3, 3)
    assert rates.published(datetime(2026, 7, 3, 14, 0, tzinfo=UTC)) == date(2026, 7, 3), "summer time"


def test_the_files_say_what_the_facts_folder_says_weekends_and_gaps_included() -> None:
    folder = {
        "USD": {date(2026, 3, 1): Decimal("1.10"), date(2026, 3, 4): Decimal("1.2")},
        "KWD": {date(2026, 3, 1): Decimal("0.3301")},
    }
    given = rates.given(folder, date(2026, 3, 3))
    said = {ecb.Rate(date(2026, 3, 1), "USD", Decimal("1.10")), ecb.Rate(date(2026, 3, 1), "KWD", Decimal("0.3301"))}
    for written in (formats.xml(given, "S"), formats.history_zip(given), formats.daily_zip(given)):
        assert set(ecb.read(written)) == said


def test_the_newest_days_are_counted_on_the_calendar() -> None:
    days = rates.invented(7, date(2026, 1, 1), date(2026, 3, 31))
    assert min(rates.newest(days, 7)) == date(2026, 3, 25)
    assert rates.newest({}, 7) == {}
