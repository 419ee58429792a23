"""Which metrics a report row can have, each a string, and `-` where the platform has no value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from infra.sandbox.facts.model import Account, Entity, Level, Numbers
from infra.sandbox.facts.names import name_of

NO_VALUE = "-"
_CENT = Decimal("0.01")
_HUNDRED, _THOUSAND = 100, 1000
Value = Callable[[Numbers], str]


def _text(value: int | Decimal | None) -> str:
    if value is None:
        return NO_VALUE
    return str(value) if isinstance(value, int) else format(value, "f")


def _ratio(part: int | Decimal | None, whole: int | Decimal | None, times: int = 1) -> str:
    if part is None or whole is None:
        return NO_VALUE
    if not whole:
        return "0.00"
    return format((Decimal(part) * times / Decimal(whole)).quantize(_CENT, ROUND_HALF_UP), "f")


# The numbers of a facts folder under TikTok's names, and the ratios that TikTok computes of them.
METRICS: dict[str, Value] = {
    "spend": lambda n: _text(n.spend),
    "impressions": lambda n: _text(n.impressions),
    "clicks": lambda n: _text(n.clicks),
    "reach": lambda n: _text(n.reach),
    "video_play_actions": lambda n: _text(n.video_views),
    "conversion": lambda n: _text(n.conversions),
    "complete_payment": lambda n: _text(n.conversions),
    # However it sounds, this is the value of all completed payments.
    "total_complete_payment_rate": lambda n: _text(n.conversion_value),
    "value_per_complete_payment": lambda n: _ratio(n.conversion_value, n.conversions),
    "ctr": lambda n: _ratio(n.clicks, n.impressions, _HUNDRED),
    "cpc": lambda n: _ratio(n.spend, n.clicks),
    "cpm": lambda n: _ratio(n.spend, n.impressions, _THOUSAND),
    "cost_per_conversion": lambda n: _ratio(n.spend, n.conversions),
    "conversion_rate": lambda n: _ratio(n.conversions, n.impressions, _HUNDRED),
    "conversion_rate_v2": lambda n: _ratio(n.conversions, n.impressions, _HUNDRED),
    "cost_per_1000_reached": lambda n: _ratio(n.spend, n.reach, _THOUSAND),
    "frequency": lambda n: _ratio(n.impressions, n.reach),
}
ADDITIVE = frozenset(
    {"spend", "impressions", "clicks", "video_play_actions", "conversion", "complete_payment"}
    | {"total_complete_payment_rate"}
)
# Metrics of TikTok's that are no number of the folder's: accepted, without a value.
_SILENT_WORDS = """
    app_event_add_to_cart app_install average_video_play average_video_play_per_user billed_cost cash_spend
    clicks_on_music_disc comments complete_payment_rate complete_payment_roas cost_per_app_install
    cost_per_complete_payment cost_per_purchase cost_per_registration cost_per_result cost_per_sales_lead
    cost_per_secondary_goal_result cost_per_total_app_event_add_to_cart cost_per_total_sales_lead cta_app_install
    cta_conversion cta_purchase follows gross_impressions likes onsite_shopping onsite_shopping_roas profile_visits
    profile_visits_rate purchase purchase_rate real_time_app_install real_time_app_install_cost real_time_conversion
    real_time_conversion_rate real_time_conversion_rate_v2 real_time_cost_per_conversion real_time_cost_per_result
    real_time_result real_time_result_rate registration registration_rate result result_rate sales_lead
    sales_lead_rate secondary_goal_result secondary_goal_result_rate shares skan_conversion
    total_app_event_add_to_cart total_onsite_shopping_value total_pageview total_purchase total_purchase_value
    total_sales_lead total_sales_lead_value value_per_total_purchase video_views_p100 video_views_p25
    video_views_p50 video_views_p75 video_watched_2s video_watched_6s voucher_spend vta_app_install vta_conversion
    vta_purchase
"""
SILENT = frozenset(_SILENT_WORDS.split())
# Which object a metric that is an attribute is of; the object or one above it must be what the rows are about.
_ATTRIBUTES: dict[str, tuple[Level, bool]] = {
    "campaign_id": ("campaign", True),
    "campaign_name": ("campaign", False),
    "adgroup_id": ("ad_group", True),
    "adgroup_name": ("ad_group", False),
    "ad_id": ("ad", True),
    "ad_name": ("ad", False),
}
_OF_ACCOUNT: dict[str, Callable[[Account], str]] = {
    "advertiser_id": lambda account: account.id,
    "advertiser_name": lambda account: account.name,
    "currency": lambda account: account.currency,
}
# Attributes that the folder does not know, with the narrowest level at which TikTok still answers them.
_SILENT_ATTRIBUTES: dict[str, Level] = {
    "objective_type": "campaign",
    "campaign_budget": "campaign",
    "campaign_dedicate_type": "campaign",
    "app_promotion_type": "campaign",
    "split_test": "campaign",
    "adgroup_download_url": "ad_group",
    "billing_event": "ad_group",
    "bid": "ad_group",
    "bid_strategy": "ad_group",
    "budget": "ad_group",
    "dpa_target_audience_type": "ad_group",
    "mobile_app_id": "ad_group",
    "placement_type": "ad_group",
    "promotion_type": "ad_group",
    "smart_target": "ad_group",
    "tt_app_id": "ad_group",
    "tt_app_name": "ad_group",
    "ad_profile_image": "ad",
    "ad_text": "ad",
    "ad_url": "ad",
    "aeo_type": "ad_group",
    "call_to_action": "ad",
    "image_mode": "ad",
}
_DEPTH: dict[Level, int] = {"account": 0, "campaign": 1, "ad_group": 2, "ad": 3}


def is_known(name: str, level: Level) -> bool:
    """Whether a report of this level can have the metric."""
    if name in METRICS or name in SILENT or name in _OF_ACCOUNT:
        return True
    of = _ATTRIBUTES[name][0] if name in _ATTRIBUTES else _SILENT_ATTRIBUTES.get(name)
    return of is not None and _DEPTH[of] <= _DEPTH[level]


def is_attribute(name: str) -> bool:
    """Whether it says who, not how much."""
    return name in _ATTRIBUTES or name in _OF_ACCOUNT or name in _SILENT_ATTRIBUTES


def attribute(name: str, account: Account, entity: Entity | None, now: datetime) -> str:
    """An attribute of the object that a row is about; None stands for the account."""
    if name in _OF_ACCOUNT:
        return _OF_ACCOUNT[name](account)
    if name not in _ATTRIBUTES or entity is None:
        return NO_VALUE
    level, is_id = _ATTRIBUTES[name]
    object_id = {"campaign": entity.campaign_id, "ad_group": entity.adgroup_id, "ad": entity.id}[level]
    return object_id if is_id else name_of(account.objects(level)[object_id], account.today(now))
