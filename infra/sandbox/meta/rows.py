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

Value = Callable[[Numbers, frozenset[str]], Any]


def _text(value: int | Decimal | None) -> str | None:
    if value is None:
        return None
    return str(value) if isinstance(value, int) else format(value, "f")


def _entry(kind: str, value: int | Decimal, windows: frozenset[str]) -> dict[str, str]:
    text = str(_text(value))
    return {"action_type": kind, "value": text, **dict.fromkeys(sorted(windows & _WINDOWS_WITH_VALUE), text)}


def _actions(numbers: Numbers, windows: frozenset[str]) -> list[dict[str, str]] | None:
    """Purchases, and clicks and video views restated as the actions they are."""
    found = [_entry(kind, numbers.conversions, windows) for kind in PURCHASES] if numbers.conversions else []
    if numbers.clicks:
        found.append(_entry("link_click", numbers.clicks, windows))
    if numbers.video_views:
        found.append(_entry("video_view", numbers.video_views, windows))
    return found or None


def _action_values(numbers: Numbers, windows: frozenset[str]) -> list[dict[str, str]] | None:
    value = numbers.conversion_value
    return [_entry(kind, value, windows) for kind in PURCHASES] if value else None


def _single(kind: str, value: int | None, windows: frozenset[str]) -> list[dict[str, str]] | None:
    return [_entry(kind, value, windows)] if value else None


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


@dataclass(frozen=True)
class Shape:
    """Which fields the rows have."""

    names: tuple[str, ...]
    metrics: tuple[tuple[str, Value], ...]
    windows: frozenset[str]
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
        return cls(names, metrics, windows, hourly)


def render(
    shape: Shape, account: Account, level: Level, groups: Sequence[Group], now: datetime
) -> list[dict[str, Any]]:
    """The rows of a page."""
    names = _namer(shape, account, level, now)
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
            if "reach" in dict(shape.metrics):
                row["reach"] = "0"
            row["hourly_stats_aggregated_by_advertiser_time_zone"] = f"{group.hour:02}:00:00 - {group.hour:02}:59:59"
        found.append(row)
    return found


def _namer(shape: Shape, account: Account, level: Level, now: datetime) -> Callable[[str], dict[str, str]]:
    """Ids and names of an object and of what it belongs to, worked out once per object and page."""
    today = account.today(now)

    def of_entity(entity: Entity, prefix: str) -> dict[str, str]:
        return {f"{prefix}_id": entity.id, f"{prefix}_name": name_of(entity, today)}

    @cache
    def names(object_id: str) -> dict[str, str]:
        known = {"account_id": account.id, "account_name": objects.account_name(account)}
        known["account_currency"] = account.currency
        if level != "account":
            entity = account.objects(level)[object_id]
            campaign = account.campaigns[entity.campaign_id]
            known |= of_entity(campaign, "campaign")
            known["objective"] = campaign.row.objective if campaign.row else ""
            if entity.adgroup_id:
                known |= of_entity(account.adgroups[entity.adgroup_id], "adset")
            if level == "ad":
                known |= of_entity(entity, "ad")
            node = objects.Node(account, entity, now)
            known |= {"created_time": _day(objects.created(node)), "updated_time": _day(objects.updated(node))}
        return {field: known[field] for field in shape.names if known.get(field)}

    def _day(at: datetime | None) -> str:
        return at.astimezone(account.zone).date().isoformat() if at else ""

    return names
