"""The questions that we ask, in Google's query language: fixed, and each of its fields checked by a test.

https://developers.google.com/google-ads/api/fields/v26/overview
"""

from __future__ import annotations

from adloom.platforms.model import Days, Level

ATTRIBUTION = "account default"

CLIENTS = (
    "SELECT customer_client.id, customer_client.descriptive_name, customer_client.currency_code,"
    " customer_client.time_zone, customer_client.status, customer_client.manager, customer_client.level"
    " FROM customer_client"
)
CUSTOMER = (
    "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, customer.status,"
    " customer.manager FROM customer"
)
# Without metrics and segments: with them, objects that delivered nothing are left out. Removed ones are among these.
ENTITIES: dict[Level, str] = {
    "campaign": (
        "SELECT campaign.id, campaign.name, campaign.status, campaign.advertising_channel_type,"
        " campaign_budget.amount_micros, campaign_budget.total_amount_micros FROM campaign"
    ),
    "ad_group": "SELECT ad_group.id, ad_group.name, ad_group.status, ad_group.type, campaign.id FROM ad_group",
    "ad": (
        "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, ad_group_ad.status, ad_group.id"
        " FROM ad_group_ad"
    ),
}
# No filter by status: removed objects hold spend.
_OF: dict[Level, tuple[str, str]] = {
    "account": ("customer.id", "customer"),
    "campaign": ("campaign.id, campaign.name", "campaign"),
    "ad_group": ("ad_group.id, ad_group.name, campaign.id", "ad_group"),
    "ad": ("ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group.id, campaign.id", "ad_group_ad"),
}
METRICS = (
    "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value,"
    " metrics.video_trueview_views, metrics.all_conversions, metrics.all_conversions_value"
)


def facts(level: Level, days: Days) -> str:
    """Numbers by day. However many days there are, the question costs one operation."""
    fields, resource = _OF[level]
    return (
        f"SELECT {fields}, segments.date, {METRICS} FROM {resource}"
        f" WHERE segments.date BETWEEN '{days.since}' AND '{days.until}'"
    )
