"""How an insights row looks: every value a string, and nothing where the platform has no value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from infra.sandbox.facts.model import Account, Entity, Level, Numbers
from infra.sandbox.facts.names import name_of
from infra.sandbox.meta import objects
from infra.sandbox.meta.call import Call, parse_fields
from infra.sandbox.meta.errors import parameter

if TYPE_CHECKING:
    from infra.sandbox.meta.insights import Group

# One and the same purchase, under each of the names that Meta reports it by.
PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
# Windows in which the folder's conversions fall: it says no split, so they are what the default window holds, seven
# days after a click, and what a longer one holds. The view windows of 7 and 28 days are dead and never returned.
_WINDOWS_WITH_VALUE = frozenset({"7d_click", "28d_click"})
_WINDOWS = _WINDOWS_WITH_VALUE | {"1d_click", "1d_view", "1d_ev", "7d_view", "28d_view", "default", "dda", "skan_click"}
_DEFAULT_FIELDS = ("impressions", "spend")

Windows = tuple[str, ...]
Value = Callable[[Numbers, Windows], Any]


def _text(value: int | Decimal | None) -> str | None:
    if value is None:
        return None
    return str(value) if isinstance(value, int) else format(value, "f")


def _entries(kinds: tuple[str, ...], value: int | Decimal, windows: Windows) -> list[dict[str, str]]:
    text = str(value) if isinstance(value, int) else format(value, "f")
    if not windows:
        return [{"action_type": kind, "value": text} for kind in kinds]
    of_windows = dict.fromkeys(windows, text)
    return [{"action_type": kind, "value": text, **of_windows} for kind in kinds]


def _actions(numbers: Numbers, windows: Windows) -> list[dict[str, str]] | None:
    """Purchases, and clicks and video views restated as the actions they are."""
    found = _entries(PURCHASES, numbers.conversions, windows) if numbers.conversions else []
    if numbers.clicks:
        found += _entries(("link_click",), numbers.clicks, windows)
    if numbers.video_views:
        found += _entries(("video_view",), numbers.video_views, windows)
    return found or None


def _action_values(numbers: Numbers, windows: Windows) -> list[dict[str, str]] | None:
    return _entries(PURCHASES, numbers.conversion_value, windows) if numbers.conversion_value else None


def _single(kind: str, value: int | None, windows: Windows) -> list[dict[str, str]] | None:
    return _entries((kind,), value, windows) if value else None


METRICS: dict[str, Value] = {
    "impressions": lambda numbers, _: _text(numbers.impressions),
    "clicks": lambda numbers, _: _text(numbers.clicks),
    "inline_link_clicks": lambda numbers, _: _text(numbers.clicks),
    "outbound_clicks": lambda numbers, windows: _single("outbound_click", numbers.clicks, windows),
    "spend": lambda numbers, _: _text(numbers.spend),
    "reach": lambda numbers, _: _text(numbers.reach),
    "actions": _actions,
    "action_values": _action_values,
    "video_play_actions": lambda numbers, windows: _single("video_view", numbers.video_views, windows),
}
# Fields of Meta's that are no sum of the folder's rows: accepted, and absent in the answer.
_SILENT_WORDS = """
    attribution_setting buying_type canvas_avg_view_time conversion_rate_ranking conversion_values conversions
    cost_per_action_type cost_per_conversion cost_per_inline_link_click cost_per_outbound_click
    cost_per_thruplay cost_per_unique_click cpc cpm cpp ctr engagement_rate_ranking frequency
    inline_link_click_ctr inline_post_engagement optimization_goal outbound_clicks_ctr purchase_roas
    quality_ranking social_spend unique_actions unique_clicks unique_ctr unique_inline_link_clicks
    unique_outbound_clicks video_avg_time_watched_actions video_p100_watched_actions video_p25_watched_actions
    video_p50_watched_actions video_p75_watched_actions video_thruplay_watched_actions website_ctr
    website_purchase_roas
"""
SILENT = frozenset(_SILENT_WORDS.split())
_LEVEL_FIELDS: dict[str, tuple[Level, ...]] = {
    "account_id": ("account", "campaign", "ad_group", "ad"),
    "account_name": ("account", "campaign", "ad_group", "ad"),
    "account_currency": ("account", "campaign", "ad_group", "ad"),
    "campaign_id": ("campaign", "ad_group", "ad"),
    "campaign_name": ("campaign", "ad_group", "ad"),
    "objective": ("campaign", "ad_group", "ad"),
    "adset_id": ("ad_group", "ad"),
    "adset_name": ("ad_group", "ad"),
    "ad_id": ("ad",),
    "ad_name": ("ad",),
    "created_time": ("account", "campaign", "ad_group", "ad"),
    "updated_time": ("account", "campaign", "ad_group", "ad"),
}
_OF_ACCOUNT: dict[str, Callable[[Account], str]] = {
    "account_id": lambda account: account.id,
    "account_name": lambda account: account.name,
    "account_currency": lambda account: account.currency,
}
# Which object a field is of, and whether it is its id or its name.
_OF_PARENTS: dict[str, tuple[Level, bool]] = {
    "campaign_id": ("campaign", True),
    "campaign_name": ("campaign", False),
    "adset_id": ("ad_group", True),
    "adset_name": ("ad_group", False),
    "ad_id": ("ad", True),
    "ad_name": ("ad", False),
}


@dataclass(frozen=True)
class Shape:
    """Which fields the rows have."""

    names: tuple[str, ...]
    metrics: tuple[tuple[str, Value], ...]
    windows: Windows
    hourly: bool

    @classmethod
    def read(cls, call: Call, level: Level, *, hourly: bool) -> Shape:
        """Check the fields of a request. A name of an object below the level is left out, as Meta does."""
        asked = tuple(parse_fields(call).fields) or _DEFAULT_FIELDS
        for field in asked:
            if field not in METRICS and field not in _LEVEL_FIELDS and field not in SILENT and field[:5] != "date_":
                raise parameter(f"{field} is not valid for fields param. please check https://developers.facebook.com/docs/"
                                "marketing-api/reference/ads-insights/ for all valid values")  # fmt: skip
        windows = frozenset(call.words("action_attribution_windows"))
        if windows - _WINDOWS:
            raise parameter(f"action_attribution_windows must be of {', '.join(sorted(_WINDOWS))}")
        names = tuple(field for field in asked if level in _LEVEL_FIELDS.get(field, ()))
        metrics = tuple((field, METRICS[field]) for field in asked if field in METRICS)
        return cls(names, metrics, tuple(sorted(windows & _WINDOWS_WITH_VALUE)), hourly)


def render(
    shape: Shape, account: Account, level: Level, groups: Sequence[Group], now: datetime
) -> list[dict[str, Any]]:
    """The rows of a page."""
    names = _namer(shape, account, level, now)
    asks_reach = any(field == "reach" for field, _ in shape.metrics)
    found: list[dict[str, Any]] = []
    for group in groups:
        row = dict(names(group.entity_id))
        for field, value_of in shape.metrics:
            value = value_of(group.numbers, shape.windows)
            if value is not None:
                row[field] = value
        row["date_start"] = group.window.since.isoformat()
        row["date_stop"] = group.window.until.isoformat()
        if shape.hourly:
            if asks_reach:
                row["reach"] = "0"
            row["hourly_stats_aggregated_by_advertiser_time_zone"] = f"{group.hour:02}:00:00 - {group.hour:02}:59:59"
        found.append(row)
    return found


def _namer(shape: Shape, account: Account, level: Level, now: datetime) -> Callable[[str], dict[str, str]]:
    """Ids and names of an object and of what it belongs to, worked out once per object and page."""
    today = account.today(now)

    @cache
    def name(entity_level: Level, object_id: str) -> str:
        return name_of(account.objects(entity_level)[object_id], today)

    def day(at: datetime | None) -> str:
        return at.astimezone(account.zone).date().isoformat() if at else ""

    def of(field: str, entity: Entity | None) -> str:
        if field in _OF_ACCOUNT:
            return _OF_ACCOUNT[field](account)
        if entity is None:
            return ""
        if field in _OF_PARENTS:
            entity_level, is_id = _OF_PARENTS[field]
            ids = {"campaign": entity.campaign_id, "ad_group": entity.adgroup_id, "ad": entity.id}
            return ids[entity_level] if is_id else name(entity_level, ids[entity_level])
        if field == "objective":
            row = account.campaigns[entity.campaign_id].row
            return row.objective if row else ""
        node = objects.Node(account, entity, now)
        return day(objects.created(node) if field == "created_time" else objects.updated(node))

    @cache
    def names(object_id: str) -> dict[str, str]:
        entity = None if level == "account" else account.objects(level)[object_id]
        known = {field: of(field, entity) for field in shape.names}
        return {field: text for field, text in known.items() if text}

    return names
