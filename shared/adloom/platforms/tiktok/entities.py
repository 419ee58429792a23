"""Accounts, campaigns, ad groups and ads as TikTok writes them. Its times are UTC, without an offset.

https://business-api.tiktok.com/portal/docs?id=1739593083610113
https://business-api.tiktok.com/portal/docs?id=1739315828649986
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import Account, Entity, Level, Status
from adloom.platforms.readable import is_currency, is_zone
from adloom.platforms.tiktok import windows
from adloom.platforms.tiktok.client import Envelope
from adloom.platforms.tiktok.pages import Page

if TYPE_CHECKING:
    from adloom.platforms.tiktok.creatives import Shown

ACCOUNT_FIELDS = ["advertiser_id", "name", "currency", "timezone", "display_timezone", "status", "create_time"]
_COMMON_FIELDS = ["operation_status", "secondary_status", "create_time", "modify_time"]
_CAMPAIGN_FIELDS = ["objective_type", "campaign_automation_type"]
_BUDGET_FIELDS = ["budget", "budget_mode"]
_SEEN_FIELDS = ["ad_text", "ad_texts", "display_name", "landing_page_url", "image_ids", "video_id"]
# The path of each level, and its fields.
LISTS: dict[Level, tuple[str, list[str]]] = {
    "campaign": (
        "campaign/get/",
        ["campaign_id", "campaign_name", *_CAMPAIGN_FIELDS, *_BUDGET_FIELDS, *_COMMON_FIELDS],
    ),
    "ad_group": (
        "adgroup/get/",
        ["adgroup_id", "adgroup_name", "campaign_id", "click_attribution_window", *_BUDGET_FIELDS, *_COMMON_FIELDS],
    ),
    "ad": ("ad/get/", ["ad_id", "ad_name", "adgroup_id", "campaign_id", *_SEEN_FIELDS, *_COMMON_FIELDS]),
}
# Without it deleted objects are left out, and with them what they once spent.
EVERY_STATUS = "STATUS_ALL"
# Lists hold auctions and reservations; TopView campaigns only when they are asked for by themselves.
TOP_VIEW = "RESERVATION_TOP_VIEW"
_MANUAL = "MANUAL"

_DAILY_MODES = frozenset({"BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"})
_TOTAL_MODE = "BUDGET_MODE_TOTAL"
# The object's own deletion; one whose campaign was deleted says so by another word.
_DELETED = frozenset({"CAMPAIGN_STATUS_DELETE", "ADGROUP_STATUS_DELETE", "AD_STATUS_DELETE"})
_ENABLED = "ENABLE"
_ACCOUNT_CLOSED = frozenset({"STATUS_DISABLE", "STATUS_CONTRACT_NOT_SIGNED"})
_ACCOUNT_ENABLED = "STATUS_ENABLE"


class AdvertiserId(msgspec.Struct):
    """An advertiser of the token."""

    advertiser_id: str


class Advertisers(msgspec.Struct):
    """`oauth2/advertiser/get/`."""

    rows: list[AdvertiserId] = msgspec.field(name="list")


class AdvertiserNode(msgspec.Struct):
    """An ad account."""

    advertiser_id: str
    name: str | None = None
    currency: str | None = None
    timezone: str | None = None
    display_timezone: str | None = None
    status: str | None = None
    create_time: int | None = None

    def account(self) -> Account:
        """In the words of this house."""
        # `timezone` may be POSIX style without daylight saving; the other one is what the account was made with.
        zone = self.display_timezone or self.timezone or ""
        if not is_currency(self.currency or "") or not is_zone(zone):
            raise PlatformProtocolError(
                f"TikTok's currency {self.currency!r} or time zone {zone!r} of account {self.advertiser_id} is not"
                " known",
                platform_code="shape",
            )
        return Account(
            external_id=self.advertiser_id,
            name=self.name or self.advertiser_id,
            currency=self.currency or "",
            timezone=zone,
            status=_of_account(self.status),
            created_at=None if self.create_time is None else datetime.fromtimestamp(self.create_time, UTC),
        )


class AdvertiserNodes(msgspec.Struct):
    """`advertiser/info/`."""

    rows: list[AdvertiserNode] = msgspec.field(name="list")


class ObjectNode(msgspec.Struct):
    """A campaign, ad group or ad. Ids are text: they exceed 2^53."""

    campaign_id: str
    adgroup_id: str | None = None
    ad_id: str | None = None
    campaign_name: str | None = None
    adgroup_name: str | None = None
    ad_name: str | None = None
    objective_type: str | None = None
    campaign_automation_type: str | None = None
    click_attribution_window: str | None = None
    ad_text: str | None = None
    ad_texts: list[str] | None = None
    display_name: str | None = None
    landing_page_url: str | None = None
    image_ids: list[str] | None = None
    video_id: str | None = None
    budget: Decimal | None = None
    budget_mode: str | None = None
    operation_status: str | None = None
    secondary_status: str | None = None
    create_time: str | None = None
    modify_time: str | None = None

    @property
    def key(self) -> str:
        """Its own id."""
        return self.ad_id or self.adgroup_id or self.campaign_id

    def entity(
        self, level: Level, account: Account, *, is_top_view: bool = False, shown: Shown | None = None
    ) -> Entity:
        """In the words of this house; `shown` is what people see of an ad."""
        found: dict[Level, tuple[str | None, str | None, str | None]] = {
            "campaign": (self.campaign_id, account.external_id, self.campaign_name),
            "ad_group": (self.adgroup_id, self.campaign_id, self.adgroup_name),
            "ad": (self.ad_id, self.adgroup_id, self.ad_name),
        }
        object_id, parent_id, name = found[level]
        if not object_id:
            raise PlatformProtocolError(f"TikTok sent an object of level {level} without its id", platform_code="shape")
        created_at = _instant(self.create_time)
        entity = Entity(
            level=level,
            external_id=object_id,
            parent_id=parent_id,
            name=name or "",
            status=_of_object(self),
            kind=TOP_VIEW if is_top_view else _kind(self.campaign_automation_type),
            objective=self.objective_type,
            daily_budget=self._budget("daily"),
            lifetime_budget=self._budget("total"),
            created_at=created_at,
            # Of Smart+ ads TikTok does not say it.
            updated_at=_instant(self.modify_time) or created_at,
            conversion_window_days=windows.days(self.click_attribution_window) if level == "ad_group" else None,
        )
        return entity if shown is None else replace(entity, **shown._asdict())

    def _budget(self, which: Literal["daily", "total"]) -> Decimal | None:
        is_it = self.budget_mode in _DAILY_MODES if which == "daily" else self.budget_mode == _TOTAL_MODE
        return self.budget if is_it and self.budget else None


advertisers_decoder = msgspec.json.Decoder(Envelope[Advertisers])
accounts_decoder = msgspec.json.Decoder(Envelope[AdvertiserNodes])
objects_decoder = msgspec.json.Decoder(Envelope[Page[ObjectNode]])


def _of_object(node: ObjectNode) -> Status:
    if node.secondary_status in _DELETED:
        return "deleted"
    return "active" if node.operation_status == _ENABLED else "paused"


def _of_account(status: str | None) -> Status:
    """One that we do not know counts as paused, for it spends nothing that we know of."""
    if status in _ACCOUNT_CLOSED:
        return "archived"
    return "active" if status in {None, _ACCOUNT_ENABLED} else "paused"


def _kind(automation: str | None) -> str | None:
    return None if automation == _MANUAL else automation


def _instant(text: str | None) -> datetime | None:
    """`2026-03-01 09:00:00`, UTC."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise PlatformProtocolError(f"TikTok's time {text!r} cannot be read", platform_code="shape") from None
