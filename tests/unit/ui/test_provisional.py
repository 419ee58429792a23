"""The overview and the ledger call the same days provisional."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from adloom import clock
from adloom.metrics.health import Account, Trust
from adloom.metrics.query import Measures, Period, Result
from ui.measures import METRICS
from ui.pages.overview import points
from ui.ranges import DateRange
from ui.reads.overview import Overview, days_of
from ui.reads.situation import Situation

NOBODY = uuid.UUID(int=0)


def account(number: int, platform: str, currency: str, lookback_days: int | None = None) -> Account:
    name = f"Account {number}"
    return Account(
        number, str(number), name, platform, currency, "UTC", "active", True, None, None, None, NOBODY, "active", 0,
        lookback_days=lookback_days,
    )  # fmt: skip


def drawn(accounts: list[Account], currency: str):
    """The chart's days of a quarter up to today, and whether each is drawn as provisional."""
    today = clock.today("UTC")
    period = Period(today - timedelta(days=89), today)
    before = Period(period.since - timedelta(days=90), period.since - timedelta(days=1))
    dates = DateRange("90", period, before)
    now = Situation(accounts, accounts, Trust("ok", None, 0, 0, 0, 0), [], today, dates, unknown_account=False)
    data = Overview(now, currency, [], dict.fromkeys(days_of(period), Measures()), {}, [], Result([], 0), {})
    shown = points(METRICS["spend"], data, dates, today)
    return list(zip(days_of(period), [point.provisional for point in shown], strict=True))


@pytest.mark.parametrize(
    "accounts",
    [
        [account(1, "meta", "EUR")],
        [account(1, "google", "EUR", lookback_days=60)],
        [account(1, "tiktok", "EUR", lookback_days=3)],
        [account(1, "meta", "EUR"), account(2, "google", "EUR", lookback_days=45)],
    ],
)
def test_a_day_is_provisional_as_long_as_it_is_so_in_a_ledger(accounts):
    days = drawn(accounts, "EUR")
    assert days == [(day, any(each.provisional_since <= day for each in accounts)) for day, _provisional in days]
    assert {provisional for _day, provisional in days} == {True, False}


def test_accounts_of_another_currency_make_no_day_provisional():
    slow, quick = account(1, "google", "USD", lookback_days=60), account(2, "tiktok", "EUR", lookback_days=3)
    assert drawn([slow, quick], "EUR") == drawn([quick], "EUR")
    assert drawn([slow, quick], "USD") == drawn([slow], "USD")
    assert drawn([slow, quick], "EUR") != drawn([slow, quick], "USD")


def test_without_an_account_no_day_is_provisional():
    assert not any(provisional for _day, provisional in drawn([account(1, "meta", "USD")], "EUR"))
