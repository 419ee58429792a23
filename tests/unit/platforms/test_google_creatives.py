"""What Google says of ads and asset groups: texts of every type, images, reviews, and windows of conversions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from adloom.platforms.google import creatives, entities, queries
from adloom.platforms.google.client import VERSION
from adloom.platforms.google.creatives import Assets, Lookup

NOTHING = Lookup(list)


def made() -> Any:
    return import_module(f"google.ads.googleads.{VERSION}.services.types.google_ads_service").GoogleAdsRow.pb()()


def ad() -> Any:
    return made().ad_group_ad.ad


@pytest.mark.parametrize("kind", list(queries.TEXTS))
def test_every_place_of_a_text_is_read(kind: str) -> None:
    node = ad()
    shown = getattr(node, kind)
    for part in queries.TEXTS[kind]:
        field = shown.DESCRIPTOR.fields_by_name[part]
        if field.message_type is None:
            setattr(shown, part, part)
        elif field.is_repeated:
            getattr(shown, part).add(text=part)
        else:
            getattr(shown, part).text = part
    assert creatives.texts(node) == tuple((name, part) for part, name in queries.TEXTS[kind].items())


def test_texts_are_in_the_order_in_which_people_read_them() -> None:
    node = ad()
    node.responsive_search_ad.descriptions.add(text="Warm")
    for text in ("Coats", "Parkas", ""):
        node.responsive_search_ad.headlines.add(text=text)
    assert creatives.texts(node) == (("headline", "Coats"), ("headline", "Parkas"), ("description", "Warm"))


@pytest.mark.parametrize("kind", ["hotel_ad", "shopping_product_ad", ""])
def test_an_ad_without_texts_of_its_own_has_none(kind: str) -> None:
    node = ad()
    if kind:
        getattr(node, kind).SetInParent()
    assert creatives.texts(node) == ()
    assert creatives.image(node, NOTHING) is None


@pytest.mark.parametrize("kind", list(queries.IMAGES))
def test_the_first_image_that_has_an_address_is_the_ads(kind: str) -> None:
    node = ad()
    for part in queries.IMAGES[kind]:
        for asset in (f"{part}/gone", f"{part}/here"):
            getattr(getattr(node, kind), part).add(asset=asset)
    images = Lookup(lambda: [(f"{part}/here", f"https://a.example/{part}") for part in queries.IMAGES[kind]])
    assert creatives.image(node, images) == f"https://a.example/{queries.IMAGES[kind][0]}"


def test_an_image_ad_has_its_address_itself() -> None:
    node = ad()
    node.image_ad.image_url = "https://a.example/banner.png"
    assert creatives.image(node, NOTHING) == "https://a.example/banner.png"


def test_names_are_asked_for_once_and_only_when_one_is_needed() -> None:
    asked: list[int] = []

    def ask() -> Iterator[tuple[str, str]]:
        asked.append(1)
        yield "labels/1", "spring"

    labels = Lookup(ask)
    assert labels.of([]) == ()
    assert asked == []
    assert labels.of(["labels/2", "labels/1"]) == ("spring",)
    assert labels.of(["labels/1"]) == ("spring",)
    assert asked == [1]


# Review


def policy(approval: str, step: str, *topics: tuple[str, str]) -> Any:
    summary = made().ad_group_ad.policy_summary
    fields = summary.DESCRIPTOR.fields_by_name
    for name, value in (("approval_status", approval), ("review_status", step)):
        setattr(summary, name, fields[name].enum_type.values_by_name[value].number)
    for topic, kind in topics:
        summary.policy_topic_entries.add(topic=topic, type_=kind)
    return summary


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        (policy("APPROVED", "REVIEWED"), ("APPROVED", None)),
        (policy("UNSPECIFIED", "UNSPECIFIED"), (None, None)),
        (policy("UNKNOWN", "REVIEW_IN_PROGRESS"), ("REVIEW_IN_PROGRESS", None)),
        (policy("DISAPPROVED", "UNDER_APPEAL", ("GAMBLING", "PROHIBITED")), ("DISAPPROVED", "GAMBLING")),
        (
            policy("APPROVED_LIMITED", "REVIEWED", ("B", "LIMITED"), ("A", "FULLY_LIMITED"), ("B", "LIMITED")),
            ("APPROVED_LIMITED", "A, B"),
        ),
        (policy("APPROVED", "REVIEWED", ("TRADEMARK", "DESCRIPTIVE")), ("APPROVED", None)),
    ],
)
def test_a_review_is_told_with_its_reason(summary: Any, told: tuple[str | None, str | None]) -> None:
    assert creatives.review(summary) == told


@pytest.mark.parametrize(
    ("status", "reasons", "told"),
    [
        ("ELIGIBLE", [], ("APPROVED", None)),
        ("PAUSED", ["ASSET_GROUP_PAUSED"], (None, None)),
        ("NOT_ELIGIBLE", ["CAMPAIGN_PAUSED", "ASSET_GROUP_DISAPPROVED"], ("DISAPPROVED", "ASSET_GROUP_DISAPPROVED")),
        ("PENDING", ["ASSET_GROUP_UNDER_REVIEW"], ("REVIEW_IN_PROGRESS", "ASSET_GROUP_UNDER_REVIEW")),
    ],
)
def test_a_review_of_an_asset_group_is_told_in_the_same_words(
    status: str, reasons: list[str], told: tuple[str | None, str | None]
) -> None:
    group = made().asset_group
    fields = group.DESCRIPTOR.fields_by_name
    group.primary_status = fields["primary_status"].enum_type.values_by_name[status].number
    known = fields["primary_status_reasons"].enum_type.values_by_name
    group.primary_status_reasons.extend(known[one].number for one in reasons)
    assert creatives.review_of_group(group) == told


# Asset groups and windows


def part(place: str, number: int, *, text: str = "", url: str = "") -> Any:
    row = made()
    link = row.asset_group_asset
    link.field_type = link.DESCRIPTOR.fields_by_name["field_type"].enum_type.values_by_name[place].number
    row.asset.id = number
    if text:
        row.asset.text_asset.text = text
    if url:
        row.asset.image_asset.full_size.url = url
    return row


def test_the_assets_of_a_group_have_one_order_whatever_googles_is() -> None:
    parts = [
        part("DESCRIPTION", 1, text="Warm"), part("SQUARE_MARKETING_IMAGE", 2, url="square"),
        part("HEADLINE", 9, text="Parkas"), part("MARKETING_IMAGE", 8, url="second"), part("HEADLINE", 3, text="Coats"),
        part("MARKETING_IMAGE", 7, url="first"), part("LOGO", 1, url="logo"), part("HEADLINE", 3, text="Coats"),
    ]  # fmt: skip
    for order in (parts, parts[::-1]):
        found = Assets()
        for row in order:
            found.add(row)
        assert found.texts == (("headline", "Coats"), ("headline", "Parkas"), ("description", "Warm"))
        assert found.image_url == "first"
    assert Assets().image_url is None


def test_the_longest_window_is_that_of_an_action_that_still_counts() -> None:
    actions = []
    for status, days in (("ENABLED", 7), ("ENABLED", 60), ("REMOVED", 90), ("HIDDEN", 90)):
        row = made()
        values = row.conversion_action.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_name
        row.conversion_action.status = values[status].number
        row.conversion_action.click_through_lookback_window_days = days
        actions.append(row)
    assert entities.longest_window(actions) == 60
    assert entities.longest_window(actions[2:]) is None
