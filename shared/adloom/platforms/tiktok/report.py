"""Daily reports: what is asked for, and how a row is read.

https://business-api.tiktok.com/portal/docs?id=1740302848100353
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TypeVar

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import Days, Fact, Level
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
_ID: dict[Level, str] = {
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
_NOTHING = frozenset({None, NO_VALUE, "0", "0.0", "0.00"})
_DAY = len("2026-01-01")


class Dimensions(msgspec.Struct, gc=False):
    """`stat_time_day` is `2026-03-01 00:00:00`, `stat_time_hour` likewise: the account's own day and hour."""

    stat_time_day: str = ""
    stat_time_hour: str = ""
    advertiser_id: str = ""
    campaign_id: str = ""
    adgroup_id: str = ""
    ad_id: str = ""


class Metrics(msgspec.Struct, gc=False):
    """Every value is text, `-` where there is none."""

    spend: str | None = None
    impressions: str | None = None
    clicks: str | None = None
    reach: str | None = None
    video_play_actions: str | None = None
    conversion: str | None = None
    total_complete_payment_rate: str | None = None
    campaign_id: str | None = None
    adgroup_id: str | None = None
    campaign_name: str | None = None
    adgroup_name: str | None = None
    ad_name: str | None = None
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
        "dimensions": [_ID[level], "stat_time_day"],
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


_Who = tuple[str, str, str, str]


def _said(who: _Who) -> _Who:
    """Attributes are empty where TikTok does not say them, as of objects that it has removed."""
    parent_id, branch, name = ("" if text == NO_VALUE else text for text in who[1:])
    return who[0], parent_id, branch, name


def _of_account(row: Row) -> _Who:
    return row.dimensions.advertiser_id, "", "", ""


def _of_campaign(row: Row) -> _Who:
    campaign_id = row.dimensions.campaign_id
    return campaign_id, "", campaign_id, row.metrics.campaign_name or ""


def _of_ad_group(row: Row) -> _Who:
    campaign_id = row.metrics.campaign_id or ""
    return row.dimensions.adgroup_id, campaign_id, campaign_id, row.metrics.adgroup_name or ""


def _of_ad(row: Row) -> _Who:
    m = row.metrics
    return row.dimensions.ad_id, m.adgroup_id or "", m.campaign_id or "", m.ad_name or ""


_IDENTIFY: dict[Level, Callable[[Row], _Who]] = {
    "account": _of_account,
    "campaign": _of_campaign,
    "ad_group": _of_ad_group,
    "ad": _of_ad,
}


def key_of(level: Level) -> Callable[[Row], str]:
    """What makes a row of a level the same row."""
    name = _ID[level]

    def key(row: Row) -> str:
        dimensions = row.dimensions
        own: str = getattr(dimensions, name)
        return own + dimensions.stat_time_day

    return key


def facts(rows: list[Row], level: Level, account_id: str, definition: str = conversions.DEFAULT) -> Iterator[Fact]:
    """The rows of a page; PlatformProtocolError for one without the id of its level.

    A row of zeros says what no row says: TikTok sends such rows or leaves them out as it likes. This loop runs once for
    every row that is ever read, so it calls as little as it can.
    """
    identify, nothing, is_campaign, dash, make, make_extras, encode, is_usual, counted_of = (
        _IDENTIFY[level],
        _NOTHING,
        level == "campaign",
        NO_VALUE,
        tuple.__new__,
        _Extras,
        _encode,
        definition == conversions.DEFAULT,
        attrgetter(definition, conversions.value_of(definition)),
    )
    for row in rows:
        who = identify(row)
        entity_id, parent_id, branch, name = _said(who) if dash in who else who
        day = row.dimensions.stat_time_day
        if not (entity_id and day):
            said = f"TikTok sent a row of level {level} without its id or day"
            raise PlatformProtocolError(said, platform_code="shape")
        m = row.metrics
        extras = (
            m.real_time_conversion, m.complete_payment, m.total_purchase, m.total_purchase_value, m.onsite_shopping,
            m.total_onsite_shopping_value,
        )  # fmt: skip
        counted, worth = (m.conversion, m.total_complete_payment_rate) if is_usual else counted_of(m)
        numbers = (m.impressions, m.clicks, m.spend, counted, worth, m.video_play_actions, m.reach)
        actions = None
        if not nothing.issuperset(extras):
            actions = encode(make_extras(*(_known(extras) if dash in extras else extras)))
        elif nothing.issuperset(numbers):
            continue
        if dash in numbers:
            numbers = _known(numbers)
        # As the class's own constructor does, without its call.
        parent_id = account_id if is_campaign else parent_id
        yield make(Fact, (entity_id, parent_id, branch, name, day[:_DAY], *numbers, actions))


class _Extras(msgspec.Struct, omit_defaults=True, gc=False):
    """The other numbers, in the order of EXTRAS; those without a value are left out."""

    real_time_conversion: str | None = None
    complete_payment: str | None = None
    total_purchase: str | None = None
    total_purchase_value: str | None = None
    onsite_shopping: str | None = None
    total_onsite_shopping_value: str | None = None


_encode = msgspec.json.Encoder().encode
_Numbers = TypeVar("_Numbers", bound=tuple[str | None, ...])


def _known(numbers: _Numbers) -> _Numbers:
    """None where there is no value."""
    return tuple([None if number == NO_VALUE else number for number in numbers])  # type: ignore[return-value]
