"""Rows of a report, the days and objects of a question, and which metrics are behind a refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from adloom.errors import PlatformProtocolError, PlatformRejected
from adloom.platforms import smaller
from adloom.platforms.model import LEVELS, Days, Fact, Level
from adloom.platforms.tiktok import columns, entities, report
from adloom.platforms.tiktok.refusals import Refusals

HUGE = "7012345678901234567"
IDS = {"advertiser_id": "7", "campaign_id": "21", "adgroup_id": "31", "ad_id": HUGE}
OWN: dict[Level, str] = {
    "account": "advertiser_id", "campaign": "campaign_id", "ad_group": "adgroup_id", "ad": "ad_id",
}  # fmt: skip


def fact(level: Level, **metrics: str | None) -> list[Fact]:
    row = {
        "dimensions": {OWN[level]: IDS[OWN[level]], "stat_time_day": "2026-03-01 00:00:00"},
        "metrics": {"spend": "12.50", "impressions": "10", "clicks": "0", **metrics},
    }
    body = {"code": 0, "data": {"list": [row], "page_info": {"total_number": 1, "total_page": 1}}}
    rows = report.decoder.decode(msgspec.json.encode(body)).data.rows
    return list(columns.facts(rows, level, "7"))


def test_each_level_names_itself_its_parent_and_its_campaign() -> None:
    names = {"campaign_id": "21", "adgroup_id": "31", "campaign_name": "C", "adgroup_name": "G", "ad_name": "A"}
    found = {level: fact(level, **names)[0][:5] for level in LEVELS}
    assert found == {
        "account": ("7", "", "", "", "2026-03-01"),
        "campaign": ("21", "7", "21", "C", "2026-03-01"),
        "ad_group": ("31", "21", "21", "G", "2026-03-01"),
        "ad": (HUGE, "31", "21", "A", "2026-03-01"),
    }


def test_numbers_stay_text_to_the_last_digit() -> None:
    (one,) = fact("ad", spend="0.1000000000000000055", conversion="2.5", total_complete_payment_rate="1e3", reach="9")
    assert one.spend == "0.1000000000000000055"
    assert (one.conversions, one.conversion_value, one.reach) == ("2.5", "1e3", "9")


def test_a_dash_null_and_nothing_are_no_value_and_zero_is_zero() -> None:
    (one,) = fact("ad", spend="-", clicks=None, conversion="0")
    assert (one.spend, one.clicks, one.conversions, one.conversion_value) == (None, None, "0", None)
    assert one.actions is None


def test_a_row_of_zeros_is_no_row() -> None:
    zeros = {"spend": "0.00", "impressions": "0", "clicks": "-", "conversion": "0", "complete_payment": "0.00"}
    assert fact("ad", **zeros) == []
    assert len(fact("ad", **{**zeros, "complete_payment": "1"})) == 1


def test_other_ways_to_count_are_kept_as_they_came() -> None:
    (one,) = fact("ad", real_time_conversion="3", complete_payment="-", total_purchase_value="0.00")
    assert one.actions == b'{"real_time_conversion":"3","total_purchase_value":"0.00"}'


def test_an_object_that_tiktok_has_removed_may_lack_its_names() -> None:
    (one,) = fact("ad", ad_name="-", campaign_id="-")
    assert (one.name, one.branch, one.parent_id) == ("", "", "")


def test_a_row_without_its_id_is_no_answer() -> None:
    body = {
        "code": 0,
        "data": {
            "list": [{"dimensions": {"stat_time_day": "2026-03-01 00:00:00"}, "metrics": {}}],
            "page_info": {"total_number": 1, "total_page": 1},
        },
    }
    rows = report.decoder.decode(msgspec.json.encode(body)).data.rows
    with pytest.raises(PlatformProtocolError):
        list(columns.facts(rows, "ad", "7"))


def test_budgets_are_exact_and_of_one_kind() -> None:
    def budgets(mode: str, amount: str) -> tuple[Any, Any]:
        raw = b'{"code":0,"data":{"list":[{"campaign_id":"1","budget_mode":"%b","budget":%b}],"page_info":' % (
            mode.encode(), amount.encode(),
        )  # fmt: skip
        node = entities.objects_decoder.decode(raw + b'{"total_number":1,"total_page":1}}}').data.rows[0]
        account = entities.AdvertiserNode("7", "Shop", "EUR", None, "Europe/Berlin").account()
        made = node.entity("campaign", account)
        return made.daily_budget, made.lifetime_budget

    assert [str(one) for one in budgets("BUDGET_MODE_DAY", "9007199254740993.01")] == ["9007199254740993.01", "None"]
    assert [str(one) for one in budgets("BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "50.1")] == ["50.1", "None"]
    assert [str(one) for one in budgets("BUDGET_MODE_TOTAL", '"0.30"')] == ["None", "0.30"]
    assert budgets("BUDGET_MODE_INFINITE", "0.0") == (None, None)


@pytest.mark.parametrize(
    ("node", "zone"),
    [
        ({"timezone": "Etc/GMT+8", "display_timezone": "America/Los_Angeles"}, "America/Los_Angeles"),
        ({"timezone": "Etc/GMT+8"}, "Etc/GMT+8"),
        ({"timezone": "Nowhere/Land"}, None),
        ({"currency": "dollars", "timezone": "Etc/GMT"}, None),
    ],
)
def test_an_account_lives_in_the_zone_it_was_made_with(node: dict[str, str], zone: str | None) -> None:
    described = entities.AdvertiserNode(**{"advertiser_id": "7", "currency": "USD", **node})
    if zone is None:
        with pytest.raises(PlatformProtocolError):
            described.account()
    else:
        assert described.account().timezone == zone


def test_spans_are_newest_first_and_leave_no_day_out() -> None:
    days = Days(date(2026, 1, 1), date(2026, 3, 9))
    spans = list(smaller.spans(days, 30))
    assert [len(span) for span in spans] == [30, 30, 8]
    assert sorted(day for span in spans for day in span) == list(days)
    assert list(smaller.spans(Days(days.since, days.since), 30)) == [Days(days.since, days.since)]


# Refusals


def refusing(*refused: str) -> tuple[Callable[[list[str]], None], list[list[str]]]:
    asked: list[list[str]] = []

    def ask(metrics: list[str]) -> None:
        asked.append(metrics)
        if set(refused) & set(metrics):
            raise PlatformRejected("no", platform_code="40002")

    return ask, asked


REFUSAL = PlatformRejected("no", platform_code="40002")


@pytest.mark.parametrize("refused", [("reach",), ("conversion", "onsite_shopping"), report.optional("conversion")])
def test_exactly_the_refused_metrics_are_left_out(refused: tuple[str, ...]) -> None:
    known = Refusals()
    ask, asked = refusing(*refused)
    known.learn("campaign", REFUSAL, ask)
    assert set(known.metrics("campaign")) == set(report.metrics_of("campaign")) - set(refused)
    assert known.metrics("ad") == report.metrics_of("ad")
    assert len(asked) <= 2 * len(report.optional("conversion"))


@pytest.mark.parametrize("refused", [("spend",), ()])
def test_a_refusal_that_is_not_about_a_metric_stays_one(refused: tuple[str, ...]) -> None:
    ask, _ = refusing(*refused)
    with pytest.raises(PlatformRejected):
        Refusals().learn("campaign", REFUSAL, ask)


def test_other_refusals_are_not_looked_into() -> None:
    ask, asked = refusing("reach")
    with pytest.raises(PlatformRejected):
        Refusals().learn("campaign", PlatformRejected("no", platform_code="40007"), ask)
    assert asked == []
