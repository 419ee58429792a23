"""Campaigns, ad groups and ads as TikTok writes them: their fields and states. Instants are UTC without an offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from infra.sandbox.facts.model import Account, Entity, EntityRow, Level
from infra.sandbox.facts.names import name_of
from infra.sandbox.facts.status import own_status
from infra.sandbox.tiktok import media

LEVEL_WORDS: dict[Level, str] = {"campaign": "CAMPAIGN", "ad_group": "ADGROUP", "ad": "AD"}
_REVIEWS = {
    "disapproved": "AUDIT_DENY",
    "rejected": "AUDIT_DENY",
    "pending": "AUDIT",
    "in_review": "AUDIT",
    "pending_review": "AUDIT",
}
_AUTOMATION = {"smart_plus": "SMART_PLUS", "smart+": "SMART_PLUS", "upgraded_smart_plus": "UPGRADED_SMART_PLUS"}
_TOP_VIEW = frozenset({"top_view", "topview", "reservation_top_view"})
_REACH_AND_FREQUENCY = frozenset({"reach_frequency", "rf", "reservation_rf"})


@dataclass(frozen=True)
class Node:
    """An object of an account at an instant."""

    account: Account
    entity: Entity
    now: datetime

    @property
    def row(self) -> EntityRow | None:
        """What entities.csv says of it."""
        return self.entity.row

    @property
    def campaign(self) -> Entity:
        """The campaign it is or belongs to."""
        return self.account.campaigns[self.entity.campaign_id]


Field = Callable[[Node], Any]


def secondary_status(node: Node) -> str:
    """The state with that of its parents in it, such as AD_STATUS_CAMPAIGN_DELETE."""
    level = node.entity.level
    states: list[tuple[str, str]] = [("", own_status(node.row, node.now))]
    if level == "ad":
        states.append(("ADGROUP_", own_status(node.account.adgroups[node.entity.adgroup_id].row, node.now)))
    if level != "campaign":
        states.append(("CAMPAIGN_", own_status(node.campaign.row, node.now)))
    head = f"{LEVEL_WORDS[level]}_STATUS_"
    for prefix, state in states:
        if state == "deleted":
            return f"{head}{prefix}DELETE"
    for prefix, state in states:
        if state != "active":
            return f"{head}{prefix}DISABLE"
    if level == "campaign":
        return f"{head}ENABLE"
    return f"{head}{_REVIEWS.get(node.row.review_status if node.row else '', 'DELIVERY_OK')}"


def is_deleted(node: Node) -> bool:
    """Whether lists and reports leave it out unless asked: it or what it belongs to was deleted."""
    return secondary_status(node).endswith("_DELETE")


def buying_type(node: Node) -> str:
    """AUCTION, RESERVATION_RF or RESERVATION_TOP_VIEW."""
    kind = node.campaign.row.kind.lower() if node.campaign.row else ""
    if kind in _TOP_VIEW:
        return "RESERVATION_TOP_VIEW"
    return "RESERVATION_RF" if kind in _REACH_AND_FREQUENCY else "AUCTION"


def created(node: Node) -> datetime:
    """When it was made; where nobody says, the start of its first day."""
    if node.row is not None and node.row.created_at is not None:
        return node.row.created_at
    first = node.entity.first_day or node.account.dates[0]
    return datetime.combine(first, time(), node.account.zone)


def modified(node: Node) -> datetime | None:
    """When it was last changed. TikTok does not say for Smart+ ads."""
    if node.entity.level == "ad" and automation(node) != "MANUAL":
        return None
    known = [at for at in (node.row.updated_at, node.row.deleted_at) if at] if node.row else []
    return max((at for at in known if at <= node.now), default=created(node))


def written(instant: datetime | None) -> str | None:
    """`2026-03-01 09:00:00`, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if instant else None


def automation(node: Node) -> str:
    """MANUAL, or which Smart+ the campaign is of."""
    kind = node.campaign.row.kind.lower() if node.campaign.row else ""
    return _AUTOMATION.get(kind, "MANUAL")


def is_upgraded(node: Node) -> bool:
    """Whether it is of Upgraded Smart+, which tells of texts and media of its ads below `smart_plus/` only."""
    return automation(node) == "UPGRADED_SMART_PLUS"


def _seen(name: str) -> Field:
    """A field of what people see of an ad."""
    of = media.FIELDS[name]
    return lambda node: None if is_upgraded(node) else of(node.row)


def _budget_mode(node: Node) -> str:
    if node.row is not None and node.row.daily_budget is not None:
        return "BUDGET_MODE_DAY"
    if node.row is not None and node.row.lifetime_budget is not None:
        return "BUDGET_MODE_TOTAL"
    return "BUDGET_MODE_INFINITE"


def _budget(node: Node) -> Decimal:
    row = node.row
    amount = (row.daily_budget if row.daily_budget is not None else row.lifetime_budget) if row else None
    return Decimal(0) if amount is None else amount


def _common(level: Level) -> dict[str, Field]:
    word = LEVEL_WORDS[level].lower()
    return {
        "advertiser_id": lambda node: node.account.id,
        f"{word}_id": lambda node: node.entity.id,
        f"{word}_name": lambda node: name_of(node.entity, node.account.today(node.now)),
        "operation_status": lambda node: "ENABLE" if own_status(node.row, node.now) == "active" else "DISABLE",
        "secondary_status": secondary_status,
        "create_time": lambda node: written(created(node)),
        "modify_time": lambda node: written(modified(node)),
        "is_new_structure": lambda _: True,
    }


_WITH_BUDGET: dict[str, Field] = {"budget": _budget, "budget_mode": _budget_mode}
_BELOW_CAMPAIGN: dict[str, Field] = {
    "campaign_id": lambda node: node.campaign.id,
    "campaign_name": lambda node: name_of(node.campaign, node.account.today(node.now)),
}
FIELDS: dict[Level, dict[str, Field]] = {
    "campaign": {
        **_common("campaign"),
        **_WITH_BUDGET,
        "objective_type": lambda node: (node.row.objective or None) if node.row else None,
        "campaign_automation_type": automation,
        "campaign_type": lambda _: "REGULAR_CAMPAIGN",
        "budget_optimize_on": lambda node: _budget_mode(node) != "BUDGET_MODE_INFINITE",
    },
    "ad_group": {
        **_common("ad_group"),
        **_BELOW_CAMPAIGN,
        **_WITH_BUDGET,
        "click_attribution_window": lambda node: _window(node.row),
        # TikTok's default; the folder knows of clicks only.
        "view_attribution_window": lambda _: "ONE_DAY",
    },
    "ad": {
        **_common("ad"),
        **_BELOW_CAMPAIGN,
        "adgroup_id": lambda node: node.entity.adgroup_id,
        "adgroup_name": lambda node: name_of(
            node.account.adgroups[node.entity.adgroup_id], node.account.today(node.now)
        ),
        **{name: _seen(name) for name in media.FIELDS},
    },
}
_WINDOWS = {0: "OFF", 1: "ONE_DAY", 7: "SEVEN_DAYS", 14: "FOURTEEN_DAYS", 28: "TWENTY_EIGHT_DAYS"}


def _window(row: EntityRow | None) -> str | None:
    days = row.conversion_window_days if row else None
    return "SEVEN_DAYS" if days is None else _WINDOWS.get(days, "SEVEN_DAYS")


def render(node: Node, asked: list[str], *, with_nulls: bool) -> dict[str, Any]:
    """The object with its ids and the fields asked for; fields that a facts folder says nothing about are null."""
    known = FIELDS[node.entity.level]
    found = {name: known[name](node) if name in known else None for name in asked}
    return found if with_nulls else {name: value for name, value in found.items() if value is not None}
