"""Daily insights: which fields are asked for, and how a row is read.

https://developers.facebook.com/docs/marketing-api/insights
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.meta import statuses
from adloom.platforms.meta.conversions import purchase_value, purchases_and_views
from adloom.platforms.meta.pages import Page
from adloom.platforms.model import Days, Fact, Level

META_LEVELS: dict[Level, str] = {"account": "account", "campaign": "campaign", "ad_group": "adset", "ad": "ad"}
_METRICS = ("impressions", "clicks", "spend", "reach", "actions", "action_values")
_NAMES: dict[Level, tuple[str, ...]] = {
    "account": ("account_id",),
    "campaign": ("campaign_id", "campaign_name"),
    "ad_group": ("campaign_id", "adset_id", "adset_name"),
    "ad": ("campaign_id", "adset_id", "ad_id", "ad_name"),
}
# Since June 2025 Meta reports as the Ads Manager does whatever is asked for, so nothing is asked for.
ATTRIBUTION = "ad set's setting (unified), conversions on their own day where the web reports them"


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


def params(level: Level, days: Days, campaign_ids: list[str] | None = None) -> dict[str, object]:
    """The parameters for a level and days, of some campaigns only where `campaign_ids` are given.

    The range is always explicit: Meta's default is the last 30 days.
    """
    asked = query(level)
    asked["time_range"] = {"since": days.since.isoformat(), "until": days.until.isoformat()}
    if campaign_ids is not None:
        of_campaigns = {"field": "campaign.id", "operator": "IN", "value": campaign_ids}
        asked["filtering"] = [statuses.every_status(level), of_campaigns]
    return asked


def facts(rows: list[Row], level: Level) -> Iterator[Fact]:
    """The rows of a page; PlatformProtocolError for one without the id of its level."""
    identify = _IDENTIFY[level]
    for row in rows:
        entity_id, parent_id, branch, name = identify(row)
        if not entity_id:
            raise PlatformProtocolError(f"Meta sent a row of level {level} without its id", platform_code="shape")
        purchases = views = value = actions = None
        if row.actions or row.action_values:
            purchases, views, value, actions = _actions(row)
        yield Fact(
            entity_id, parent_id, branch, name, row.date_start,
            row.impressions, row.clicks, row.spend, purchases, value, views, row.reach, actions,
        )  # fmt: skip


def _actions(row: Row) -> tuple[str | None, str | None, str | None, bytes]:
    """Purchases, video views, value, and both raw lists in one object."""
    try:
        purchases, views = purchases_and_views(row.actions) if row.actions else (None, None)
        value = purchase_value(row.action_values) if row.action_values else None
    except msgspec.MsgspecError as fault:
        raise PlatformProtocolError(
            f"Meta's actions are not what it documents: {fault}", platform_code="shape"
        ) from None
    both = b'{"actions":%b,"action_values":%b}' % (
        bytes(row.actions) or b"null",
        bytes(row.action_values) or b"null",
    )
    return purchases, views, value, both


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
