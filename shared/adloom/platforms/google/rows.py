"""Rows of Google's answers in the words of this house. Money is millionths, exactly; conversions are doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.google import errors
from adloom.platforms.google.failures import enum_name
from adloom.platforms.model import Account, Entity, Fact, Level, Status

MICROS = 1_000_000
_CURRENCY_LENGTH = 3
_OF_OBJECT: dict[str, Status] = {"ENABLED": "active", "PAUSED": "paused", "REMOVED": "deleted"}
# One that we do not know counts as paused, for it spends nothing that we know of.
_OF_CUSTOMER: dict[str, Status] = {
    "ENABLED": "active",
    "SUSPENDED": "paused",
    "CANCELED": "archived",
    "CLOSED": "deleted",
}


def money(micros: int) -> str:
    """Millionths as an exact decimal of the account's currency: `12.5`."""
    sign, amount = ("-", -micros) if micros < 0 else ("", micros)
    whole, rest = divmod(amount, MICROS)
    return f"{sign}{whole}.{rest:06}".rstrip("0").rstrip(".")


# Accounts and objects


def account(node: Any) -> Account:
    """A `customer` or `customer_client`; PlatformProtocolError for one whose days or money cannot be told."""
    external_id, currency, zone = str(node.id), node.currency_code, node.time_zone
    if len(currency) != _CURRENCY_LENGTH or not _is_zone(zone):
        raise errors.unreadable(f"currency {currency!r} or time zone {zone!r} of account {external_id}")
    status = _OF_CUSTOMER.get(enum_name(node, "status"), "paused")
    return Account(external_id, node.descriptive_name or external_id, currency, zone, status, created_at=None)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def entities(rows: Iterable[Any], level: Level, account_id: str) -> Iterator[Entity]:
    """The objects of a batch."""
    make = {"campaign": _campaign, "ad_group": _ad_group, "ad": _ad}[level]
    return (make(row, account_id) for row in rows)


def _campaign(row: Any, account_id: str) -> Entity:
    node, budget = row.campaign, row.campaign_budget
    return Entity(
        "campaign",
        _id(node.id, "campaign"),
        account_id,
        node.name,
        _status(node),
        kind=enum_name(node, "advertising_channel_type"),
        daily_budget=_budget(budget, "amount_micros"),
        lifetime_budget=_budget(budget, "total_amount_micros"),
    )


def _ad_group(row: Any, _account_id: str) -> Entity:
    node = row.ad_group
    parent = _id(row.campaign.id, "campaign")
    return Entity("ad_group", _id(node.id, "ad_group"), parent, node.name, _status(node), kind=_kind(node))


def _ad(row: Any, _account_id: str) -> Entity:
    ad = row.ad_group_ad.ad
    parent = _id(row.ad_group.id, "ad_group")
    return Entity("ad", _id(ad.id, "ad"), parent, ad.name, _status(row.ad_group_ad), kind=_kind(ad))


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


# Facts


def _of_account(row: Any, account_id: str) -> tuple[int | str, str, str, str]:
    return row.customer.id or account_id, "", "", ""


def _of_campaign(row: Any, account_id: str) -> tuple[int | str, str, str, str]:
    campaign = row.campaign
    return campaign.id, account_id, str(campaign.id), campaign.name


def _of_ad_group(row: Any, _account_id: str) -> tuple[int | str, str, str, str]:
    campaign_id = str(row.campaign.id)
    return row.ad_group.id, campaign_id, campaign_id, row.ad_group.name


def _of_ad(row: Any, _account_id: str) -> tuple[int | str, str, str, str]:
    ad = row.ad_group_ad.ad
    return ad.id, str(row.ad_group.id), str(row.campaign.id), ad.name


_IDENTIFY: dict[Level, Callable[[Any, str], tuple[int | str, str, str, str]]] = {
    "account": _of_account,
    "campaign": _of_campaign,
    "ad_group": _of_ad_group,
    "ad": _of_ad,
}


def facts(rows: Iterable[Any], level: Level, account_id: str) -> Iterator[Fact]:
    """The rows of a batch; PlatformProtocolError for one without its id or day.

    A row of zeros says what no row says. A number that Google leaves out is None.
    """
    identify = _IDENTIFY[level]
    for row in rows:
        metrics = row.metrics
        has = metrics.HasField
        impressions, clicks, micros = metrics.impressions, metrics.clicks, metrics.cost_micros
        conversions, value = metrics.conversions, metrics.conversions_value
        views, extras = metrics.video_trueview_views, (metrics.all_conversions, metrics.all_conversions_value)
        if not (impressions or clicks or micros or conversions or value or views or any(extras)):
            continue
        entity_id, parent_id, branch, name = identify(row, account_id)
        day = row.segments.date
        if not entity_id or not day:
            raise PlatformProtocolError(f"Google sent a row of level {level} without id or day", platform_code="shape")
        yield Fact(
            str(entity_id),
            parent_id,
            branch,
            name,
            day,
            str(impressions) if impressions or has("impressions") else None,
            str(clicks) if clicks or has("clicks") else None,
            money(micros) if micros or has("cost_micros") else None,
            repr(conversions) if conversions or has("conversions") else None,
            repr(value) if value or has("conversions_value") else None,
            str(views) if views or has("video_trueview_views") else None,
            None,
            _actions(*extras) if any(extras) else None,
        )


def _actions(all_conversions: float, value: float) -> bytes:
    """Conversions of every action, the secondary ones too, as JSON."""
    return msgspec.json.encode({"all_conversions": repr(all_conversions), "all_conversions_value": repr(value)})
