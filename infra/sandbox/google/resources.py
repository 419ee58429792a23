"""Which resources can be asked for, which fields go with each, and what the facts folder says in them.

A field that Google has and a facts folder says nothing about is accepted and stays unset in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from infra.sandbox.facts.model import Account, Level, Numbers
from infra.sandbox.facts.status import own_status
from infra.sandbox.google.creatives import CREATIVES
from infra.sandbox.google.nodes import Action, Client, Getter, Manager, Node, named, resource, status

MICROS = 1_000_000
# What each resource may be asked together with; metrics and segments come on top where there are any.
TOGETHER: dict[str, frozenset[str]] = {
    "customer": frozenset({"customer"}),
    "customer_client": frozenset({"customer_client", "customer"}),
    "campaign": frozenset({"campaign", "campaign_budget", "bidding_strategy", "customer"}),
    "ad_group": frozenset({"ad_group", "campaign", "campaign_budget", "bidding_strategy", "customer"}),
    "ad_group_ad": frozenset({"ad_group_ad", "ad_group", "campaign", "campaign_budget", "customer"}),
    "conversion_action": frozenset({"conversion_action", "customer"}),
    "label": frozenset({"label", "customer"}),
    "asset": frozenset({"asset", "customer"}),
    "asset_group": frozenset({"asset_group", "campaign", "customer"}),
    "asset_group_asset": frozenset({"asset_group_asset", "asset_group", "asset", "campaign", "customer"}),
}
# Those that have numbers, and whose they are in the folder.
LEVELS: dict[str, Level] = {
    "customer": "account",
    "campaign": "campaign",
    "ad_group": "ad_group",
    "asset_group": "ad_group",
    "ad_group_ad": "ad",
}
# Of the many segments, those that the folder knows.
SEGMENTS = frozenset({"segments.date", "segments.hour"})
# Google's own default, and the longest that it allows.
_USUAL_WINDOW, _LONGEST_WINDOW = 30, 90
_OF_CUSTOMER = {"active": "ENABLED", "paused": "SUSPENDED", "archived": "CANCELED", "deleted": "CLOSED"}
_CHANNELS = {"": "SEARCH", "pmax": "PERFORMANCE_MAX", "app": "MULTI_CHANNEL"}


def customer_status(customer: Account | Manager, now: datetime) -> str:
    """ENABLED, SUSPENDED, CANCELED or CLOSED. Google archives nothing: such an account is cancelled."""
    return "ENABLED" if isinstance(customer, Manager) else _OF_CUSTOMER[own_status(customer.row, now)]


def _customer(prefix: str, of: Callable[[Node], Account | Manager]) -> dict[str, Getter]:
    """The fields that customer and customer_client share."""
    return {
        f"{prefix}.id": lambda node: int(of(node).id),
        f"{prefix}.descriptive_name": lambda node: of(node).name,
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


def _channel(node: Node) -> str:
    row = node.row("campaign")
    kind = row.kind.lower() if row else ""
    return _CHANNELS.get(kind, kind.upper())


def micros(amount: Decimal) -> int:
    """An amount in millionths, which are the smallest that Google can say."""
    return int((amount * MICROS).to_integral_value(ROUND_HALF_EVEN))


def _budget(which: str) -> Getter:
    def get(node: Node) -> int | None:
        row = node.row("campaign")
        amount = getattr(row, which) if row else None
        return None if amount is None else micros(amount)

    return get


def _has_total(node: Node) -> bool:
    row = node.row("campaign")
    return row is not None and row.daily_budget is None and row.lifetime_budget is not None


def actions_of(account: Account) -> list[Action]:
    """The conversion actions: one for each window that the folder speaks of, and one that is no more."""
    rows = [account.row, *(campaign.row for campaign in account.campaigns.values())]
    windows = sorted({row.conversion_window_days for row in rows if row and row.conversion_window_days})
    enabled = [
        Action(number, f"Purchase within {days} days", "ENABLED", days)
        for number, days in enumerate(windows or [_USUAL_WINDOW], start=1)
    ]
    return [*enabled, Action(len(enabled) + 1, "Old purchase", "REMOVED", _LONGEST_WINDOW)]


def _action(node: Node) -> Action:
    if not isinstance(node.part, Action):
        raise TypeError("no conversion action is here")
    return node.part


def _group_type(node: Node) -> str | None:
    row = node.row("ad_group")
    return row.kind.upper() if row and row.kind else None


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
    "campaign.resource_name": resource("campaigns", "campaign"),
    "campaign.id": lambda node: int(node.of("campaign").id),
    "campaign.name": named("campaign"),
    "campaign.status": status("campaign"),
    "campaign.advertising_channel_type": _channel,
    "campaign.campaign_budget": resource("campaignBudgets", "campaign"),
    "campaign_budget.resource_name": resource("campaignBudgets", "campaign"),
    "campaign_budget.id": lambda node: int(node.of("campaign").id),
    "campaign_budget.amount_micros": _budget("daily_budget"),
    "campaign_budget.total_amount_micros": _budget("lifetime_budget"),
    "campaign_budget.period": lambda node: "CUSTOM_PERIOD" if _has_total(node) else "DAILY",
    "campaign_budget.explicitly_shared": lambda _: False,
    "ad_group.resource_name": resource("adGroups", "ad_group"),
    "ad_group.id": lambda node: int(node.of("ad_group").id),
    "ad_group.name": named("ad_group"),
    "ad_group.status": status("ad_group"),
    "ad_group.type": _group_type,
    "ad_group.campaign": resource("campaigns", "campaign"),
    "ad_group_ad.resource_name": lambda node: (
        f"customers/{node.customer.id}/adGroupAds/{node.of('ad').adgroup_id}~{node.of('ad').id}"
    ),
    "ad_group_ad.ad.resource_name": resource("ads", "ad"),
    "ad_group_ad.ad.id": lambda node: int(node.of("ad").id),
    "ad_group_ad.ad.name": named("ad"),
    "ad_group_ad.status": status("ad"),
    "ad_group_ad.ad_group": resource("adGroups", "ad_group"),
    "asset_group.resource_name": resource("assetGroups", "ad_group"),
    "asset_group.id": lambda node: int(node.of("ad_group").id),
    "asset_group.name": named("ad_group"),
    "asset_group.status": status("ad_group"),
    "asset_group.campaign": resource("campaigns", "campaign"),
    **CREATIVES,
    "conversion_action.resource_name": lambda node: (
        f"customers/{node.customer.id}/conversionActions/{_action(node).id}"
    ),
    "conversion_action.id": lambda node: _action(node).id,
    "conversion_action.name": lambda node: _action(node).name,
    "conversion_action.status": lambda node: _action(node).status,
    "conversion_action.primary_for_goal": lambda _: True,
    "conversion_action.click_through_lookback_window_days": lambda node: _action(node).window_days,
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
    # Every action of the folder's is one that counts.
    "metrics.all_conversions": lambda numbers: None if numbers.conversions is None else float(numbers.conversions),
    "metrics.all_conversions_value": lambda numbers: (
        None if numbers.conversion_value is None else float(numbers.conversion_value)
    ),
    "metrics.video_trueview_views": lambda numbers: numbers.video_views,
}
