"""What people see of ads and asset groups, and labels, as Google's own SDK reads them from the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.sandbox.facts import columns
from tests.unit.sandbox.google import Google, google, row, thing
from tests.unit.sandbox.support import facts, write

NOW = "2026-03-03T12:30:00+00:00"
DAYS = "segments.date BETWEEN '2026-03-01' AND '2026-03-03'"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    group = {"campaign_id": "24", "campaign_name": "Max", "adgroup_id": "51", "adgroup_name": "All of it"}
    folder = facts(
        tmp_path_factory.mktemp("facts"),
        row(date="2026-03-01"),
        row(date="2026-03-02", campaign_id="22", adgroup_id="33", ad_id="44"),
        row(date="2026-03-02", **group, ad_id="", ad_name="", spend="1.25"),
    )
    things = [
        thing("campaign", "21", "11", name="Coats", labels='["spring","shop"]'),
        thing("campaign", "24", "11", name="Max", kind="performance_max"),
        thing("ad", "52", "31", name="Seen", image_url="https://shop.example/coat.png", labels='["sale"]',
              review_status="limited", review_reason="DESTINATION_NOT_WORKING",
              texts='[{"field":"headline","text":"Coats"},{"field":"long_headline","text":"Coats for all of us"},'
                    '{"field":"business_name","text":"Shop"}]'),
        thing("ad_group", "51", "24", name="All of it", final_url="https://shop.example/",
              image_url="https://shop.example/all.png", review_status="pending",
              texts='[{"field":"headline","text":"Everything"}]'),
    ]  # fmt: skip
    write(folder, columns.ENTITIES_FILE, things)
    with google(tmp_path_factory.mktemp("home"), folder, NOW) as started:
        yield started


@pytest.fixture(scope="module")
def sdk(platform: Google) -> Any:
    return platform.sdk(platform.login())


def stream(sdk: Any, query: str) -> list[Any]:
    service = sdk.get_service("GoogleAdsService")
    chunks = service.search_stream(customer_id="11", query=query, timeout=30)
    return [row for chunk in chunks for row in chunk.results]


def test_labels_are_named_by_a_resource_of_their_own(sdk: Any) -> None:
    (campaign,) = stream(sdk, "SELECT campaign.labels FROM campaign WHERE campaign.id = 21")
    names = {row.label.resource_name: row.label.name for row in stream(sdk, "SELECT label.id, label.name FROM label")}
    assert [names[one] for one in campaign.campaign.labels] == ["spring", "shop"]
    assert set(names.values()) == {"spring", "shop", "sale"}
    wanted = next(one for one, name in names.items() if name == "sale")
    found = stream(sdk, f"SELECT ad_group_ad.ad.id FROM ad_group_ad WHERE ad_group_ad.labels CONTAINS ANY ('{wanted}')")
    assert [row.ad_group_ad.ad.id for row in found] == [52]


def test_an_ad_with_an_image_names_its_asset(sdk: Any) -> None:
    place = "ad_group_ad.ad.responsive_display_ad"
    (found,) = stream(
        sdk,
        f"SELECT ad_group_ad.ad.type, {place}.headlines, {place}.long_headline, {place}.business_name,"
        f" {place}.marketing_images, ad_group_ad.ad.responsive_search_ad.headlines,"
        " ad_group_ad.policy_summary.policy_topic_entries, ad_group_ad.policy_summary.review_status"
        " FROM ad_group_ad WHERE ad_group_ad.ad.id = 52",
    )
    ad = found.ad_group_ad.ad
    assert (ad.type_.name, list(ad.responsive_search_ad.headlines)) == ("RESPONSIVE_DISPLAY_AD", [])
    shown = ad.responsive_display_ad
    assert ([one.text for one in shown.headlines], shown.long_headline.text) == (["Coats"], "Coats for all of us")
    assert shown.business_name == "Shop"
    (image,) = shown.marketing_images
    assets = stream(
        sdk, "SELECT asset.image_asset.full_size.url, asset.type FROM asset WHERE asset.type = IMAGE ORDER BY asset.id"
    )
    urls = {row.asset.resource_name: row.asset.image_asset.full_size.url for row in assets}
    assert urls[image.asset] == "https://shop.example/coat.png"
    policy = found.ad_group_ad.policy_summary
    assert policy.review_status.name == "REVIEWED"
    topics = [(one.topic, one.type_.name) for one in policy.policy_topic_entries]
    assert topics == [("DESTINATION_NOT_WORKING", "LIMITED")]


def test_performance_max_has_asset_groups_and_no_ad_groups(sdk: Any) -> None:
    groups = stream(sdk, "SELECT ad_group.id FROM ad_group ORDER BY ad_group.id")
    assert [row.ad_group.id for row in groups] == [31, 33]
    (group,) = stream(
        sdk,
        "SELECT asset_group.id, asset_group.name, asset_group.status, asset_group.primary_status,"
        " asset_group.primary_status_reasons, asset_group.final_urls, campaign.id FROM asset_group",
    )
    found = group.asset_group
    assert (found.id, found.name, found.status.name, group.campaign.id) == (51, "All of it", "ENABLED", 24)
    assert (found.primary_status.name, list(found.final_urls)) == ("NOT_ELIGIBLE", ["https://shop.example/"])
    assert [reason.name for reason in found.primary_status_reasons] == ["ASSET_GROUP_UNDER_REVIEW"]
    parts = stream(
        sdk,
        "SELECT asset_group.id, asset_group_asset.field_type, asset.text_asset.text, asset.image_asset.full_size.url"
        " FROM asset_group_asset",
    )
    shown = [
        (row.asset_group_asset.field_type.name, row.asset.text_asset.text, row.asset.image_asset.full_size.url)
        for row in parts
    ]
    assert shown == [("HEADLINE", "Everything", ""), ("MARKETING_IMAGE", "", "https://shop.example/all.png")]
    days = stream(sdk, f"SELECT asset_group.id, segments.date, metrics.cost_micros FROM asset_group WHERE {DAYS}")
    assert [(row.asset_group.id, row.segments.date, row.metrics.cost_micros) for row in days] == [
        (51, "2026-03-02", 1_250_000)
    ]
    of_groups = stream(sdk, f"SELECT ad_group.id, segments.date, metrics.clicks FROM ad_group WHERE {DAYS}")
    assert {row.ad_group.id for row in of_groups} == {31, 33}
