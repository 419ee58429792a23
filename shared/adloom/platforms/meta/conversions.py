"""Which of Meta's actions count: one type per event, by tier, never a sum.

Meta reports one purchase under several names at once, so adding them up would double or triple it. `omni_purchase`
holds web, app and shop together where it is there; the others hold the same or less.
"""

from __future__ import annotations

import msgspec

PURCHASE_TIERS = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
# Video plays of at least three seconds.
VIDEO_VIEW = "video_view"

_RANK = {name: rank for rank, name in enumerate(PURCHASE_TIERS)}
_NO_RANK = len(PURCHASE_TIERS)


class Action(msgspec.Struct, gc=False, frozen=True):
    """An entry of `actions` or `action_values`; windows beside `value` stay in the raw text."""

    action_type: str
    value: str | None = None


_decode = msgspec.json.Decoder(list[Action] | None).decode


def purchases_and_views(actions: msgspec.Raw) -> tuple[str | None, str | None]:
    """The number of purchases and of video views in raw `actions`; None where Meta tells of none."""
    best, purchases, views = _NO_RANK, None, None
    for action in _decode(actions) or ():
        rank = _RANK.get(action.action_type)
        if rank is not None:
            if rank < best:
                best, purchases = rank, action.value
        elif action.action_type == VIDEO_VIEW:
            views = action.value
    return purchases, views


def purchase_value(action_values: msgspec.Raw) -> str | None:
    """The value of the purchases in raw `action_values`, in the account's currency."""
    best, value = _NO_RANK, None
    for action in _decode(action_values) or ():
        rank = _RANK.get(action.action_type)
        if rank is not None and rank < best:
            best, value = rank, action.value
    return value
