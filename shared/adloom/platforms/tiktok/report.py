"""Daily reports: what is asked for, and what a row is.

https://business-api.tiktok.com/portal/docs?id=1740302848100353
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter

import msgspec

from adloom.platforms.model import Days, Level
from adloom.platforms.tiktok import conversions
from adloom.platforms.tiktok.client import Envelope
from adloom.platforms.tiktok.pages import Page

PATH = "report/integrated/get/"
# With a row per day TikTok takes 30 days, both ends included.
MAX_DAYS = 30

DATA_LEVELS: dict[Level, str] = {
    "account": "AUCTION_ADVERTISER",
    "campaign": "AUCTION_CAMPAIGN",
    "ad_group": "AUCTION_ADGROUP",
    "ad": "AUCTION_AD",
}
ID: dict[Level, str] = {
    "account": "advertiser_id",
    "campaign": "campaign_id",
    "ad_group": "adgroup_id",
    "ad": "ad_id",
}
# Who a row is about: attributes that TikTok delivers as metrics.
_NAMES: dict[Level, tuple[str, ...]] = {
    "account": (),
    "campaign": ("campaign_name",),
    "ad_group": ("adgroup_name", "campaign_id"),
    "ad": ("ad_name", "adgroup_id", "campaign_id"),
}
_STATUS_FILTERS: dict[Level, str] = {"campaign": "campaign_status", "ad_group": "adgroup_status", "ad": "ad_status"}
ESSENTIAL = ("spend", "impressions", "clicks")
WANTED = ("reach", "video_play_actions")
# Other ways to count a conversion; kept as delivered.
EXTRAS = (
    "real_time_conversion",
    "complete_payment",
    "total_purchase",
    "total_purchase_value",
    "onsite_shopping",
    "total_onsite_shopping_value",
)
NO_VALUE = "-"
# What says no more than no row does.
NOTHING = frozenset({None, NO_VALUE, "0", "0.0", "0.00"})


class Dimensions(msgspec.Struct, gc=False):
    """`stat_time_day` is `2026-03-01 00:00:00`, `stat_time_hour` likewise: the account's own day and hour."""

    ad_id: str = ""
    adgroup_id: str = ""
    campaign_id: str = ""
    advertiser_id: str = ""
    stat_time_day: str = ""
    stat_time_hour: str = ""


class Metrics(msgspec.Struct, gc=False):
    """Every value is text, `-` where there is none."""

    campaign_name: str | None = None
    adgroup_name: str | None = None
    ad_name: str | None = None
    adgroup_id: str | None = None
    campaign_id: str | None = None
    spend: str | None = None
    impressions: str | None = None
    clicks: str | None = None
    reach: str | None = None
    video_play_actions: str | None = None
    conversion: str | None = None
    total_complete_payment_rate: str | None = None
    real_time_conversion: str | None = None
    complete_payment: str | None = None
    total_purchase: str | None = None
    total_purchase_value: str | None = None
    onsite_shopping: str | None = None
    total_onsite_shopping_value: str | None = None
    total_sales_lead: str | None = None
    total_sales_lead_value: str | None = None


class Row(msgspec.Struct, gc=False):
    """A row; what we did not ask for is passed over."""

    dimensions: Dimensions
    metrics: Metrics


decoder: msgspec.json.Decoder[Envelope[Page[Row]]] = msgspec.json.Decoder(Envelope[Page[Row]])


def optional(definition: str) -> tuple[str, ...]:
    """What can be done without, for an account that counts by a definition."""
    counted = (definition, conversions.value_of(definition))
    return (*WANTED, *counted, *(name for name in EXTRAS if name not in counted))


def metrics_of(level: Level, refused: frozenset[str] = frozenset(), definition: str = conversions.DEFAULT) -> list[str]:
    """What is asked for at a level, without what TikTok refuses there."""
    return [*_NAMES[level], *ESSENTIAL, *(name for name in optional(definition) if name not in refused)]


def query(level: Level, metrics: list[str]) -> dict[str, object]:
    """The parameters for a level, without account and days."""
    asked: dict[str, object] = {
        "report_type": "BASIC",
        "data_level": DATA_LEVELS[level],
        "dimensions": [ID[level], "stat_time_day"],
        "metrics": metrics,
        "query_lifetime": "false",
    }
    if level in _STATUS_FILTERS:
        # Without it the rows of deleted objects are left out. There is no such filter for a whole account.
        asked["filtering"] = [condition(_STATUS_FILTERS[level], ["STATUS_ALL"])]
    return asked


def condition(name: str, values: list[str]) -> dict[str, str]:
    """A condition of a report; its values are a JSON array inside of text."""
    return {"field_name": name, "filter_type": "IN", "filter_value": msgspec.json.encode(values).decode()}


def params(
    account_id: str, days: Days, asked: dict[str, object], of: dict[str, str] | None = None
) -> dict[str, object]:
    """The parameters for an account and days, of some objects only where a condition is given."""
    found = {
        **asked,
        "advertiser_id": account_id,
        "start_date": days.since.isoformat(),
        "end_date": days.until.isoformat(),
    }
    if of is not None:
        filters = asked.get("filtering")
        found["filtering"] = [*(filters if isinstance(filters, list) else []), of]
    return found


def keys_of(level: Level, at: str = "stat_time_day") -> Callable[[list[Row]], Iterator[str]]:
    """What makes a row of a level the same row."""
    own = attrgetter(ID[level], at)

    def keys(rows: list[Row]) -> Iterator[str]:
        return map("".join, map(own, [row.dimensions for row in rows]))

    return keys
