"""TikTok's lists and reports as the sandbox answers them over plain HTTP: limits, states, sums, tasks."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.sandbox.facts import columns
from tests.unit.sandbox.support import facts, write
from tests.unit.sandbox.tiktok import EVERY_AD, TikTok, row, thing, tiktok

NOW = "2026-03-03T12:30:00+00:00"
REPORT = "report/integrated/get/"
ALL = {"primary_status": "STATUS_ALL"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TikTok]:
    folder = facts(
        tmp_path_factory.mktemp("facts"),
        row(date="2026-03-01", video_views="300", reach="900"),
        row(date="2026-03-02", conversions="", conversion_value="", clicks="0"),
        row(date="2026-03-02", ad_id="42", ad_name="Cape", conversions="1.5", conversion_value="30.015"),
        row(date="2026-03-02", ad_id="", spend="3.25"),
        row(date="2026-03-03", campaign_id="22", adgroup_id="33", ad_id="44", campaign_name="Gone"),
        row(account_id="12", campaign_id="29", adgroup_id="39", ad_id="49", currency="INR", timezone="Asia/Kolkata",
            date="2026-03-03", spend="1200"),
    )  # fmt: skip
    of_account = [
        thing("account", "11", "", name="Shop", created_at="2025-12-24T10:00:00+01:00"),
        thing("campaign", "21", "11", status="paused", daily_budget="52.50", objective="WEB_CONVERSIONS"),
        thing("campaign", "22", "11", status="deleted", deleted_at="2026-03-03T10:00:00+01:00"),
        thing("campaign", "23", "11", kind="top_view", created_at="2026-03-01T00:00:00+01:00"),
        thing("ad_group", "31", "21"),
        thing("ad", "42", "31", status="deleted", updated_at="2026-03-02T08:00:00+00:00"),
        thing("ad", "43", "31", created_at="2026-03-01T10:00:00+01:00", review_status="rejected"),
    ]
    write(folder, columns.ENTITIES_FILE, of_account)
    usual = {"platform": "tiktok", "account_id": "11", "campaign_id": "21", "impressions": "10", "spend": "0.10"}
    hours = [("2026-03-02", "23"), ("2026-03-03", "0"), ("2026-03-03", "13"), ("2026-03-03", "14")]
    write(folder, columns.HOURLY_FILE, [{**usual, "date": day, "hour": hour} for day, hour in hours])
    with tiktok(tmp_path_factory.mktemp("home"), folder, NOW) as started:
        yield started


@pytest.fixture(scope="module")
def token(platform: TikTok) -> str:
    return platform.login()


def report(platform: TikTok, token: str, **more: Any) -> dict[str, Any]:
    asked = {
        "advertiser_id": "11", "report_type": "BASIC", "data_level": "AUCTION_AD", "metrics": ["spend", "clicks"],
        "dimensions": ["ad_id", "stat_time_day"], "start_date": "2026-03-01", "end_date": "2026-03-03",
        "filtering": EVERY_AD, **more,
    }  # fmt: skip
    return platform.get(REPORT, token, **{name: value for name, value in asked.items() if value is not None})


def ids(envelope: dict[str, Any], name: str) -> list[str]:
    assert envelope["code"] == 0, envelope
    return [one[name] for one in envelope["data"]["list"]]


# Accounts


def test_an_account_has_two_time_zones_one_of_them_turned_round(platform: TikTok, token: str) -> None:
    fields = ["advertiser_id", "name", "currency", "timezone", "display_timezone", "create_time", "status"]
    found = platform.get("advertiser/info/", token, advertiser_ids=["11", "12"], fields=fields)["data"]["list"]
    assert found[0] == {
        "advertiser_id": "11", "name": "Shop", "currency": "EUR", "timezone": "Etc/GMT-1",
        "display_timezone": "Europe/Berlin", "create_time": 1766566800, "status": "STATUS_ENABLE",
    }  # fmt: skip
    assert found[1]["timezone"] == "Asia/Kolkata"  # half hours cannot be said the other way


def test_account_ids_are_limited_and_fields_checked(platform: TikTok, token: str) -> None:
    many = [str(number) for number in range(101)]
    assert platform.get("advertiser/info/", token, advertiser_ids=many)["code"] == 40011
    assert platform.get("advertiser/info/", token, advertiser_ids=["11"], fields=["shoe_size"])["code"] == 40002
    assert platform.get("advertiser/info/", token)["code"] == 40002


# Objects


def test_deleted_objects_are_hidden_unless_asked_for(platform: TikTok, token: str) -> None:
    def listed(level: str, **filtering: Any) -> list[str]:
        return ids(platform.get(f"{level}/get/", token, advertiser_id="11", filtering=filtering), f"{level}_id")

    assert listed("campaign") == ["21"]
    assert listed("campaign", **ALL) == listed("campaign", secondary_status="CAMPAIGN_STATUS_ALL") == ["22", "21"]
    assert listed("campaign", primary_status="STATUS_DELETE") == ["22"]
    assert listed("ad") == ["43", "41"]
    assert listed("ad", **ALL) == ["44", "43", "42", "41"]  # 44 is gone with its campaign
    assert listed("ad", secondary_status="AD_STATUS_CAMPAIGN_DELETE") == ["44"]
    assert listed("ad", campaign_ids=["22"], **ALL) == ["44"]
    assert listed("adgroup", adgroup_ids=["31"]) == ["31"]


def test_top_view_campaigns_come_alone(platform: TikTok, token: str) -> None:
    def ask(*kinds: str, **more: Any) -> dict[str, Any]:
        return platform.get("campaign/get/", token, advertiser_id="11", filtering={"buying_types": kinds}, **more)

    assert ids(ask("RESERVATION_TOP_VIEW"), "campaign_id") == ["23"]
    assert ask("RESERVATION_TOP_VIEW", "AUCTION")["code"] == 40002
    assert ask("RESERVATION_TOP_VIEW", page_size=100)["code"] == 0
    assert ask("RESERVATION_TOP_VIEW", page_size=101)["code"] == 40002


def test_an_object_says_its_states_and_times_in_utc(platform: TikTok, token: str) -> None:
    (campaign,) = platform.get(
        "campaign/get/", token, advertiser_id="11", exclude_field_types_in_response=["NULL_FIELD"]
    )["data"]["list"]
    assert campaign["budget"] == 52.5
    assert campaign["budget_mode"] == "BUDGET_MODE_DAY"
    assert (campaign["operation_status"], campaign["secondary_status"]) == ("DISABLE", "CAMPAIGN_STATUS_DISABLE")
    assert None not in campaign.values()
    fields = ["ad_id", "create_time", "secondary_status", "deeplink"]
    ads = platform.get("ad/get/", token, advertiser_id="11", filtering=ALL, fields=fields)["data"]["list"]
    assert ads[1] == {
        "advertiser_id": "11", "ad_id": "43", "create_time": "2026-03-01 09:00:00", "deeplink": None,
        "secondary_status": "AD_STATUS_CAMPAIGN_DISABLE",
    }  # fmt: skip


def test_only_ads_can_be_asked_for_by_their_change(platform: TikTok, token: str) -> None:
    after = {"modified_after": "2026-03-02 07:00:00", **ALL}
    assert ids(platform.get("ad/get/", token, advertiser_id="11", filtering=after), "ad_id") == ["44", "42"]
    assert platform.get("campaign/get/", token, advertiser_id="11", filtering=after)["code"] == 40002


def test_pages_are_numbered_and_limited(platform: TikTok, token: str) -> None:
    def page(**more: Any) -> dict[str, Any]:
        return platform.get("ad/get/", token, advertiser_id="11", filtering=ALL, **more)

    first = page()["data"]["page_info"]
    assert first == {"page": 1, "page_size": 10, "total_number": 4, "total_page": 1}
    second = page(page=2, page_size=3)
    assert (ids(second, "ad_id"), second["data"]["page_info"]["total_page"]) == (["41"], 2)
    assert ids(page(page=9), "ad_id") == []
    assert page(page_size=1000)["code"] == 0
    assert [page(page_size=size)["code"] for size in (1001, 0)] == [40002, 40002]
    assert page(page="x")["code"] == 40002


@pytest.mark.parametrize("filtering", [{"campaign_ids": [str(n) for n in range(101)]}, {"ad_ids": ["1"] * 101}])
def test_more_than_a_hundred_ids_are_refused(platform: TikTok, token: str, filtering: dict[str, Any]) -> None:
    assert platform.get("ad/get/", token, advertiser_id="11", filtering=filtering)["code"] == 40011


def test_a_call_needs_its_account_and_its_right(platform: TikTok, token: str) -> None:
    assert platform.get("ad/get/", token)["code"] == 40002
    assert platform.get("ad/get/", token, advertiser_id="99")["code"] == 40001
    assert platform.get("ad/get/", token, advertiser_id="11", filtering="{")["code"] == 40002
    reporting = platform.login(choices="1", granted=["4"], advertiser=["11"])
    assert platform.get("ad/get/", reporting, advertiser_id="11")["code"] == 40130
    assert report(platform, reporting)["code"] == 0


# Reports


def test_rows_are_text_without_the_account_and_say_no_value(platform: TikTok, token: str) -> None:
    rows = report(platform, token, metrics=["spend", "conversion", "reach", "likes", "ad_name"])["data"]["list"]
    assert (
        rows[1]
        == {
            "dimensions": {"ad_id": "42", "stat_time_day": "2026-03-02 00:00:00"},
            "metrics": {"ad_name": "ad 42", "spend": "12.50", "conversion": "1.5", "reach": "-", "likes": "-"},
        }
        or rows[1]["metrics"]["ad_name"] == "ad 42"
    )
    assert all(isinstance(value, str) for one in rows for value in one["metrics"].values())


def test_rows_of_deleted_objects_are_left_out_unless_asked_for(platform: TikTok, token: str) -> None:
    def ads(**more: Any) -> list[str]:
        return [one["dimensions"]["ad_id"] for one in report(platform, token, **more)["data"]["list"]]

    assert ads() == ["44", "42", "41", "41"]
    assert ads(filtering=None) == ["41", "41"]
    level = {"data_level": "AUCTION_CAMPAIGN", "dimensions": ["campaign_id", "stat_time_day"], "filtering": None}
    rows = report(platform, token, **level)["data"]["list"]
    # The deleted ad counts for its campaign, the delivery without an ad too; the deleted campaign is not there.
    assert [(one["dimensions"]["campaign_id"], one["metrics"]["spend"]) for one in rows] == [
        ("21", "12.50"), ("21", "28.25"),
    ]  # fmt: skip


def test_an_account_is_the_sum_of_its_rows(platform: TikTok, token: str) -> None:
    level = {"data_level": "AUCTION_ADVERTISER", "dimensions": ["advertiser_id"], "filtering": None}
    asked = ["spend", "currency", "total_complete_payment_rate"]
    (found,) = report(platform, token, **level, metrics=asked)["data"]["list"]
    assert found["dimensions"] == {"advertiser_id": "11"}
    assert found["metrics"] == {"currency": "EUR", "spend": "53.25", "total_complete_payment_rate": "270.015"}
    totals = report(platform, token, **level, enable_total_metrics="true")["data"]["total_metrics"]
    assert totals == {"spend": "53.25", "clicks": "40"}


def test_ratios_are_worked_out(platform: TikTok, token: str) -> None:
    only = {"start_date": "2026-03-01", "end_date": "2026-03-01"}
    (found,) = report(platform, token, **only, metrics=["ctr", "cpc", "cpm", "frequency"])["data"]["list"]
    assert found["metrics"] == {"ctr": "1.00", "cpc": "1.25", "cpm": "12.50", "frequency": "1.11"}


def test_hours_are_local_and_only_those_that_have_begun(platform: TikTok, token: str) -> None:
    hourly = {"data_level": "AUCTION_CAMPAIGN", "dimensions": ["campaign_id", "stat_time_hour"], "filtering": None}
    found = report(platform, token, **hourly, start_date="2026-03-03", end_date="2026-03-03")["data"]["list"]
    assert [one["dimensions"]["stat_time_hour"] for one in found] == ["2026-03-03 00:00:00", "2026-03-03 13:00:00"]


def test_rows_can_be_ordered(platform: TikTok, token: str) -> None:
    rows = report(platform, token, order_field="spend", order_type="ASC")["data"]["list"]
    assert [one["metrics"]["spend"] for one in rows] == sorted(one["metrics"]["spend"] for one in rows)


@pytest.mark.parametrize(
    "wrong",
    [
        {"report_type": None},
        {"report_type": "NO"},
        {"data_level": None},
        {"data_level": "AD"},
        {"service_type": "RESERVATION"},
        {"query_mode": "CHUNK"},
        {"dimensions": ["stat_time_day"]},
        {"dimensions": ["ad_id", "campaign_id"]},
        {"dimensions": ["campaign_id", "stat_time_day"]},
        {"dimensions": ["ad_id", "stat_time_day", "stat_time_hour"]},
        {"dimensions": ["ad_id", "country_code", "stat_time_hour"]},
        {"dimensions": ["ad_id", "country_code", "platform"]},
        {"dimensions": ["ad_id", "shoe_size"]},
        {"report_type": "AUDIENCE"},
        {"metrics": ["shoe_size"]},
        {"metrics": ["spend"] * 101},
        {"data_level": "AUCTION_CAMPAIGN", "dimensions": ["campaign_id"], "metrics": ["ad_name"]},
        {"start_date": None},
        {"start_date": "2026-3-1"},
        {"start_date": "2026-03-04"},
        {"start_date": "2026-02-01", "end_date": "2026-03-03"},
        {"dimensions": ["ad_id", "stat_time_hour"]},
        {"dimensions": ["ad_id"], "start_date": "2025-03-02", "end_date": "2026-03-03"},
        {"lifetime": "true", "start_date": None},
        {"query_lifetime": "true"},
        {"filtering": [{"field_name": "campaign_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}]},
        {"filtering": [{"field_name": "ad_status", "filter_type": "IN", "filter_value": ["STATUS_ALL"]}]},
        {"filtering": [{"field_name": "ad_status", "filter_type": "IS", "filter_value": '["STATUS_ALL"]'}]},
        {"data_level": "AUCTION_ADVERTISER", "dimensions": ["advertiser_id"]},
        {"order_field": "impressions"},
    ],
    ids=json.dumps,
)
def test_what_tiktok_does_not_take_is_refused(platform: TikTok, token: str, wrong: dict[str, Any]) -> None:
    assert report(platform, token, **wrong)["code"] == 40002


@pytest.mark.parametrize(
    "right",
    [
        {"start_date": "2026-02-02"},
        {"dimensions": ["ad_id"], "start_date": "2025-03-04"},
        {"dimensions": ["ad_id", "stat_time_hour"], "start_date": "2026-03-03"},
        {"dimensions": ["ad_id"], "query_lifetime": "true", "start_date": None, "end_date": None},
        {"filters": "anything"},
        {"report_type": "AUDIENCE", "dimensions": ["ad_id", "age", "gender"]},
        {"page": None, "metrics": None},
    ],
    ids=json.dumps,
)
def test_what_is_just_within_the_limits_is_answered(platform: TikTok, token: str, right: dict[str, Any]) -> None:
    assert report(platform, token, **right)["code"] == 0


def test_several_accounts_at_once_lose_the_decimals_of_money(platform: TikTok, token: str) -> None:
    many = {"advertiser_id": None, "advertiser_ids": ["11", "12"]}
    spends = {one["metrics"]["spend"] for one in report(platform, token, **many)["data"]["list"]}
    assert spends == {"12", "1200"}
    assert report(platform, token, advertiser_id=None, advertiser_ids=["11"] * 6)["code"] == 40002
    assert report(platform, token, advertiser_id=None, bc_id="1")["code"] == 40001


def test_of_too_many_ads_only_the_newest_count_and_a_header_says_so(platform: TikTok, token: str) -> None:
    asked = {
        "advertiser_id": "11", "report_type": "BASIC", "data_level": "AUCTION_AD", "dimensions": ["ad_id"],
        "start_date": "2026-03-01", "end_date": "2026-03-03", "filtering": EVERY_AD,
    }  # fmt: skip
    platform.sandbox.faults({"match": {"path": "report", "times": None}, "fault": {"kind": "few_ads", "rows": 2}})
    try:
        cut = platform.call(REPORT, token, **asked)
        few = [*EVERY_AD, {"field_name": "adgroup_ids", "filter_type": "IN", "filter_value": '["33"]'}]
        whole = platform.call(REPORT, token, **{**asked, "filtering": few})
    finally:
        platform.sandbox.faults()
    assert cut.json()["code"] == 0
    assert cut.headers["x-tt-ads-throttle"].startswith("Number of ad ids")
    assert [one["dimensions"]["ad_id"] for one in cut.json()["data"]["list"]] == ["44", "42"]
    assert "x-tt-ads-throttle" not in whole.headers
    assert [one["dimensions"]["ad_id"] for one in whole.json()["data"]["list"]] == ["44"]


# Tasks


def start(platform: TikTok, token: str) -> str:
    body = {
        "advertiser_id": "11", "report_type": "BASIC", "data_level": "AUCTION_AD", "metrics": ["spend", "ad_name"],
        "dimensions": ["ad_id", "stat_time_day"], "start_date": "2025-01-01", "end_date": "2026-03-03",
        "output_format": "CSV_DOWNLOAD",
    }  # fmt: skip
    headers = {"Access-Token": token}
    reply = httpx.post(f"{platform.api}/report/task/create/", json=body, headers=headers).json()
    assert reply["code"] == 0, reply
    return str(reply["data"]["task_id"])


def status(platform: TikTok, token: str, task_id: str) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = platform.get("report/task/check/", token, advertiser_id="11", task_id=task_id)["data"]["status"]
        if found not in ("QUEUING", "PROCESSING"):
            return str(found)
    raise AssertionError(found)


def test_a_task_brings_a_file_without_a_limit_of_days(platform: TikTok, token: str) -> None:
    task_id = start(platform, token)
    early = platform.get("report/task/download/", token, advertiser_id="11", task_id=task_id)
    assert early["code"] == 40201
    assert status(platform, token, task_id) == "SUCCESS"
    got = platform.get("report/task/download/", token, advertiser_id="11", task_id=task_id)
    rows = list(csv.DictReader(io.StringIO(httpx.get(got["data"]["download_url"]).text)))
    assert [one["ad_id"] for one in rows] == ["41", "41"]
    assert httpx.get(f"{platform.sandbox.url}/open_api/files/made-up").status_code == 403


def test_a_task_can_fail_be_cancelled_and_be_refused(platform: TikTok, token: str) -> None:
    platform.sandbox.faults({"match": {"path": "task/create"}, "fault": {"kind": "fail_at"}})
    assert status(platform, token, start(platform, token)) == "FAILED"
    task_id = start(platform, token)
    body = {"advertiser_id": "11", "task_id": task_id}
    httpx.post(f"{platform.api}/report/task/cancel/", json=body, headers={"Access-Token": token})
    assert status(platform, token, task_id) == "CANCELED"
    assert platform.get("report/task/check/", token, advertiser_id="11", task_id="9")["code"] == 40200
