"""Accounts, campaigns, ad groups, asset groups and ads of Google's answers in the words of this house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adloom.platforms.google import creatives, errors
from adloom.platforms.google.creatives import Assets, Lookup
from adloom.platforms.google.failures import enum_name
from adloom.platforms.google.rows import money
from adloom.platforms.model import Account, Entity, Level, Status
from adloom.platforms.readable import is_currency, is_zone

MAX = "PERFORMANCE_MAX"
# An asset group stands where a campaign of another channel has its ad groups.
ASSET_GROUP = "ASSET_GROUP"
_OF_OBJECT: dict[str, Status] = {"ENABLED": "active", "PAUSED": "paused", "REMOVED": "deleted"}
# One that we do not know counts as paused, for it spends nothing that we know of.
_OF_CUSTOMER: dict[str, Status] = {
    "ENABLED": "active",
    "SUSPENDED": "paused",
    "CANCELED": "archived",
    "CLOSED": "deleted",
}


def account(node: Any, *, login: str | None, lookback_days: int | None = None) -> Account:
    """A `customer` or `customer_client`; PlatformProtocolError for one whose days or money cannot be told."""
    external_id, currency, zone = str(node.id), node.currency_code, node.time_zone
    if not is_currency(currency) or not is_zone(zone):
        raise errors.unreadable(f"currency {currency!r} or time zone {zone!r} of account {external_id}")
    return Account(
        external_id,
        node.descriptive_name or external_id,
        currency,
        zone,
        _OF_CUSTOMER.get(enum_name(node, "status"), "paused"),
        created_at=None,
        login=login,
        lookback_days=lookback_days,
    )


def longest_window(rows: Iterable[Any]) -> int | None:
    """Days after a click in which an enabled conversion action may still count for it."""
    enabled = (row.conversion_action for row in rows if enum_name(row.conversion_action, "status") == "ENABLED")
    return max((one.click_through_lookback_window_days for one in enabled), default=0) or None


def is_max(row: Any) -> bool:
    """Whether a row's campaign is one of Performance Max."""
    return enum_name(row.campaign, "advertising_channel_type") == MAX


@dataclass(frozen=True)
class Maker:
    """Makes entities of rows. `labels` and `images` are what the rows' resource names stand for."""

    account_id: str
    labels: Lookup
    images: Lookup

    def campaigns(self, rows: Iterable[Any]) -> Iterator[Entity]:
        return map(self._campaign, rows)

    def ad_groups(self, rows: Iterable[Any]) -> Iterator[Entity]:
        return map(self._ad_group, rows)

    def ads(self, rows: Iterable[Any]) -> Iterator[Entity]:
        return map(self._ad, rows)

    def _campaign(self, row: Any) -> Entity:
        node, budget = row.campaign, row.campaign_budget
        return Entity(
            "campaign",
            _id(node.id, "campaign"),
            self.account_id,
            node.name,
            _status(node),
            kind=enum_name(node, "advertising_channel_type"),
            daily_budget=_budget(budget, "amount_micros"),
            lifetime_budget=_budget(budget, "total_amount_micros"),
            labels=self.labels.of(node.labels),
        )

    def _ad_group(self, row: Any) -> Entity:
        node = row.ad_group
        return Entity(
            "ad_group",
            _id(node.id, "ad_group"),
            _id(row.campaign.id, "campaign"),
            node.name,
            _status(node),
            kind=_kind(node),
            labels=self.labels.of(node.labels),
        )

    def _ad(self, row: Any) -> Entity:
        node = row.ad_group_ad
        ad, (review_status, review_reason) = node.ad, creatives.review(node.policy_summary)
        return Entity(
            "ad",
            _id(ad.id, "ad"),
            _id(row.ad_group.id, "ad_group"),
            ad.name,
            _status(node),
            kind=_kind(ad),
            labels=self.labels.of(node.labels),
            final_url=next(iter(ad.final_urls), None),
            image_url=creatives.image(ad, self.images),
            texts=creatives.texts(ad),
            review_status=review_status,
            review_reason=review_reason,
        )


def asset_groups(rows: Iterable[Any], assets: dict[int, Assets]) -> Iterator[Entity]:
    """Asset groups, with their texts and images by id."""
    for row in rows:
        node, shown = row.asset_group, assets.get(row.asset_group.id) or Assets()
        review_status, review_reason = creatives.review_of_group(node)
        yield Entity(
            "ad_group",
            _id(node.id, "ad_group"),
            _id(row.campaign.id, "campaign"),
            node.name,
            _status(node),
            kind=ASSET_GROUP,
            final_url=next(iter(node.final_urls), None),
            image_url=shown.image_url,
            texts=shown.texts,
            review_status=review_status,
            review_reason=review_reason,
        )


def _kind(node: Any) -> str | None:
    name = enum_name(node, "type_")
    return None if name == "UNSPECIFIED" else name


def _status(node: Any) -> Status:
    return _OF_OBJECT.get(enum_name(node, "status"), "paused")


def _budget(node: Any, field: str) -> Decimal | None:
    return Decimal(money(getattr(node, field))) if node.HasField(field) else None


def _id(number: int, level: Level) -> str:
    if not number:
        raise errors.unreadable(f"a row of level {level} without its id")
    return str(number)
