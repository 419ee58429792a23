"""Google's rows as facts: exact money, numbers that are not said, and fields that Google really has."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.errors import PlatformProtocolError
from adloom.platforms.google import queries, rows
from adloom.platforms.google.client import VERSION
from adloom.platforms.model import LEVELS, Days

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


def test_a_row_becomes_a_fact() -> None:
    row = made(impressions=10, clicks=0, cost_micros=3_250_001, conversions=1.5, all_conversions=2.0)
    (fact,) = rows.facts([row], "campaign", "11")
    assert fact == ("21", "11", "21", "Coats", "2026-03-01", "10", "0", "3.250001", "1.5", None, None, None,
                    b'{"all_conversions":"2.0","all_conversions_value":"0.0"}')  # fmt: skip


def test_a_row_of_zeros_is_no_row() -> None:
    assert list(rows.facts([made(impressions=0, cost_micros=0)], "campaign", "11")) == []


def test_a_row_without_id_or_day_is_refused() -> None:
    without_day = made(clicks=1)
    without_day.segments.ClearField("date")
    without_id = made(clicks=1)
    without_id.campaign.ClearField("id")
    for row in (without_day, without_id):
        with pytest.raises(PlatformProtocolError):
            list(rows.facts([row], "campaign", "11"))


@pytest.mark.parametrize("version", ["v25", "v26"])
def test_every_field_that_we_ask_for_exists(version: str) -> None:
    asked = [queries.CLIENTS, queries.CUSTOMER, *queries.ENTITIES.values()]
    asked += [queries.facts(level, DAYS) for level in LEVELS]
    root = import_module(f"google.ads.googleads.{version}.services.types.google_ads_service").GoogleAdsRow.pb()
    names = {name for query in asked for name in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", query)}
    assert len(names) > 30
    for name in names:
        message = root.DESCRIPTOR
        for part in name.split("."):
            field = message.fields_by_name.get(part) or message.fields_by_name.get(f"{part}_")
            assert field is not None, name
            message = field.message_type
