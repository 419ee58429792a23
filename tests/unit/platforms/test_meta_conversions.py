"""One purchase is counted once, whatever names Meta gives it."""

from __future__ import annotations

import msgspec
import pytest

from adloom.platforms.meta.conversions import purchase_value, purchases_and_views


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
    assert purchases_and_views(raw(**actions))[0] == purchases
    assert purchase_value(raw(**actions)) == purchases


def test_video_views_are_read_beside_the_purchases() -> None:
    assert purchases_and_views(raw(video_view="17", purchase="1")) == ("1", "17")


def test_windows_beside_the_value_change_nothing() -> None:
    entry = msgspec.Raw(b'[{"action_type":"omni_purchase","value":"5","7d_click":"4","1d_view":"1"}]')
    assert purchases_and_views(entry) == ("5", None)


def test_null_in_place_of_a_list_is_no_purchase() -> None:
    assert purchases_and_views(msgspec.Raw(b"null")) == (None, None)
    assert purchase_value(msgspec.Raw(b"null")) is None
