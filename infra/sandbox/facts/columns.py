"""Which columns each file of a facts folder has. Order in a file is free; an unknown column is refused."""

from __future__ import annotations

FACTS_FILE = "facts.csv"
ENTITIES_FILE = "entities.csv"
HOURLY_FILE = "hourly.csv"
RESTATED_FILE = "restated.csv"
TOTALS_FILE = "account_totals.csv"
RATES_FILE = "rates.csv"

FACTS = (
    "platform",
    "account_id",
    "currency",
    "timezone",
    "campaign_id",
    "campaign_name",
    "adgroup_id",
    "adgroup_name",
    "ad_id",
    "ad_name",
    "date",
    "impressions",
    "clicks",
    "spend",
    "conversions",
    "conversion_value",
    "video_views",
    "reach",
)
RESTATED = (*FACTS, "visible_until")
ENTITIES = ("platform", "account_id", "level", "id", "parent_id", "name")
ENTITIES_OPTIONAL = (
    "status",
    "kind",
    "daily_budget",
    "lifetime_budget",
    "objective",
    "final_url",
    "image_url",
    "texts",
    "labels",
    "review_status",
    "review_reason",
    "conversion_window_days",
    "created_at",
    "updated_at",
    "deleted_at",
)
SUMS = ("impressions", "clicks", "spend", "conversions", "conversion_value")
HOURLY = ("platform", "account_id", "campaign_id", "date", "hour", *SUMS)
TOTALS = ("platform", "account_id", "date", *SUMS)
RATES = ("date", "currency", "per_eur")

PLATFORMS = frozenset({"google", "meta", "tiktok"})
STATUSES = frozenset({"active", "paused", "archived", "deleted"})
