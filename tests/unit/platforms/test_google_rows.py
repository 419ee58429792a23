"""Google's rows as facts: exact money, numbers that are not said, and fields that Google really has."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.errors import PlatformProtocolError
from adloom.platforms.google import conversions, queries, rows
from adloom.platforms.google.client import VERSION
from adloom.platforms.model import HOUR_LEVELS, LEVELS, Account, Days

DAYS = Days(date(2026, 3, 1), date(2026, 3, 2))


def made(**metrics: Any) -> Any:
    row = import_module(f"google.ads.googleads.{VERSION}.services.types.google_ads_service").GoogleAdsRow.pb()()
    row.campaign.id, row.campaign.name, row.segments.date = 21, "Coats", "2026-03-01"
    for name, value in metrics.items():
        setattr(row.metrics, name, value)
    return row


@given(st.integers(-(2**62), 2**62))
def test_money_is_exact(micros: int) -> None:
    assert Decimal(rows.money(micros)) * rows.MICROS == micros


@pytest.mark.parametrize(("micros", "text"), [(0, "0"), (1, "0.000001"), (12_500_000, "12.5"), (100_000_000, "100")])
def test_money_is_written_without_idle_digits(micros: int, text: str) -> None:
    assert rows.money(micros) == text


def account(conversion: str | None = None) -> Account:
    return Account("11", "Shop", "EUR", "Europe/Berlin", "active", None, conversion=conversion)


def test_a_row_becomes_a_fact() -> None:
    row = made(impressions=10, clicks=0, cost_micros=3_250_001, conversions=1.5, all_conversions=2.0)
    (fact,) = rows.facts([row], "campaign", account())
    assert fact == ("21", "11", "21", "Coats", "2026-03-01", "10", "0", "3.250001", "1.5", None, None, None,
                    b'{"all_conversions":2.0,"all_conversions_value":0.0}')  # fmt: skip


@pytest.mark.parametrize("most", [0, 1, 20_000])
def test_each_row_is_its_own_objects_however_many_are_remembered(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(rows, "MOST_KNOWN", most)
    delivered = []
    for day in ("2026-03-01", "2026-03-02"):
        for number in (41, 42, 43):
            row = made(clicks=number)
            row.segments.date, row.ad_group.id = day, number - 10
            row.ad_group_ad.ad.id, row.ad_group_ad.ad.name = number, f"Ad {number}"
            delivered.append(row)
    known: dict[int, rows.Whose] = {}
    found = [fact for row in delivered for fact in rows.facts([row], "ad_group_ad", account(), known)]
    assert [(one.entity_id, one.parent_id, one.branch, one.name, one.day) for one in found] == [
        (str(number), str(number - 10), "21", f"Ad {number}", day)
        for day in ("2026-03-01", "2026-03-02")
        for number in (41, 42, 43)
    ]
    assert len(known) == min(most, 3)


def test_an_account_may_count_every_action() -> None:
    row = made(clicks=1, conversions=1.5, conversions_value=10.25, all_conversions=2.0, all_conversions_value=30.5)
    (fact,) = rows.facts([row], "campaign", account("all_conversions"))
    assert (fact.conversions, fact.conversion_value) == ("2.0", "30.5")
    assert fact.actions == b'{"conversions":1.5,"conversions_value":10.25}'
    (hour,) = rows.hours([at(13, row)], "campaign", account("all_conversions"))
    assert (hour.conversions, hour.conversion_value) == ("2.0", "30.5")
    with pytest.raises(ValueError, match="purchase"):
        list(rows.facts([row], "campaign", account("purchase")))


def test_definitions_that_say_the_same_leave_no_trace() -> None:
    row = made(clicks=1, conversions=1.5, all_conversions=1.5)
    for conversion in (None, "conversions", "all_conversions"):
        (fact,) = rows.facts([row], "campaign", account(conversion))
        assert (fact.conversions, fact.actions) == ("1.5", None)


def test_the_record_names_the_definition_and_its_longest_window() -> None:
    assert conversions.attribution(account()) == (
        "conversions: each action's model, on the day of the click, up to each action's window after it"
    )
    wide = replace(account("all_conversions"), lookback_days=90)
    assert conversions.attribution(wide) == (
        "all_conversions: each action's model, on the day of the click, up to 90 days after it"
    )


def at(hour: int, row: Any) -> Any:
    row.segments.hour = hour
    return row


def test_a_row_of_an_hour_becomes_a_fact_of_it() -> None:
    (hour,) = rows.hours([at(0, made(impressions=10, cost_micros=1))], "campaign", account())
    assert hour == ("21", "2026-03-01", 0, "10", None, "0.000001", None, None)
    assert list(rows.hours([at(1, made(impressions=0))], "campaign", account())) == []
    with pytest.raises(PlatformProtocolError):
        list(rows.hours([made(impressions=10)], "campaign", account()))


def test_a_row_of_zeros_is_no_row() -> None:
    assert list(rows.facts([made(impressions=0, cost_micros=0)], "campaign", account())) == []


def test_a_row_without_id_or_day_is_refused() -> None:
    without_day = made(clicks=1)
    without_day.segments.ClearField("date")
    without_id = made(clicks=1)
    without_id.campaign.ClearField("id")
    for row in (without_day, without_id):
        with pytest.raises(PlatformProtocolError):
            list(rows.facts([row], "campaign", account()))


@pytest.mark.parametrize("version", ["v25", "v26"])
def test_every_field_that_we_ask_for_exists(version: str) -> None:
    asked = [value for name, value in vars(queries).items() if name.isupper() and str(value).startswith("SELECT ")]
    assert len(asked) == 10
    asked += [queries.facts(source, DAYS) for level in LEVELS for source in queries.SOURCES[level]]
    asked += [queries.hours(level, DAYS) for level in HOUR_LEVELS]
    root = import_module(f"google.ads.googleads.{version}.services.types.google_ads_service").GoogleAdsRow.pb()
    names = {name for query in asked for name in re.findall(r"[a-z_]+(?:\.[a-z_0-9]+)+", query)}
    assert len(names) > 90
    for name in names:
        message = root.DESCRIPTOR
        for part in name.split("."):
            field = message.fields_by_name.get(part) or message.fields_by_name.get(f"{part}_")
            assert field is not None, name
            message = field.message_type
