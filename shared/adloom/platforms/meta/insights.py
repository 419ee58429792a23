"""Insights by the day and by the hour: which fields are asked for, and how a row is read.

https://developers.facebook.com/docs/marketing-api/insights
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.meta import statuses
from adloom.platforms.meta.conversions import Counted
from adloom.platforms.meta.pages import Page
from adloom.platforms.model import Days, Fact, HourFact, HourLevel, Level

META_LEVELS: dict[Level, str] = {"account": "account", "campaign": "campaign", "ad_group": "adset", "ad": "ad"}
_METRICS = ("impressions", "clicks", "spend", "reach", "actions", "action_values")
# https://developers.facebook.com/docs/marketing-api/insights/breakdowns: of the hours of the account's own time zone
# Meta tells no reach, and no actions that happened outside of it.
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
_HOUR_METRICS = ("impressions", "clicks", "spend", "actions", "action_values")
_NAMES: dict[Level, tuple[str, ...]] = {
    "account": ("account_id",),
    "campaign": ("campaign_id", "campaign_name"),
    "ad_group": ("campaign_id", "adset_id", "adset_name"),
    "ad": ("campaign_id", "adset_id", "ad_id", "ad_name"),
}
# Since June 2025 Meta reports as the Ads Manager does whatever is asked for. Windows are asked for only where an
# account counts by one.
_UNIFIED = "ad set's setting (unified)"
_OWN_DAY = "conversions on their own day where the web reports them"


class Row(msgspec.Struct, gc=False):
    """A row; fields that we did not ask for are passed over."""

    date_start: str
    account_id: str = ""
    campaign_id: str = ""
    campaign_name: str = ""
    adset_id: str = ""
    adset_name: str = ""
    ad_id: str = ""
    ad_name: str = ""
    impressions: str | None = None
    clicks: str | None = None
    spend: str | None = None
    reach: str | None = None
    actions: msgspec.Raw = msgspec.Raw()
    action_values: msgspec.Raw = msgspec.Raw()


class HourRow(msgspec.Struct, gc=False):
    """A row of an hour, which Meta writes `13:00:00 - 13:59:59`."""

    date_start: str
    hourly_stats_aggregated_by_advertiser_time_zone: str
    account_id: str = ""
    campaign_id: str = ""
    impressions: str | None = None
    clicks: str | None = None
    spend: str | None = None
    actions: msgspec.Raw = msgspec.Raw()
    action_values: msgspec.Raw = msgspec.Raw()


hour_decoder: msgspec.json.Decoder[Page[HourRow]] = msgspec.json.Decoder(Page[HourRow])
decoder: msgspec.json.Decoder[Page[Row]] = msgspec.json.Decoder(Page[Row])


def query(level: Level) -> dict[str, object]:
    """The parameters for a level, without days."""
    asked: dict[str, object] = {
        "level": META_LEVELS[level],
        "time_increment": "1",
        "fields": ",".join((*_NAMES[level], *_METRICS)),
    }
    if level != "account":
        asked["filtering"] = [statuses.every_status(level)]
    return asked


def attribution(counted: Counted) -> str:
    """Which clicks and views are credited with a conversion."""
    return f"{counted.window or _UNIFIED}, {_OWN_DAY}"


def params(
    level: Level, days: Days, campaign_ids: list[str] | None = None, *, window: str | None = None
) -> dict[str, object]:
    """The parameters for a level and days, of some campaigns only where `campaign_ids` are given.

    The range is always explicit: Meta's default is the last 30 days.
    """
    asked = query(level)
    if window is not None:
        asked["action_attribution_windows"] = [window]
    asked["time_range"] = {"since": days.since.isoformat(), "until": days.until.isoformat()}
    if campaign_ids is not None:
        of_campaigns = {"field": "campaign.id", "operator": "IN", "value": campaign_ids}
        asked["filtering"] = [statuses.every_status(level), of_campaigns]
    return asked


def hour_params(level: HourLevel, days: Days, *, window: str | None = None) -> dict[str, object]:
    """The parameters for the hours of a level and days."""
    asked = params(level, days, window=window)
    return {**asked, "fields": ",".join((_NAMES[level][0], *_HOUR_METRICS)), "breakdowns": [HOURLY]}


def hours(rows: list[HourRow], level: HourLevel, counted: Counted) -> Iterator[HourFact]:
    """The rows of a page by the hour; PlatformProtocolError for one whose hour cannot be read."""
    for row in rows:
        said = row.hourly_stats_aggregated_by_advertiser_time_zone
        entity_id = row.account_id if level == "account" else row.campaign_id
        if not entity_id or not said[:2].isdigit() or said[2:3] != ":":
            raise PlatformProtocolError(
                f"Meta sent a row of level {level} with the id {entity_id!r} and the hour {said!r}",
                platform_code="shape",
            )
        conversions, _, value = _counted(row, counted)
        yield HourFact(
            entity_id, row.date_start, int(said[:2]), row.impressions, row.clicks, row.spend, conversions, value
        )


def facts(rows: list[Row], level: Level, counted: Counted) -> Iterator[Fact]:
    """The rows of a page; PlatformProtocolError for one without the id of its level."""
    identify = _IDENTIFY[level]
    for row in rows:
        entity_id, parent_id, branch, name = identify(row)
        if not entity_id:
            raise PlatformProtocolError(f"Meta sent a row of level {level} without its id", platform_code="shape")
        conversions = views = value = actions = None
        if row.actions or row.action_values:
            conversions, views, value = _counted(row, counted)
            actions = b'{"actions":%b,"action_values":%b}' % (
                bytes(row.actions) or b"null",
                bytes(row.action_values) or b"null",
            )
        yield Fact(
            entity_id, parent_id, branch, name, row.date_start,
            row.impressions, row.clicks, row.spend, conversions, value, views, row.reach, actions,
        )  # fmt: skip


def _counted(row: Row | HourRow, counted: Counted) -> tuple[str | None, str | None, str | None]:
    """Conversions, video views and the conversions' value."""
    try:
        conversions, views = counted.conversions_and_views(row.actions) if row.actions else (None, None)
        value = counted.value(row.action_values) if row.action_values else None
    except msgspec.MsgspecError as fault:
        raise PlatformProtocolError(
            f"Meta's actions are not what it documents: {fault}", platform_code="shape"
        ) from None
    return conversions, views, value


def _of_account(row: Row) -> tuple[str, str, str, str]:
    return row.account_id, "", "", ""


def _of_campaign(row: Row) -> tuple[str, str, str, str]:
    return row.campaign_id, row.account_id, row.campaign_id, row.campaign_name


def _of_ad_group(row: Row) -> tuple[str, str, str, str]:
    return row.adset_id, row.campaign_id, row.campaign_id, row.adset_name


def _of_ad(row: Row) -> tuple[str, str, str, str]:
    return row.ad_id, row.adset_id, row.campaign_id, row.ad_name


_IDENTIFY: dict[Level, Any] = {
    "account": _of_account,
    "campaign": _of_campaign,
    "ad_group": _of_ad_group,
    "ad": _of_ad,
}
