"""What is read of TikTok beside its daily numbers: texts, media and reviews of ads, hours, windows, definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adloom import errors
from adloom.platforms.model import HOUR_LEVELS, Account, Days, Entity, HourFact
from adloom.platforms.tiktok.memory import Memory
from adloom.platforms.tiktok.read import TikTokReader
from infra.sandbox.facts import columns
from tests.contract.tiktok_world import UNTIL
from tests.unit.sandbox.support import facts, write
from tests.unit.sandbox.tiktok import TikTok, row, thing, tiktok

NOW = "2026-03-09T12:30:00+00:00"
SHOP, OTHER = "7000000000000000021", "7000000000000000022"
ADS = 130
SITE = "https://shop.example"
DAY = Days(UNTIL, UNTIL)
REPORT = "report/integrated/get"


def texts(*words: str) -> str:
    return json.dumps([{"field": "ad_text", "text": word} for word in words])


def numbered(n: int) -> str:
    return str(1820000000000000000 + n)


def ad(n: int, **cells: str) -> dict[str, str]:
    usual = {
        "texts": texts(f"Text {n}"), "final_url": f"{SITE}/{n}", "image_url": f"{SITE}/{n % 70}.jpg",
        "review_status": "approved", "created_at": "2026-01-01T00:00:00+01:00",
    }  # fmt: skip
    group = "1810000000000000001" if n < ADS else "1810000000000000002"
    return {**thing("ad", numbered(n), group), "account_id": SHOP, **usual, **cells}


def hour(campaign: str, at: int, day: str = "2026-03-09", **cells: str) -> dict[str, str]:
    usual = {"platform": "tiktok", "account_id": SHOP, "campaign_id": campaign, "date": day, "hour": str(at)}
    return {**usual, "impressions": str(100 + at), "clicks": "3", "spend": f"1.{at:02}", **cells}


def folder_in(path: Path) -> Path:
    of = {"account_id": SHOP}
    plain = {**of, "campaign_id": "1800000000000000001", "adgroup_id": "1810000000000000001"}
    smart = {**of, "campaign_id": "1800000000000000002", "adgroup_id": "1810000000000000002"}
    made = facts(
        path,
        *(
            row(**plain, ad_id=numbered(n), date="2026-03-09", conversions="4", conversion_value="9.50")
            for n in range(3)
        ),
        row(**smart, ad_id=numbered(ADS), date="2026-03-09"),
        row(account_id=OTHER, campaign_id="1809", adgroup_id="1819", ad_id="1829", date="2026-03-09"),
    )
    special = {
        1: {"review_status": "disapproved", "review_reason": "It promises too much."},
        2: {"review_status": "in_review", "kind": "single_image"},
        3: {"review_status": "", "texts": texts("One", "Two"), "final_url": ""},
        4: {"review_status": "limited", "review_reason": "Not in every country.", "image_url": ""},
        5: {"status": "deleted", "deleted_at": "2026-03-01T00:00:00+01:00"},
    }
    objects = [
        {**thing("campaign", "1800000000000000002", SHOP, kind="upgraded_smart_plus"), **of},
        {**thing("ad_group", "1810000000000000001", plain["campaign_id"], conversion_window_days="28"), **of},
        {**thing("ad_group", "1810000000000000002", smart["campaign_id"], conversion_window_days="1"), **of},
        *(ad(n, **special.get(n, {})) for n in range(ADS)),
        ad(ADS, texts=texts("Made", "by", "TikTok"), review_status="disapproved", review_reason="No."),
    ]
    write(made, columns.ENTITIES_FILE, objects)
    hours = [hour(campaign, at) for campaign in (plain["campaign_id"], smart["campaign_id"]) for at in (0, 9, 13, 14)]
    zeros = dict.fromkeys(("impressions", "clicks", "spend"), "0")
    before = [hour(plain["campaign_id"], 23, "2026-03-08", conversions="2", conversion_value="5.25")]
    write(made, columns.HOURLY_FILE, [*hours, *before, hour(plain["campaign_id"], 2, **zeros)])
    return made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TikTok]:
    folder = folder_in(tmp_path_factory.mktemp("facts"))
    with tiktok(tmp_path_factory.mktemp("home"), folder, NOW) as started:
        yield started


@pytest.fixture
def platform(shared: TikTok) -> TikTok:
    shared.sandbox.faults()
    shared.sandbox.control("DELETE", "requests")
    return shared


@pytest.fixture(scope="module")
def token(shared: TikTok) -> str:
    return shared.login()


@pytest.fixture
def reader(platform: TikTok, token: str) -> Iterator[TikTokReader]:
    with platform.reader(token) as made:
        yield made


def ads(reader: TikTokReader) -> dict[int, Entity]:
    """The ads by their numbers."""
    found = (one for one in reader.entities(reader.account(SHOP)) if one.level == "ad")
    return {int(one.external_id) - int(numbered(0)): one for one in found}


def refused(code: int, path: str, **match: Any) -> dict[str, Any]:
    body = {"code": code, "message": "no", "request_id": "R1", "data": {}}
    return {"match": {"path": path, "times": None, **match}, "fault": {"kind": "error", "status": 200, "body": body}}


# Texts, media and reviews


def test_ads_have_their_texts_their_page_and_their_image(reader: TikTokReader) -> None:
    found = ads(reader)
    assert len(found) == ADS + 1
    assert (found[0].texts, found[0].final_url) == ((("ad_text", "Text 0"),), f"{SITE}/0")
    assert found[0].image_url == f"{SITE}/0.jpg"  # the cover of a video
    assert found[2].image_url == f"{SITE}/2.jpg"  # an image
    assert (found[3].texts, found[3].final_url) == ((("ad_text", "One"), ("ad_text", "Two")), None)
    assert found[4].image_url is None
    assert found[129].image_url == f"{SITE}/59.jpg"
    assert found[5].status == "deleted"
    assert found[5].texts == (("ad_text", "Text 5"),)


def test_a_review_is_told_in_tiktoks_word_with_its_reason(reader: TikTokReader) -> None:
    found = {n: (one.review_status, one.review_reason) for n, one in ads(reader).items()}
    assert found[0] == ("ALL_AVAILABLE", None)
    assert found[1] == ("UNAVAILABLE", "It promises too much.")
    assert found[2] == ("AUDIT", None)
    assert found[3] == (None, None)
    assert found[4] == ("PART_AVAILABLE", "Not in every country.")


def test_upgraded_smart_plus_tells_of_its_ads_elsewhere(platform: TikTok, reader: TikTokReader) -> None:
    smart = ads(reader)[ADS]
    assert smart.texts == (("ad_text", "Made"), ("ad_text", "by"), ("ad_text", "TikTok"))
    assert (smart.final_url, smart.image_url) == (f"{SITE}/{ADS}", f"{SITE}/{ADS % 70}.jpg")
    assert (smart.review_status, smart.review_reason) == ("UNAVAILABLE", "No.")
    (asked,) = platform.asked("smart_plus/ad/get")
    assert json.loads(asked["params"]["filtering"])["campaign_ids"] == ["1800000000000000002"]
    list(reader.entities(reader.account(OTHER)))  # has no such campaign
    assert len(platform.asked("smart_plus/ad/get")) == 1


def test_upgraded_smart_plus_that_may_not_be_read_keeps_its_ads(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(refused(40002, "smart_plus/ad/get"))
    found = ads(reader)
    assert len(found) == ADS + 1
    assert found[ADS].texts == ()
    assert found[0].texts


def test_details_are_asked_for_many_at_a_time_and_remembered(platform: TikTok, token: str) -> None:
    memory = Memory()
    for expected in ([100, 30], []):
        platform.sandbox.control("DELETE", "requests")
        with platform.reader(token, memory=memory) as reader:
            first = ads(reader)
        asked = [
            len(json.loads(one["params"]["ad_ids"]))
            for one in platform.asked("ad/review_info")
            if "ad_ids" in one["params"]
        ]
        assert asked == expected
        assert len(platform.asked("file/video/ad/info")) == (2 if expected else 0)  # 69 different ones, 60 at a time
    assert first[1].review_reason == "It promises too much."
    assert first[0].image_url == f"{SITE}/0.jpg"


def test_a_memory_forgets_what_changed_and_what_is_old() -> None:
    memory = Memory()
    memory.keep("reviews", SHOP, {"1": ("monday", "good"), "2": ("monday", None)}, now=100.0)
    assert memory.recall("reviews", SHOP, {"1": "monday", "2": "monday"}, now=101.0) == ({"1": "good", "2": None}, [])
    assert memory.recall("reviews", SHOP, {"1": "tuesday"}, now=101.0) == ({}, ["1"])
    assert memory.recall("reviews", OTHER, {"1": "monday"}, now=101.0) == ({}, ["1"])
    assert memory.recall("reviews", SHOP, {"1": "monday"}, now=100.0 + 7 * 3600) == ({}, ["1"])


def test_without_the_right_to_the_library_only_images_are_missing(platform: TikTok) -> None:
    token = platform.login(choices="1", advertiser=[SHOP], granted=["1", "2", "4"])
    with platform.reader(token) as reader:
        found = ads(reader)
    assert {one.image_url for one in found.values()} == {None}
    assert found[0].texts == (("ad_text", "Text 0"),)
    assert found[1].review_reason == "It promises too much."
    assert len(platform.asked("file/video/ad/info")) == 1


def test_an_ad_that_tiktok_does_not_know_costs_no_other_its_review(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(refused(40002, "ad/review_info", param=numbered(7)))
    found = ads(reader)
    assert found[7].review_status is None
    assert {one.review_status for n, one in found.items() if n not in {2, 3, 7}} == {
        "ALL_AVAILABLE", "PART_AVAILABLE", "UNAVAILABLE"
    }  # fmt: skip


def test_a_review_that_is_always_refused_is_not_asked_for_on_and_on(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(refused(40002, "ad/review_info"))
    assert len(ads(reader)) == ADS + 1
    assert len(platform.asked("ad/review_info")) < 40


def test_a_token_that_ends_meanwhile_is_no_missing_detail(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(refused(40102, "ad/review_info"))
    with pytest.raises(errors.ConnectionBroken):
        ads(reader)


@pytest.mark.parametrize(
    ("path", "name", "most"),
    [
        ("file/image/ad/info/", "image_ids", 100),
        ("file/video/ad/info/", "video_ids", 60),
        ("ad/review_info/", "ad_ids", 100),
    ],
)
def test_the_sandbox_takes_so_many_ids_and_knows_its_own_only(
    platform: TikTok, token: str, path: str, name: str, most: int
) -> None:
    many = [f"x{n}" for n in range(most + 1)]
    assert platform.get(path, token, advertiser_id=SHOP, **{name: many})["code"] == 40011
    assert platform.get(path, token, advertiser_id=SHOP)["code"] == 40002
    stranger = platform.get(path, token, advertiser_id=SHOP, **{name: ["x1"]})
    assert stranger["data"] == {"list": []} if name != "ad_ids" else stranger["code"] == 40002


# Windows


def test_the_lookback_is_the_longest_window_in_use_and_two_days(reader: TikTokReader) -> None:
    shop, other = reader.account(SHOP), reader.account(OTHER)
    assert (shop.lookback_days, other.lookback_days) == (30, 9)
    windows = {one.external_id: one.conversion_window_days for one in reader.entities(shop) if one.level == "ad_group"}
    assert windows == {"1810000000000000001": 28, "1810000000000000002": 1}
    assert "at most 28 days after click or view" in reader.attribution(shop)
    assert "at most 7 days after click or view" in reader.attribution(other)


# Hours


def hours(reader: TikTokReader, level: Any, days: Days, account: Account | None = None) -> list[HourFact]:
    pages = reader.hours(account or reader.account(SHOP), level, days)
    return sorted((one for page in pages for one in page), key=lambda one: (one.day, one.hour, one.entity_id))


def test_hours_are_those_that_have_begun_in_the_accounts_zone(reader: TikTokReader) -> None:
    found = hours(reader, "campaign", DAY)  # it is half past one in Berlin
    assert [(one.entity_id[-1], one.hour) for one in found] == [
        ("1", 0), ("2", 0), ("1", 9), ("2", 9), ("1", 13), ("2", 13)
    ]  # fmt: skip
    assert found[2][1:] == ("2026-03-09", 9, "109", "3", "1.09", None, None)
    of_account = hours(reader, "account", DAY)
    assert [(one.entity_id, one.hour, one.spend) for one in of_account] == [
        (SHOP, 0, "2.00"), (SHOP, 9, "2.18"), (SHOP, 13, "2.26")
    ]  # fmt: skip


def test_each_day_of_hours_is_a_question_of_its_own_the_newest_first(platform: TikTok, reader: TikTokReader) -> None:
    days = Days(UNTIL.replace(day=8), UNTIL)
    for level in HOUR_LEVELS:
        platform.sandbox.control("DELETE", "requests")
        found = hours(reader, level, days)
        assert found[0][1:] == ("2026-03-08", 23, "123", "3", "1.23", "2", "5.25")
        asked = [(one["params"]["start_date"], one["params"]["end_date"]) for one in platform.asked(REPORT)]
        assert asked == [("2026-03-09", "2026-03-09"), ("2026-03-08", "2026-03-08")]
    (condition,) = json.loads(platform.asked(REPORT)[0]["params"]["filtering"])
    assert condition["field_name"] == "campaign_status"  # else deleted campaigns would have no hours


def test_hours_that_are_cut_short_are_none(platform: TikTok, reader: TikTokReader) -> None:
    header = {"X-Tt-Ads-Throttle": "Number of ad ids is equal or more than 20k"}
    platform.sandbox.faults({"match": {"path": REPORT}, "fault": {"kind": "rate_headers", "headers": header}})
    with pytest.raises(errors.TooMuchData):
        hours(reader, "account", DAY)


# Definitions of a conversion, and what is kept of a question


def test_conversions_are_counted_by_the_accounts_definition(platform: TikTok, reader: TikTokReader) -> None:
    account = reader.account(SHOP)
    counted = {}
    for definition in (None, "complete_payment", "onsite_shopping"):
        (page,) = reader.facts(replace(account, conversion=definition), "account", DAY)
        (one,) = page
        counted[definition] = (one.conversions, one.conversion_value)
    assert counted[None] == counted["complete_payment"] == ("14", "108.50")
    assert counted["onsite_shopping"] == (None, None)  # the folder says nothing of it
    metrics = json.loads(platform.asked(REPORT)[-1]["params"]["metrics"])
    assert {"onsite_shopping", "total_onsite_shopping_value"} <= set(metrics)
    assert len(metrics) == len(set(metrics))
    (of_hours,) = hours(
        reader,
        "account",
        Days(UNTIL.replace(day=8), UNTIL.replace(day=8)),
        replace(account, conversion="onsite_shopping"),
    )
    assert (of_hours.spend, of_hours.conversions) == ("1.23", None)


def test_the_ids_of_a_windows_requests_are_kept_with_its_query(reader: TikTokReader) -> None:
    account = reader.account(SHOP)
    total = sum(Decimal(one.spend or 0) for page in reader.facts(account, "ad", DAY) for one in page)
    assert total == Decimal("50.00")
    (first,) = reader.query("ad")["request_ids"]  # type: ignore[misc]
    assert len(first) > 20
    list(reader.facts(account, "ad", DAY))
    assert reader.query("ad")["request_ids"] != [first]
    assert reader.query("campaign")["request_ids"] == []
