"""Which resources can be asked for, which fields go with each, and what the facts folder says in them.

A field that Google has and a facts folder says nothing about is accepted and stays unset in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from infra.sandbox.facts.model import Account, Entity, EntityRow, Level, Numbers
from infra.sandbox.facts.names import name_of
from infra.sandbox.facts.status import own_status

MICROS = 1_000_000
# What each resource may be asked together with; metrics and segments come on top where there are any.
TOGETHER: dict[str, frozenset[str]] = {
    "customer": frozenset({"customer"}),
    "customer_client": frozenset({"customer_client", "customer"}),
    "campaign": frozenset({"campaign", "campaign_budget", "bidding_strategy", "customer"}),
    "ad_group": frozenset({"ad_group", "campaign", "campaign_budget", "bidding_strategy", "customer"}),
    "ad_group_ad": frozenset({"ad_group_ad", "ad_group", "campaign", "campaign_budget", "customer"}),
    "conversion_action": frozenset({"conversion_action", "customer"}),
}
LEVELS: dict[str, Level] = {"customer": "account", "campaign": "campaign", "ad_group": "ad_group", "ad_group_ad": "ad"}
# Of the many segments, those that the folder knows.
SEGMENTS = frozenset({"segments.date", "segments.hour"})
# The one conversion action of an account is called by this number.
CONVERSION_ACTION = 1
_STATUS = {"active": "ENABLED", "paused": "PAUSED", "archived": "PAUSED", "deleted": "REMOVED"}
_OF_CUSTOMER = {"active": "ENABLED", "paused": "SUSPENDED", "archived": "CANCELED", "deleted": "CLOSED"}
_APPROVED = {
    "approved": "APPROVED",
    "disapproved": "DISAPPROVED",
    "rejected": "DISAPPROVED",
    "limited": "APPROVED_LIMITED",
}
_PENDING = frozenset({"pending", "in_review", "pending_review"})
_CHANNELS = {"": "SEARCH", "pmax": "PERFORMANCE_MAX", "app": "MULTI_CHANNEL"}


@dataclass(frozen=True)
class Manager:
    """A manager account: it has clients and no delivery."""

    id: str
    name: str
    currency: str = "USD"
    zone: str = "America/New_York"


@dataclass(frozen=True)
class Client:
    """A customer as its manager sees it: `level` 0 is the manager itself."""

    customer: Account | Manager
    level: int


@dataclass(frozen=True)
class Node:
    """What one row is about, at an instant."""

    customer: Account | Manager
    now: datetime
    entity: Entity | None = None
    client: Client | None = None

    @property
    def account(self) -> Account:
        """The account; only asked for below one."""
        if isinstance(self.customer, Manager):
            raise TypeError(f"manager {self.customer.id} has no objects")
        return self.customer

    def of(self, level: Level) -> Entity:
        """The object itself or the one above it."""
        entity = self.entity
        if entity is None:
            raise TypeError(f"an account has no {level}")
        ids = {"campaign": entity.campaign_id, "ad_group": entity.adgroup_id, "ad": entity.id}
        return self.account.objects(level)[ids[level]]


Getter = Callable[[Node], Any]


def customer_name(customer: Account | Manager) -> str:
    """The name of entities.csv; without one the account is called by its id."""
    if isinstance(customer, Manager):
        return customer.name
    return customer.row.name if customer.row and customer.row.name else f"Account {customer.id}"


def customer_status(customer: Account | Manager, now: datetime) -> str:
    """ENABLED, SUSPENDED, CANCELED or CLOSED. Google archives nothing: such an account is cancelled."""
    return "ENABLED" if isinstance(customer, Manager) else _OF_CUSTOMER[own_status(customer.row, now)]


def _customer(prefix: str, of: Callable[[Node], Account | Manager]) -> dict[str, Getter]:
    """The fields that customer and customer_client share."""
    return {
        f"{prefix}.id": lambda node: int(of(node).id),
        f"{prefix}.descriptive_name": lambda node: customer_name(of(node)),
        f"{prefix}.currency_code": lambda node: of(node).currency,
        f"{prefix}.time_zone": lambda node: _zone(of(node)),
        f"{prefix}.manager": lambda node: isinstance(of(node), Manager),
        f"{prefix}.test_account": lambda _: False,
        f"{prefix}.status": lambda node: customer_status(of(node), node.now),
    }


def _zone(customer: Account | Manager) -> str:
    return customer.zone if isinstance(customer.zone, str) else customer.zone.key


def _client(node: Node) -> Client:
    if node.client is None:
        raise TypeError("only a manager's list has clients")
    return node.client


def _row(node: Node, level: Level) -> EntityRow | None:
    return node.of(level).row


def _named(level: Level) -> Getter:
    return lambda node: name_of(node.of(level), node.account.today(node.now))


def _status(level: Level) -> Getter:
    return lambda node: _STATUS[own_status(_row(node, level), node.now)]


def _channel(node: Node) -> str:
    row = _row(node, "campaign")
    kind = row.kind.lower() if row else ""
    return _CHANNELS.get(kind, kind.upper())


def micros(amount: Decimal) -> int:
    """An amount in millionths, which are the smallest that Google can say."""
    return int((amount * MICROS).to_integral_value(ROUND_HALF_EVEN))


def _budget(which: str) -> Getter:
    def get(node: Node) -> int | None:
        row = _row(node, "campaign")
        amount = getattr(row, which) if row else None
        return None if amount is None else micros(amount)

    return get


def _has_total(node: Node) -> bool:
    row = _row(node, "campaign")
    return row is not None and row.daily_budget is None and row.lifetime_budget is not None


def _texts(*names: str) -> Getter:
    def get(node: Node) -> list[str]:
        row = _row(node, "ad")
        return [text.text for text in (row.texts if row else ()) if text.field in names]

    return get


def _approval(node: Node) -> str | None:
    row = _row(node, "ad")
    return _APPROVED.get(row.review_status.lower()) if row else None


def _review(node: Node) -> str | None:
    row = _row(node, "ad")
    if row is None or not row.review_status:
        return None
    return "REVIEW_IN_PROGRESS" if row.review_status.lower() in _PENDING else "REVIEWED"


def _final_urls(node: Node) -> list[str]:
    row = _row(node, "ad")
    return [row.final_url] if row and row.final_url else []


def _resource(kind: str, level: Level) -> Getter:
    return lambda node: f"customers/{node.customer.id}/{kind}/{node.of(level).id}"


def _window(node: Node) -> int:
    rows = [campaign.row for campaign in node.account.campaigns.values()] + [node.account.row]
    return max((row.conversion_window_days or 0 for row in rows if row), default=0) or 30


ATTRIBUTES: dict[str, Getter] = {
    "customer.resource_name": lambda node: f"customers/{node.customer.id}",
    **_customer("customer", lambda node: node.customer),
    "customer_client.resource_name": lambda node: (
        f"customers/{node.customer.id}/customerClients/{_client(node).customer.id}"
    ),
    **_customer("customer_client", lambda node: _client(node).customer),
    "customer_client.client_customer": lambda node: f"customers/{_client(node).customer.id}",
    "customer_client.level": lambda node: _client(node).level,
    "customer_client.hidden": lambda _: False,
    "campaign.resource_name": _resource("campaigns", "campaign"),
    "campaign.id": lambda node: int(node.of("campaign").id),
    "campaign.name": _named("campaign"),
    "campaign.status": _status("campaign"),
    "campaign.advertising_channel_type": _channel,
    "campaign.campaign_budget": _resource("campaignBudgets", "campaign"),
    "campaign_budget.resource_name": _resource("campaignBudgets", "campaign"),
    "campaign_budget.id": lambda node: int(node.of("campaign").id),
    "campaign_budget.amount_micros": _budget("daily_budget"),
    "campaign_budget.total_amount_micros": _budget("lifetime_budget"),
    "campaign_budget.period": lambda node: "CUSTOM_PERIOD" if _has_total(node) else "DAILY",
    "campaign_budget.explicitly_shared": lambda _: False,
    "ad_group.resource_name": _resource("adGroups", "ad_group"),
    "ad_group.id": lambda node: int(node.of("ad_group").id),
    "ad_group.name": _named("ad_group"),
    "ad_group.status": _status("ad_group"),
    "ad_group.campaign": _resource("campaigns", "campaign"),
    "ad_group_ad.resource_name": lambda node: (
        f"customers/{node.customer.id}/adGroupAds/{node.of('ad').adgroup_id}~{node.of('ad').id}"
    ),
    "ad_group_ad.ad.resource_name": _resource("ads", "ad"),
    "ad_group_ad.ad.id": lambda node: int(node.of("ad").id),
    "ad_group_ad.ad.name": _named("ad"),
    "ad_group_ad.ad.type": lambda _: "RESPONSIVE_SEARCH_AD",
    "ad_group_ad.ad.final_urls": _final_urls,
    "ad_group_ad.ad.responsive_search_ad.headlines": _texts("headline", "headlines", "title"),
    "ad_group_ad.ad.responsive_search_ad.descriptions": _texts("description", "descriptions", "body"),
    "ad_group_ad.status": _status("ad"),
    "ad_group_ad.ad_group": _resource("adGroups", "ad_group"),
    "ad_group_ad.policy_summary.approval_status": _approval,
    "ad_group_ad.policy_summary.review_status": _review,
    "conversion_action.resource_name": lambda node: (
        f"customers/{node.customer.id}/conversionActions/{CONVERSION_ACTION}"
    ),
    "conversion_action.id": lambda _: CONVERSION_ACTION,
    "conversion_action.name": lambda _: "Purchase",
    "conversion_action.status": lambda _: "ENABLED",
    "conversion_action.primary_for_goal": lambda _: True,
    "conversion_action.click_through_lookback_window_days": _window,
    "conversion_action.view_through_lookback_window_days": lambda _: 1,
}  # fmt: skip


METRICS: dict[str, Callable[[Numbers], Any]] = {
    "metrics.impressions": lambda numbers: numbers.impressions,
    "metrics.clicks": lambda numbers: numbers.clicks,
    "metrics.cost_micros": lambda numbers: None if numbers.spend is None else micros(numbers.spend),
    # Google's are doubles: the nearest one has every digit of an amount of up to fifteen.
    "metrics.conversions": lambda numbers: None if numbers.conversions is None else float(numbers.conversions),
    "metrics.conversions_value": lambda numbers: (
        None if numbers.conversion_value is None else float(numbers.conversion_value)
    ),
    "metrics.video_trueview_views": lambda numbers: numbers.video_views,
}
