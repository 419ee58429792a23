"""The questions that we ask, in Google's query language: fixed, and each of its fields checked by a test.

https://developers.google.com/google-ads/api/fields/v26/overview
"""

from __future__ import annotations

from adloom.platforms.model import Days, HourLevel, Level

CLIENTS = (
    "SELECT customer_client.id, customer_client.descriptive_name, customer_client.currency_code,"
    " customer_client.time_zone, customer_client.status, customer_client.manager, customer_client.level"
    " FROM customer_client"
)
_CUSTOMER = (
    "customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, customer.status,"
    " customer.manager"
)
CUSTOMER = f"SELECT {_CUSTOMER} FROM customer"
# The account and its windows in one operation; an account without any conversion action has no row here.
WINDOWS = (
    f"SELECT {_CUSTOMER}, conversion_action.status, conversion_action.click_through_lookback_window_days"
    " FROM conversion_action"
)

# Where each type of ad has its texts, and what we call them, in the order in which people read them.
_TITLED = {"headlines": "headline", "descriptions": "description"}
_LONG_TITLED = {"headlines": "headline", "long_headlines": "long_headline", "descriptions": "description"}
TEXTS: dict[str, dict[str, str]] = {
    "responsive_search_ad": _TITLED,
    "responsive_display_ad": {
        "headlines": "headline",
        "long_headline": "long_headline",
        "descriptions": "description",
        "business_name": "business_name",
    },
    "demand_gen_multi_asset_ad": {**_TITLED, "business_name": "business_name"},
    "demand_gen_carousel_ad": {
        "headline": "headline",
        "description": "description",
        "business_name": "business_name",
    },
    "demand_gen_video_responsive_ad": _LONG_TITLED,
    "video_responsive_ad": _LONG_TITLED,
    "app_ad": _TITLED,
    "app_engagement_ad": _TITLED,
    "smart_campaign_ad": _TITLED,
    "expanded_text_ad": {
        "headline_part1": "headline",
        "headline_part2": "headline",
        "headline_part3": "headline",
        "description": "description",
        "description2": "description",
    },
    "expanded_dynamic_search_ad": {"description": "description", "description2": "description"},
    "text_ad": {"headline": "headline", "description1": "description", "description2": "description"},
}
# The images that show what is advertised; logos are not among them.
IMAGES: dict[str, tuple[str, ...]] = {
    "responsive_display_ad": ("marketing_images", "square_marketing_images"),
    "demand_gen_multi_asset_ad": ("marketing_images", "square_marketing_images", "portrait_marketing_images"),
    "app_ad": ("images",),
    "app_engagement_ad": ("images",),
}
# Of asset groups the places of both, in this order.
ASSET_TEXTS = {
    "HEADLINE": "headline",
    "LONG_HEADLINE": "long_headline",
    "DESCRIPTION": "description",
    "BUSINESS_NAME": "business_name",
}
ASSET_IMAGES = ("MARKETING_IMAGE", "SQUARE_MARKETING_IMAGE", "PORTRAIT_MARKETING_IMAGE")


def _ad_fields() -> str:
    names = [f"ad_group_ad.ad.{kind}.{field}" for kind, fields in TEXTS.items() for field in fields]
    names += [f"ad_group_ad.ad.{kind}.{field}" for kind, fields in IMAGES.items() for field in fields]
    return ", ".join([*names, "ad_group_ad.ad.image_ad.image_url"])


# Without metrics and segments: with them, objects that delivered nothing are left out. Removed ones are among these.
CAMPAIGNS = (
    "SELECT campaign.id, campaign.name, campaign.status, campaign.advertising_channel_type, campaign.labels,"
    " campaign_budget.amount_micros, campaign_budget.total_amount_micros FROM campaign"
)
AD_GROUPS = (
    "SELECT ad_group.id, ad_group.name, ad_group.status, ad_group.type, ad_group.labels, campaign.id FROM ad_group"
)
ADS = (
    "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, ad_group_ad.status, ad_group_ad.labels,"
    f" ad_group.id, ad_group_ad.ad.final_urls, {_ad_fields()}, ad_group_ad.policy_summary.approval_status,"
    " ad_group_ad.policy_summary.review_status, ad_group_ad.policy_summary.policy_topic_entries FROM ad_group_ad"
)
ASSET_GROUPS = (
    "SELECT asset_group.id, asset_group.name, asset_group.status, asset_group.primary_status,"
    " asset_group.primary_status_reasons, asset_group.final_urls, campaign.id FROM asset_group"
)
ASSETS_OF_GROUPS = (
    "SELECT asset_group.id, asset_group_asset.field_type, asset.id, asset.text_asset.text,"
    " asset.image_asset.full_size.url FROM asset_group_asset WHERE asset_group_asset.status != REMOVED"
    f" AND asset_group_asset.field_type IN ({', '.join([*ASSET_TEXTS, *ASSET_IMAGES])})"
)
LABELS = "SELECT label.id, label.name FROM label"
IMAGE_ASSETS = "SELECT asset.id, asset.image_asset.full_size.url FROM asset WHERE asset.type = IMAGE"

# Where the rows of a level come from. Performance Max has asset groups, and neither ad groups nor ads.
SOURCES: dict[Level, tuple[str, ...]] = {
    "account": ("customer",),
    "campaign": ("campaign",),
    "ad_group": ("ad_group", "asset_group"),
    "ad": ("ad_group_ad",),
}
# No filter by status: removed objects hold spend.
_OF = {
    "customer": "customer.id",
    "campaign": "campaign.id, campaign.name, campaign.advertising_channel_type",
    "ad_group": "ad_group.id, ad_group.name, campaign.id",
    "asset_group": "asset_group.id, asset_group.name, campaign.id",
    "ad_group_ad": "ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group.id, campaign.id",
}
_SUMS = (
    "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value,"
    " metrics.all_conversions, metrics.all_conversions_value"
)
METRICS = f"{_SUMS}, metrics.video_trueview_views"


# Else each row of numbers names each of its objects once more, which is a third of its bytes.
_PLAIN = "PARAMETERS omit_unselected_resource_names=true"


def facts(source: str, days: Days) -> str:
    """Numbers by day. However many days there are, the question costs one operation."""
    return f"SELECT {_OF[source]}, segments.date, {METRICS} FROM {source} WHERE {_between(days)} {_PLAIN}"


def hours(level: HourLevel, days: Days) -> str:
    """Numbers by the hour of the account's local day."""
    (source,) = SOURCES[level]
    return f"SELECT {source}.id, segments.date, segments.hour, {_SUMS} FROM {source} WHERE {_between(days)} {_PLAIN}"


def _between(days: Days) -> str:
    return f"segments.date BETWEEN '{days.since}' AND '{days.until}'"
