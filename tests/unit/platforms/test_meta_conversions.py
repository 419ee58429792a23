"""One purchase is counted once, whatever names Meta gives it."""

from __future__ import annotations

import msgspec
import pytest

from adloom.platforms.meta.conversions import DEFAULT, DEFINITIONS, Counted, is_definition

PURCHASES = Counted()


def raw(**values: str) -> msgspec.Raw:
    entries = [{"action_type": kind.replace("__", "."), "value": value} for kind, value in values.items()]
    return msgspec.Raw(msgspec.json.encode(entries))


# Golden: what stands on the left is one and the same purchase in every line.
@pytest.mark.parametrize(
    ("actions", "purchases"),
    [
        ({"omni_purchase": "3", "purchase": "3", "offsite_conversion__fb_pixel_purchase": "3"}, "3"),
        ({"offsite_conversion__fb_pixel_purchase": "2", "purchase": "3", "omni_purchase": "4"}, "4"),
        ({"purchase": "3", "offsite_conversion__fb_pixel_purchase": "2"}, "3"),
        ({"offsite_conversion__fb_pixel_purchase": "2.5"}, "2.5"),
        ({"web_in_store_purchase": "9", "onsite_web_purchase": "9", "omni_initiated_checkout": "9"}, None),
        ({"offsite_content_view_add_meta_leads": "9", "add_to_cart": "9", "link_click": "9"}, None),
        ({}, None),
    ],
)
def test_the_first_tier_that_is_there_counts_and_nothing_is_added_up(
    actions: dict[str, str], purchases: str | None
) -> None:
    assert PURCHASES.conversions_and_views(raw(**actions))[0] == purchases
    assert PURCHASES.value(raw(**actions)) == purchases


def test_video_views_are_read_beside_the_purchases() -> None:
    assert PURCHASES.conversions_and_views(raw(video_view="17", purchase="1")) == ("1", "17")


def test_windows_beside_the_value_change_nothing() -> None:
    entry = msgspec.Raw(b'[{"action_type":"omni_purchase","value":"5","7d_click":"4","1d_view":"1"}]')
    assert PURCHASES.conversions_and_views(entry) == ("5", None)


def test_null_in_place_of_a_list_is_no_purchase() -> None:
    assert PURCHASES.conversions_and_views(msgspec.Raw(b"null")) == (None, None)
    assert PURCHASES.value(msgspec.Raw(b"null")) is None


EVERYTHING = {
    "omni_purchase": "3", "purchase": "3", "lead": "7", "onsite_conversion__lead_grouped": "5", "add_to_cart": "9",
    "omni_add_to_cart": "9", "offsite_conversion__custom__12": "4", "video_view": "100",
}  # fmt: skip


@pytest.mark.parametrize(
    ("definition", "counted"),
    [
        (None, "3"),
        (DEFAULT, "3"),
        ("lead", "7"),
        ("onsite_conversion.lead_grouped", "5"),
        ("omni_add_to_cart", "9"),
        ("offsite_conversion.custom.12", "4"),
        ("offsite_conversion.custom.1", None),
        ("omni_complete_registration", None),
        ("video_view", "100"),
    ],
)
def test_an_account_counts_what_it_says_and_video_views_stay(definition: str | None, counted: str | None) -> None:
    assert Counted(definition).conversions_and_views(raw(**EVERYTHING)) == (counted, "100")
    assert Counted(definition).value(raw(**EVERYTHING)) == counted


def test_only_what_followed_within_the_window_counts() -> None:
    entries = msgspec.Raw(
        b'[{"action_type":"purchase","value":"9","7d_click":"8"},{"action_type":"video_view","value":"4"},'
        b'{"action_type":"omni_purchase","value":"9","7d_click":"6","1d_view":"3"}]'
    )
    assert Counted("omni_purchase@7d_click").conversions_and_views(entries) == ("6", "4")
    assert Counted("omni_purchase@1d_view").value(entries) == "3"
    assert Counted("omni_purchase@1d_click").value(entries) is None
    assert Counted("omni_purchase").value(entries) == "9"


@pytest.mark.parametrize("name", [*DEFINITIONS, "purchase", "offsite_conversion.custom.99", "lead@1d_view"])
def test_an_action_type_with_or_without_a_living_window_is_a_definition(name: str) -> None:
    assert is_definition(name)


@pytest.mark.parametrize("name", ["", "@7d_click", "lead@7d_view", "lead@", "Lead", "lead;", "a" * 130, "lead\n"])
def test_anything_else_is_none(name: str) -> None:
    assert not is_definition(name)
