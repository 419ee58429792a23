"""Which of Meta's actions count: one type per event, by tier, never a sum.

Meta reports one purchase under several names at once, so adding them up would double or triple it. `omni_purchase`
holds web, app and shop together where it is there; the others hold the same or less. It is so with other events.

An account counts by a definition: the name of an action type, and where only what followed within a time after a
click or a view is to count, `@` and Meta's name of that window: `omni_purchase`, `lead`, `omni_purchase@7d_click`,
`offsite_conversion.custom.123`.
"""

from __future__ import annotations

import re

import msgspec

# What is counted where nobody chose.
DEFAULT = "omni_purchase"
# The same event by other names, in the order in which they are taken. A type that is not here has no other name.
_TIERS = {
    name: (name, *others)
    for name, *others in (
        (DEFAULT, "purchase", "offsite_conversion.fb_pixel_purchase"),
        ("lead", "onsite_conversion.lead_grouped", "offsite_conversion.fb_pixel_lead"),
        ("omni_add_to_cart", "add_to_cart", "offsite_conversion.fb_pixel_add_to_cart"),
        ("omni_initiated_checkout", "initiate_checkout", "offsite_conversion.fb_pixel_initiate_checkout"),
        ("omni_complete_registration", "complete_registration", "offsite_conversion.fb_pixel_complete_registration"),
    )
}
# To choose from; any other action type may be named, too.
DEFINITIONS = tuple(_TIERS)
# Those that Meta still returns: the views of 7 and 28 days ended in January 2026.
# https://developers.facebook.com/docs/marketing-api/insights/best-practices
WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")
# Video plays of at least three seconds.
VIDEO_VIEW = "video_view"

_DEFINITION = re.compile(rf"[a-z][a-z0-9_.]{{1,119}}(@({'|'.join(WINDOWS)}))?")


def is_definition(name: str) -> bool:
    """Whether an account may count by this name."""
    return _DEFINITION.fullmatch(name) is not None and not name.startswith(f"{VIDEO_VIEW}@")


class Action(msgspec.Struct, gc=False, frozen=True):
    """An entry of `actions` or `action_values`; windows beside `value` stay in the raw text."""

    action_type: str
    value: str | None = None


_decode = msgspec.json.Decoder(list[Action] | None).decode
_decode_windows = msgspec.json.Decoder(list[dict[str, str]] | None).decode


class Counted:
    """Counts by a definition; None is the default one. `window` is what Meta is to be asked for, None for nothing."""

    def __init__(self, definition: str | None = None) -> None:
        kind, _, window = (definition or DEFAULT).partition("@")
        self.window = window or None
        self._rank = {name: rank for rank, name in enumerate(_TIERS.get(kind, (kind,)))}
        self._last = len(self._rank)

    def conversions_and_views(self, actions: msgspec.Raw) -> tuple[str | None, str | None]:
        """The number of conversions and of video views in raw `actions`; None where Meta tells of none."""
        rank_of, best = self._rank.get, self._last
        conversions = views = None
        for action in self._entries(actions):
            rank = rank_of(action.action_type)
            if rank is not None and rank < best:
                best, conversions = rank, action.value
            if action.action_type == VIDEO_VIEW:
                views = action.value
        return conversions, views

    def value(self, action_values: msgspec.Raw) -> str | None:
        """What the conversions in raw `action_values` were worth, in the account's currency."""
        return self.conversions_and_views(action_values)[0]

    def _entries(self, actions: msgspec.Raw) -> list[Action]:
        if self.window is None:
            return _decode(actions) or []
        found = []
        for entry in _decode_windows(actions) or []:
            kind = entry.get("action_type", "")
            counts = self.window if kind in self._rank and kind != VIDEO_VIEW else "value"
            found.append(Action(kind, entry.get(counts)))
        return found
