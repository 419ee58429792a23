"""Accounts, objects and insights of the sandbox, read with Meta's own unmodified SDK and with plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from infra.sandbox.facts import columns
from infra.sandbox.facts.expected import expected
from infra.sandbox.meta.rows import METRICS, SILENT
from tests.unit.sandbox.support import APP_ID, APP_SECRET, META_90_DAYS, Sandbox, entity, fact, facts, running, write

NOW = datetime(2026, 3, 3, 12, 30, tzinfo=UTC)
WHOLE = '{"since":"2025-01-01","until":"2025-03-31"}'
MARCH = '{"since":"2026-03-01","until":"2026-03-03"}'
INDIAN = "act_1000000000000404"
MANY = '[{"field":"headline","text":"A"},{"field":"headline","text":"B"},{"field":"body","text":"C"}]'
WINDOWS = '["7d_click","1d_view","7d_view"]'


def session(sandbox: Sandbox, token: str) -> FacebookAdsApi:
    one = FacebookSession(APP_ID, APP_SECRET, token, timeout=20)
    one.GRAPH = sandbox.url
    return FacebookAdsApi(one)


@pytest.fixture(scope="module")
def indian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("home")
    with running(home, ADLOOM_SANDBOX_FACTS=str(META_90_DAYS), ADLOOM_CLOCK="2025-04-02T10:00:00+00:00") as started:
        yield started


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facts")
    days = [
        fact(date="2026-03-01", video_views="300", reach="900"),
        fact(date="2026-03-02", conversions="", conversion_value="", clicks="0"),
        fact(date="2026-03-02", ad_id="42", ad_name="Cape", conversions="1.5", conversion_value="30.015"),
        fact(date="2026-03-02", ad_id="", spend="3.25"),
        fact(date="2026-03-02", ad_id="", adgroup_id="", spend="0.75"),
        fact(date="2026-03-03", campaign_id="22", adgroup_id="33", ad_id="44", campaign_name="Gone"),
        fact(account_id="12", campaign_id="29", adgroup_id="39", ad_id="49", currency="JPY", timezone="Asia/Tokyo",
             date="2026-03-03", spend="1200"),
    ]  # fmt: skip
    facts(folder, *days)
    rows = [
        entity("account", "11", "", name="Shop"),
        entity("campaign", "21", "11", status="paused", daily_budget="52.50", objective="OUTCOME_SALES"),
        entity("campaign", "22", "11", status="deleted", deleted_at="2026-03-03T10:00:00+01:00"),
        entity("ad_group", "31", "21", conversion_window_days="7", labels='["Winter"]'),
        entity("ad", "41", "31", texts='[{"field":"headline","text":"Warm"}]', final_url="https://a.example/"),
        entity("ad", "42", "31", status="archived", texts=MANY, review_status="disapproved", review_reason="Too good"),
        entity("ad", "43", "31", status="deleted", deleted_at="2026-04-01T00:00:00+01:00"),
        {**entity("campaign", "29", "12", daily_budget="5000"), "account_id": "12"},
    ]
    write(folder, columns.ENTITIES_FILE, rows)
    usual = {"platform": "meta", "account_id": "11", "campaign_id": "21", "impressions": "10", "spend": "0.10"}
    hours = [("2026-03-02", "23"), ("2026-03-03", "0"), ("2026-03-03", "13"), ("2026-03-03", "14")]
    write(folder, columns.HOURLY_FILE, [{**usual, "date": day, "hour": hour} for day, hour in hours])
    total = {"platform": "meta", "account_id": "11", "date": "2026-03-01", "impressions": "1001", "spend": "12.51"}
    write(folder, columns.TOTALS_FILE, [total])
    return folder


@pytest.fixture(scope="module")
def small(small_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("home")
    with running(home, ADLOOM_SANDBOX_FACTS=str(small_folder), ADLOOM_CLOCK=f"{NOW.isoformat()},x0") as started:
        yield started


@pytest.fixture(scope="module")
def token(small: Sandbox) -> str:
    return small.login()


def walk(sandbox: Sandbox, path: str, token: str, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = sandbox.get(path, token, **params, **after).json()
        found += page["data"]
        if "next" not in page.get("paging", {}):
            return found
        after = {"after": page["paging"]["cursors"]["after"]}


def test_the_sdk_reads_every_row_of_a_quarter_to_the_cent(indian: Sandbox) -> None:
    api = session(indian, indian.login())
    (account,) = User("me", api=api).get_ad_accounts(fields=["account_id", "currency", "timezone_name"])
    assert (account["currency"], account["timezone_name"]) == ("INR", "Asia/Kolkata")
    params = {"level": "ad", "time_increment": 1, "time_range": json.loads(WHOLE), "limit": 500}
    fields = ["ad_id", "ad_name", "impressions", "clicks", "spend", "actions", "action_values"]
    rows = list(AdAccount(INDIAN, api=api).get_insights(fields=fields, params=params))
    judged = expected(META_90_DAYS, datetime(2025, 4, 2, 10, tzinfo=UTC))
    assert len(rows) == len(judged.ads) == 4500
    for row in rows:
        cells = judged.ads["meta", row["ad_id"], date.fromisoformat(row["date_start"])]
        assert (Decimal(row["spend"]), int(row["clicks"])) == (cells.spend, cells.clicks)
        bought = {entry["action_type"]: Decimal(entry["value"]) for entry in row.get("actions", [])}
        assert bought.get("omni_purchase", 0) == bought.get("purchase", 0) == cells.conversions
        assert row["ad_name"] == judged.names["meta", "ad", row["ad_id"]]


@pytest.mark.parametrize("limit", ["1", "7", "25", "5000"])
def test_pages_of_any_size_give_every_object_once(indian: Sandbox, limit: str) -> None:
    rows = walk(indian, f"{INDIAN}/campaigns", indian.login(), fields="id,name", limit=limit)
    assert len({row["id"] for row in rows}) == len(rows) == 10


def test_the_sdk_walks_the_edges(indian: Sandbox) -> None:
    account = AdAccount(INDIAN, api=session(indian, indian.login()))
    adsets = account.get_ad_sets(fields=["id", "campaign_id"], params={"limit": 100})
    assert adsets.total() == 300
    assert len(list(adsets)) == 300
    assert len(list(account.get_ads(fields=["id"], params={"limit": 2000}))) == 4361


def test_nodes_are_read_by_the_sdk(small: Sandbox, token: str) -> None:
    api = session(small, token)
    campaign = Campaign("21", api=api).api_get(fields=["name", "status", "daily_budget", "objective", "created_time"])
    assert (campaign["daily_budget"], campaign["status"], campaign["objective"]) == ("5250", "PAUSED", "OUTCOME_SALES")
    assert campaign["created_time"] == "2026-03-01T00:00:00+0100"
    assert Campaign("29", api=api).api_get(fields=["daily_budget"])["daily_budget"] == "5000"
    adset = AdSet("31", api=api).api_get(fields=["campaign_id", "effective_status"])
    assert (adset["campaign_id"], adset["effective_status"]) == ("21", "CAMPAIGN_PAUSED")
    assert Ad("41", api=api).api_get(fields=["adset_id"])["adset_id"] == "31"
    ad = small.get("41", token, fields="campaign{name},creative{title,link_url}").json()
    assert ad["campaign"] == {"id": "21", "name": "campaign 21"}
    assert ad["creative"] == {"id": "941", "title": "Warm", "link_url": "https://a.example/"}
    account = AdAccount("act_12", api=api).api_get(fields=["name", "currency", "account_status"])
    assert (account["currency"], account["account_status"]) == ("JPY", 1)


def test_an_ad_shows_texts_and_a_page_and_what_its_review_says(small: Sandbox, token: str) -> None:
    api = session(small, token)
    fields = "creative{title,body,image_url,object_story_spec,asset_feed_spec},ad_review_feedback,adlabels{name}"
    one = small.get("41", token, fields=fields).json()
    link = one["creative"]["object_story_spec"]["link_data"]
    assert (link["name"], link["link"], one["creative"]["title"]) == ("Warm", "https://a.example/", "Warm")
    assert "ad_review_feedback" not in one
    assert "adlabels" not in one
    many = small.get("42", token, fields=fields).json()
    assets = many["creative"]["asset_feed_spec"]
    assert [text["text"] for text in assets["titles"]] == ["A", "B"]
    assert [text["text"] for text in assets["bodies"]] == ["C"]
    feedback = Ad("42", api=api).api_get(fields=["ad_review_feedback"])["ad_review_feedback"]
    assert feedback["global"] == many["ad_review_feedback"]["global"] == {"DISAPPROVED": "Too good"}
    adset = AdSet("31", api=api).api_get(fields=["attribution_spec", "adlabels"])
    assert adset["attribution_spec"][0] == {"event_type": "CLICK_THROUGH", "window_days": 7}
    assert [label["name"] for label in adset["adlabels"]] == ["Winter"]


def test_lists_leave_out_what_is_gone_unless_its_state_is_asked_for(small: Sandbox, token: str) -> None:
    def ids(path: str, **params: str) -> list[str]:
        return [row["id"] for row in walk(small, path, token, **params)]

    assert ids("act_11/ads") == ["41", "43"]
    assert ids("act_11/ads", effective_status='["ARCHIVED","CAMPAIGN_PAUSED"]') == ["41", "42", "43"]
    state = '[{"field":"effective_status","operator":"IN","value":["DELETED","ARCHIVED"]}]'
    assert ids("act_11/ads", filtering=state) == ["42", "44"]
    assert ids("act_11/campaigns") == ["21"]
    assert ids("21/ads") == ["41", "43"]
    assert ids("31/ads", filtering='[{"field":"id","operator":"IN","value":["41"]}]') == ["41"]


def rows_by(small: Sandbox, token: str, path: str = "act_11/insights", **params: str) -> list[dict[str, Any]]:
    asked = {"time_range": MARCH, "time_increment": "1", "fields": "campaign_id,adset_id,ad_id,spend", **params}
    return walk(small, path, token, **asked)


def spends(rows: list[dict[str, Any]]) -> list[str]:
    return [row["spend"] for row in rows]


def test_levels_are_separate_facts(small: Sandbox, token: str) -> None:
    assert spends(rows_by(small, token)) == ["12.51", "29.00", "12.50"]
    gone = '[{"field":"campaign.effective_status","operator":"IN","value":["PAUSED","DELETED"]}]'
    assert spends(rows_by(small, token, level="campaign")) == ["12.50", "29.00"]
    assert spends(rows_by(small, token, level="campaign", filtering=gone)) == ["12.50", "29.00", "12.50"]
    assert spends(rows_by(small, token, level="adset")) == ["12.50", "28.25"]
    assert spends(rows_by(small, token, level="ad")) == ["12.50", "12.50"]
    gone = '[{"field":"ad.effective_status","operator":"IN","value":["CAMPAIGN_PAUSED","ARCHIVED","DELETED"]}]'
    rows = rows_by(small, token, level="ad", filtering=gone)
    assert [row["ad_id"] for row in rows] == ["41", "41", "42", "44"]


def test_insights_of_an_object_hold_its_own_rows(small: Sandbox, token: str) -> None:
    assert spends(rows_by(small, token, "21/insights")) == ["12.50", "29.00"]
    assert spends(rows_by(small, token, "31/insights")) == ["12.50", "28.25"]
    assert spends(rows_by(small, token, "41/insights")) == ["12.50", "12.50"]
    assert [row["ad_id"] for row in rows_by(small, token, "21/insights", level="ad")] == ["41", "41"]
    assert small.get("41/insights", token, level="campaign", time_range=MARCH).json()["error"]["code"] == 100


def test_values_are_strings_and_what_the_platform_does_not_say_is_absent(small: Sandbox, token: str) -> None:
    fields = "ad_id,impressions,clicks,spend,reach,frequency,actions,action_values"
    first, second = rows_by(small, token, "41/insights", fields=fields, action_attribution_windows=WINDOWS)
    bought = {"value": "2", "7d_click": "2"}
    assert first == {
        "ad_id": "41",
        "impressions": "1000",
        "clicks": "10",
        "spend": "12.50",
        "reach": "900",
        "actions": [
            {"action_type": "omni_purchase", **bought},
            {"action_type": "purchase", **bought},
            {"action_type": "offsite_conversion.fb_pixel_purchase", **bought},
            {"action_type": "link_click", "value": "10", "7d_click": "10"},
            {"action_type": "video_view", "value": "300", "7d_click": "300"},
        ],
        "action_values": [
            {"action_type": kind, "value": "80.00", "7d_click": "80.00"}
            for kind in ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
        ],
        "date_start": "2026-03-01",
        "date_stop": "2026-03-01",
    }
    assert second.keys() == {"ad_id", "impressions", "clicks", "spend", "date_start", "date_stop"}


def test_increments_sum_exactly(small: Sandbox, token: str) -> None:
    whole = rows_by(small, token, time_increment="all_days", fields="spend,reach")
    assert whole == [{"spend": "54.01", "date_start": "2026-03-01", "date_stop": "2026-03-03"}]
    two = rows_by(small, token, time_increment="2")
    assert [(row["date_start"], row["date_stop"], row["spend"]) for row in two] == [
        ("2026-03-01", "2026-03-02", "41.51"),
        ("2026-03-03", "2026-03-03", "12.50"),
    ]
    assert spends(rows_by(small, token, time_increment="monthly")) == ["54.01"]
    assert spends(rows_by(small, token, time_range="", date_preset="yesterday")) == ["29.00"]


def test_hours_are_served_once_they_have_begun(small: Sandbox, token: str) -> None:
    key = "hourly_stats_aggregated_by_advertiser_time_zone"
    for level in ("account", "campaign"):
        rows = rows_by(small, token, level=level, breakdowns=f'["{key}"]')
        assert [(row["date_start"][-2:], row[key]) for row in rows] == [
            ("02", "23:00:00 - 23:59:59"),
            ("03", "00:00:00 - 00:59:59"),
            ("03", "13:00:00 - 13:59:59"),
        ]
    assert rows_by(small, token, level="ad", breakdowns=key) == []
    assert small.get("act_11/insights", token, breakdowns='["age"]').json()["error"]["code"] == 100


@pytest.mark.parametrize(
    ("path", "params", "code", "subcode"),
    [
        ("act_11/insights", {"time_range": '{"since":"2023-02-02","until":"2026-03-01"}'}, 3018, None),
        ("act_11/insights", {"time_range": '{"since":"2026-03-02","until":"2026-03-01"}'}, 100, None),
        ("act_11/insights", {"time_range": "march"}, 100, None),
        ("act_11/insights", {"level": "adgroup"}, 100, None),
        ("act_11/insights", {"fields": "spend,wealth"}, 100, None),
        ("act_11/insights", {"time_increment": "91"}, 100, None),
        ("act_11/insights", {"limit": "0"}, 100, None),
        ("act_11/insights", {"after": "%%%"}, 100, 1349125),
        ("act_11/insights", {"filtering": '[{"field":"ad.colour","operator":"IN","value":["red"]}]'}, 100, None),
        ("act_11/campaigns", {"fields": "id,colour"}, 100, None),
        ("act_11/campaigns", {"fields": "id,adset{"}, 100, None),
        ("act_11/kittens", {}, 2500, None),
        ("act_99", {}, 100, 33),
        ("999", {}, 100, 33),
    ],
)
def test_wrong_requests_get_metas_errors(
    small: Sandbox, token: str, path: str, params: dict[str, str], code: int, subcode: int | None
) -> None:
    reply = small.get(path, token, **params)
    assert reply.status_code == 400
    assert (reply.json()["error"]["code"], reply.json()["error"].get("error_subcode")) == (code, subcode)


def test_the_start_may_be_37_months_back_and_not_a_day_more(small: Sandbox, token: str) -> None:
    assert small.get("act_11/insights", token, time_range='{"since":"2023-02-03","until":"2026-03-01"}').is_success


def test_dead_versions_and_dead_habits_are_refused(small: Sandbox, token: str) -> None:
    params = {"access_token": token}
    assert httpx.get(f"{small.url}/v25.0/me", params=params).is_success
    assert httpx.get(f"{small.url}/v20.0/me", params=params).json()["error"]["code"] == 2635
    assert httpx.get(f"{small.url}/v99.0/me", params=params).json()["error"]["code"] == 2500
    reply = httpx.get(f"{small.graph}/", params={**params, "ids": "21,22"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, 100)


def test_every_answer_has_usage_headers(small: Sandbox, token: str) -> None:
    headers = small.get("act_11/insights", token).headers
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert json.loads(headers["x-app-usage"]).keys() == {"call_count", "total_time", "total_cputime"}
    assert json.loads(headers["x-business-use-case-usage"])["11"][0]["type"] == "ads_insights"
    assert "acc_id_util_pct" in json.loads(headers["x-fb-ads-insights-throttle"])
    assert "acc_id_util_pct" in json.loads(small.get("act_11/ads", token, fields="x").headers["x-ad-account-usage"])


def finished(job: AdReportRun) -> AdReportRun:
    for _ in range(400):
        job.api_get()
        if job["async_status"] == "Job Completed" and job["async_percent_completion"] == 100:
            return job
    raise AssertionError(job)


def test_an_asynchronous_report_gives_the_rows_of_the_synchronous_one(indian: Sandbox) -> None:
    api = session(indian, indian.login())
    params = {"level": "ad", "time_increment": 1, "time_range": json.loads(WHOLE)}
    fields = ["ad_id", "spend", "actions"]
    job = AdAccount(INDIAN, api=api).get_insights_async(fields=list(fields), params=dict(params))
    with pytest.raises(FacebookRequestError):
        job.get_result()
    rows = list(finished(job).get_result(params={"limit": 1000}))
    sync = AdAccount(INDIAN, api=api).get_insights(fields=list(fields), params={**params, "limit": 1000})
    assert [row.export_all_data() for row in rows] == [row.export_all_data() for row in sync]


def test_a_wrong_report_is_refused_at_once(small: Sandbox, token: str) -> None:
    reply = httpx.post(f"{small.graph}/act_11/insights", params={"access_token": token}, data={"level": "kitten"})
    assert reply.json()["error"]["code"] == 100


def test_a_batch_answers_each_call_for_itself(small: Sandbox, token: str) -> None:
    api = session(small, token)
    answers: list[Any] = []
    batch = api.new_batch()
    for object_id in ("21", "999"):
        Campaign(object_id, api=api).api_get(
            fields=["name"], batch=batch, success=answers.append, failure=answers.append
        )
    assert batch.execute() is None
    assert answers[0].json() == {"name": "campaign 21", "id": "21"}
    assert answers[1].error().api_error_subcode() == 33
    assert {header["name"] for header in answers[0]._headers} >= {"X-App-Usage", "Content-Type"}


def test_a_batch_of_more_than_fifty_is_refused(small: Sandbox, token: str) -> None:
    calls = json.dumps([{"method": "GET", "relative_url": "me"}] * 51)
    reply = httpx.post(f"{small.graph}/", data={"batch": calls, "access_token": token})
    assert reply.json()["error"]["type"] == "GraphBatchException"


def test_every_field_the_sandbox_knows_is_one_of_metas() -> None:
    known = {value for name, value in vars(AdsInsights.Field).items() if not name.startswith("_")}
    assert set(METRICS) <= known
    assert known >= SILENT
