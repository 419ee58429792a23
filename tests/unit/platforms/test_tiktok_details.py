"""Windows in words, rows by the hour, and conversions by a definition, without a platform."""

from __future__ import annotations

import msgspec
import pytest

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import Fact, HourFact
from adloom.platforms.tiktok import columns, conversions, hourly, report, windows
from adloom.platforms.tiktok.memory import MOST_IN_ALL, MOST_KEPT, MOST_SHELVES, Memory
from adloom.platforms.tiktok.report import Row
from adloom.platforms.tiktok.windows import AdGroupWindows


@pytest.mark.parametrize(
    ("click", "view", "expected"),
    [
        ("TWENTY_EIGHT_DAYS", "ONE_DAY", 30),
        ("SEVEN_DAYS", "OFF", 9),
        ("ONE_DAY", "SEVEN_DAYS", 9),
        ("ONE_DAY", "ONE_DAY", 7),
        ("OFF", None, 7),
        (None, None, 9),
        ("A_CENTURY", None, 9),
    ],
)
def test_the_lookback_covers_clicks_views_and_the_time_to_report_them(
    click: str | None, view: str | None, expected: int
) -> None:
    assert windows.lookback([AdGroupWindows("1", "OFF"), AdGroupWindows("2", click, view)]) == expected


def test_an_account_without_ad_groups_looks_back_as_far_as_tiktok_does_by_itself() -> None:
    assert windows.lookback([]) == 9


@pytest.mark.parametrize(
    ("lookback", "words"),
    [(30, "at most 28 days"), (16, "at most 14 days"), (9, "at most 7 days"), (7, "at most 1 day after")],
)
def test_the_longest_window_is_said_in_words(lookback: int, words: str) -> None:
    assert words in windows.in_words(lookback)


def test_windows_that_nobody_knows_are_not_made_up() -> None:
    assert windows.in_words(None) == "the ad groups' own windows"
    assert windows.days("A_CENTURY") is None
    assert windows.days("OFF") == 0


def rows(*found: tuple[dict[str, str], dict[str, str | None]]) -> list[Row]:
    body = {
        "code": 0,
        "data": {
            "list": [{"dimensions": dimensions, "metrics": metrics} for dimensions, metrics in found],
            "page_info": {"total_number": 1, "total_page": 1},
        },
    }
    return report.decoder.decode(msgspec.json.encode(body)).data.rows


def at(hour: str, **ids: str) -> dict[str, str]:
    return {"stat_time_hour": f"2026-03-01 {hour}", **(ids or {"campaign_id": "21"})}


def test_hours_keep_their_numbers_and_leave_out_what_is_nothing() -> None:
    found = hourly.facts(
        rows(
            (at("00:00:00"), {"spend": "0.10", "impressions": "5", "clicks": "-", "conversion": None}),
            (at("05:00:00"), {"spend": "0.00", "impressions": "0", "clicks": "-"}),
            (at("23:00:00"), {"spend": "1", "conversion": "2.5", "total_complete_payment_rate": "9.90"}),
        ),
        "campaign",
        "conversion",
    )
    assert list(found) == [
        HourFact("21", "2026-03-01", 0, "5", None, "0.10", None, None),
        HourFact("21", "2026-03-01", 23, None, None, "1", "2.5", "9.90"),
    ]


@pytest.mark.parametrize("dimensions", [{"campaign_id": "21"}, at("05:00:00", advertiser_id="7"), at("?")])
def test_an_hour_without_its_id_or_its_time_is_refused(dimensions: dict[str, str]) -> None:
    with pytest.raises(PlatformProtocolError):
        list(hourly.facts(rows((dimensions, {"spend": "1"})), "campaign", "conversion"))


@pytest.mark.parametrize("definition", conversions.DEFINITIONS)
def test_each_definition_counts_by_its_own_metrics(definition: str) -> None:
    metrics: dict[str, str | None] = {name: str(n) for n, name in enumerate(report.optional(definition), 2)}
    day = {"advertiser_id": "7", "stat_time_day": "2026-03-01 00:00:00"}
    one: Fact
    (one,) = columns.facts(rows((day, {**metrics, "spend": "1"})), "account", "7", definition)
    assert (one.conversions, one.conversion_value) == (metrics[definition], metrics[conversions.value_of(definition)])
    assert set(report.optional(definition)) <= set(report.metrics_of("account", definition=definition))


def test_a_memory_keeps_what_was_asked_for_last() -> None:
    memory = Memory()
    for n in range(MOST_SHELVES + 1):
        memory.keep("reviews", str(n), {"1": ("", n)}, now=0)
    assert memory.recall("reviews", "0", {"1": ""}, now=1) == ({}, ["1"])
    assert memory.recall("reviews", str(MOST_SHELVES), {"1": ""}, now=1) == ({"1": MOST_SHELVES}, [])


def test_what_is_remembered_of_many_large_accounts_is_bounded() -> None:
    memory, kept = Memory(), {str(number): ("", None) for number in range(MOST_KEPT)}
    accounts = [str(number) for number in range(MOST_IN_ALL // MOST_KEPT + 2)]
    for account in accounts:
        memory.keep("review", account, kept, 0.0)
    known = [len(memory.recall("review", account, dict.fromkeys(kept, ""), 1.0)[0]) for account in accounts]
    assert sum(known) <= MOST_IN_ALL
    assert known[-1] == MOST_KEPT
    assert known[0] == 0
