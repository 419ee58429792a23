"""How long after a click or a view a conversion still counts: each ad group has windows of its own.

https://business-api.tiktok.com/portal/docs?id=1739499616346114
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adloom.platforms.tiktok.client import Envelope
from adloom.platforms.tiktok.pages import Page

_DAYS = {"OFF": 0, "ONE_DAY": 1, "SEVEN_DAYS": 7, "FOURTEEN_DAYS": 14, "TWENTY_EIGHT_DAYS": 28}
# What counts where an ad group does not say: the window of clicks that TikTok begins with.
_USUAL = 7
# Until a conversion is reported; and the least that is looked back anyway.
_LATE_DAYS, _LEAST = 2, 7
FIELDS = ["adgroup_id", "click_attribution_window", "view_attribution_window", "engaged_view_attribution_window"]


class AdGroupWindows(msgspec.Struct):
    """The windows of an ad group."""

    adgroup_id: str
    click_attribution_window: str | None = None
    view_attribution_window: str | None = None
    engaged_view_attribution_window: str | None = None


decoder = msgspec.json.Decoder(Envelope[Page[AdGroupWindows]])


def days(word: str | None) -> int | None:
    """Days in TikTok's word; None where it says none that we know."""
    return _DAYS.get(word or "")


def lookback(groups: Iterable[AdGroupWindows]) -> int:
    """Days after which no number moves any more: the longest window in use, and until it is reported."""
    return max(max(map(_longest, groups), default=_USUAL) + _LATE_DAYS, _LEAST)


def _longest(group: AdGroupWindows) -> int:
    clicks = days(group.click_attribution_window)
    views = (days(group.view_attribution_window), days(group.engaged_view_attribution_window))
    return max(_USUAL if clicks is None else clicks, *(found or 0 for found in views))


def in_words(lookback_days: int | None) -> str:
    """The longest window that a lookback was made of, for the record."""
    longest = max((one for one in _DAYS.values() if one + _LATE_DAYS <= (lookback_days or 0)), default=None)
    own = "the ad groups' own windows"
    return own if longest is None else f"{own}, at most {longest} day{'' if longest == 1 else 's'} after click or view"
