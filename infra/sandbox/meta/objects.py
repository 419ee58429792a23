"""Accounts, campaigns, ad sets and ads as Graph nodes: their fields and states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from infra.sandbox.facts.currencies import meta_minor_units
from infra.sandbox.facts.model import Account, Entity, EntityRow
from infra.sandbox.facts.names import name_of
from infra.sandbox.facts.status import GONE, own_status
from infra.sandbox.meta import creatives, errors
from infra.sandbox.meta.call import FieldTree

_ACCOUNT_ACTIVE, _ACCOUNT_CLOSED = 1, 101
_ISSUES = "WITH_ISSUES"
_REVIEWS = {
    "disapproved": "DISAPPROVED",
    "rejected": "DISAPPROVED",
    "pending": "PENDING_REVIEW",
    "in_review": "PENDING_REVIEW",
    "pending_review": "PENDING_REVIEW",
    "limited": _ISSUES,
    "with_issues": _ISSUES,
}
_BEFORE_A_PAUSE = frozenset({"PENDING_REVIEW", _ISSUES})


@dataclass(frozen=True)
class Node:
    """An object of an account at an instant."""

    account: Account
    entity: Entity
    now: datetime

    @property
    def key(self) -> str:
        """Place in a list."""
        return self.entity.id

    @property
    def row(self) -> EntityRow | None:
        """What entities.csv says of it."""
        return self.entity.row

    def parent(self, level: str) -> Entity:
        """The campaign or ad set it belongs to."""
        if level == "campaign":
            return self.account.campaigns[self.entity.campaign_id]
        return self.account.adgroups[self.entity.adgroup_id]


def effective_status(account: Account, entity: Entity, now: datetime) -> str:
    """The state with that of its parents in it: ACTIVE, PAUSED, CAMPAIGN_PAUSED, ADSET_PAUSED, ARCHIVED, DELETED."""
    own = own_status(entity.row, now)
    above = []
    if entity.level != "campaign":
        above.append(("CAMPAIGN_PAUSED", own_status(account.campaigns[entity.campaign_id].row, now)))
    if entity.level == "ad":
        above.append(("ADSET_PAUSED", own_status(account.adgroups[entity.adgroup_id].row, now)))
    states = [own, *(state for _, state in above)]
    for gone in ("deleted", "archived"):
        if gone in states:
            return gone.upper()
    review = _REVIEWS.get(entity.row.review_status.lower(), "ACTIVE") if entity.row else "ACTIVE"
    if own == "paused":
        # An ad that enters the review paused leaves it so; until then, and with issues, the pause is not what is said.
        return review if review in _BEFORE_A_PAUSE else "PAUSED"
    for word, state in above:
        if state == "paused":
            return word
    return review


def is_gone(status: str) -> bool:
    """Whether an effective status is one that lists leave out unless asked."""
    return status.lower() in GONE


def _time(node: Node, instant: datetime | None) -> str | None:
    """An instant as Meta writes it: local, offset without a colon."""
    if instant is None:
        return None
    return instant.astimezone(node.account.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def created(node: Node) -> datetime | None:
    """When it was made; where nobody says, the start of its first day."""
    if node.row is not None and node.row.created_at is not None:
        return node.row.created_at
    first = node.entity.first_day
    return datetime.combine(first, time(), node.account.zone) if first else None


def updated(node: Node) -> datetime | None:
    """When it was last changed; a deletion is a change."""
    if node.row is None:
        return created(node)
    known = [at for at in (node.row.updated_at, node.row.deleted_at) if at is not None and at <= node.now]
    return max(known, default=None) or created(node)


def _budget(node: Node, which: str) -> str | None:
    amount = getattr(node.row, which) if node.row else None
    return meta_minor_units(amount, node.account.currency) if amount is not None else None


def _own(node: Node) -> str:
    return own_status(node.row, node.now).upper()


def _issues(node: Node) -> list[dict[str, Any]] | None:
    """What keeps it from running, of objects that Meta has an issue with rather than a verdict on."""
    row = node.row
    if row is None or not row.review_reason or _REVIEWS.get(row.review_status.lower()) != _ISSUES:
        return None
    level = _NODE_TYPES[node.entity.level].upper()
    return [{"level": level, "error_code": 1815869, "error_summary": "Limited", "error_message": row.review_reason}]


def _feedback(node: Node) -> dict[str, Any] | None:
    row = node.row
    if row is None or not row.review_reason or _REVIEWS.get(row.review_status.lower()) == _ISSUES:
        return None
    return {"global": {row.review_status.upper() or "REVIEW": row.review_reason}}


def _attribution(node: Node) -> list[dict[str, Any]] | None:
    days = node.row.conversion_window_days if node.row else None
    if days is None:
        return None
    return [
        {"event_type": "CLICK_THROUGH", "window_days": days},
        {"event_type": "VIEW_THROUGH", "window_days": 1},
    ]


Field = Callable[[Node], Any]
_COMMON: dict[str, Field] = {
    "id": lambda node: node.entity.id,
    "account_id": lambda node: node.account.id,
    "name": lambda node: name_of(node.entity, node.account.today(node.now)) or None,
    "status": _own,
    "configured_status": _own,
    "effective_status": lambda node: effective_status(node.account, node.entity, node.now),
    "created_time": lambda node: _time(node, created(node)),
    "updated_time": lambda node: _time(node, updated(node)),
    "adlabels": lambda node: creatives.labels(node.row),
    "issues_info": _issues,
}
_BUDGETS: dict[str, Field] = {
    "daily_budget": lambda node: _budget(node, "daily_budget"),
    "lifetime_budget": lambda node: _budget(node, "lifetime_budget"),
    "start_time": lambda node: _time(node, created(node)),
}
_PARENTS: dict[str, Field] = {"campaign_id": lambda node: node.entity.campaign_id}
_FIELDS: dict[str, dict[str, Field]] = {
    "campaign": {
        **_COMMON,
        **_BUDGETS,
        "objective": lambda node: (node.row.objective or None) if node.row else None,
        "buying_type": lambda _: "AUCTION",
        "special_ad_categories": lambda _: [],
    },
    "ad_group": {**_COMMON, **_BUDGETS, **_PARENTS, "attribution_spec": _attribution},
    "ad": {
        **_COMMON,
        **_PARENTS,
        "adset_id": lambda node: node.entity.adgroup_id,
        "creative": lambda node: creatives.creative(node.row, node.entity.id),
        "ad_review_feedback": _feedback,
    },
}
# Fields of Meta's that a facts folder says nothing about: accepted, and absent in the answer.
_SILENT_WORDS = """
    bid_amount bid_strategy billing_event budget_remaining conversion_domain destination_type
    end_time learning_stage_info optimization_goal preview_shareable_link promoted_object
    source_campaign_id special_ad_category spend_cap stop_time targeting tracking_specs
"""
_SILENT = frozenset(_SILENT_WORDS.split())
_NODE_TYPES = {"campaign": "Campaign", "ad_group": "AdSet", "ad": "Ad"}


def render(node: Node, tree: FieldTree) -> dict[str, Any]:
    """The node with the fields asked for, `id` always; a field without a value is left out."""
    known = _FIELDS[node.entity.level]
    found: dict[str, Any] = {}
    for name, below in tree.fields.items():
        if name in ("campaign", "adset") and f"{name}_id" in known:
            parent = Node(node.account, node.parent(name), node.now)
            value: Any = render(parent, below)
        elif name in known:
            value = known[name](node)
            if name == "creative":
                value = {key: value[key] for key in ("id", *below.fields) if key in value}
        elif name in _SILENT:
            continue
        else:
            raise errors.unknown_field(name, _NODE_TYPES[node.entity.level])
        if value is not None:
            found[name] = value
    found["id"] = node.entity.id
    return found


def _offset_hours(account: Account, now: datetime) -> int | float:
    seconds = (now.astimezone(account.zone).utcoffset() or datetime.resolution).total_seconds()
    return int(seconds // 3600) if seconds % 3600 == 0 else seconds / 3600


def _birth(account: Account) -> str:
    return account.born.astimezone(account.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


AccountField = Callable[[Account, datetime], Any]
_ACCOUNT_FIELDS: dict[str, AccountField] = {
    "id": lambda account, _: f"act_{account.id}",
    "account_id": lambda account, _: account.id,
    "name": lambda account, _: account.name,
    "currency": lambda account, _: account.currency,
    "timezone_name": lambda account, _: account.zone.key,
    "timezone_offset_hours_utc": _offset_hours,
    "account_status": lambda account, now: _ACCOUNT_CLOSED if own_status(account.row, now) in GONE else _ACCOUNT_ACTIVE,
    "created_time": lambda account, _: _birth(account),
    "disable_reason": lambda _account, _now: 0,
}
_ACCOUNT_SILENT_WORDS = """
    age amount_spent balance business business_name capabilities end_advertiser funding_source is_personal
    min_daily_budget owner spend_cap tax_id timezone_id user_tasks
"""
_ACCOUNT_SILENT = frozenset(_ACCOUNT_SILENT_WORDS.split())


def render_account(account: Account, tree: FieldTree, now: datetime) -> dict[str, Any]:
    """The account node; `id` and, without fields, `account_id`."""
    found: dict[str, Any] = {}
    for name in tree.fields or ("account_id",):
        if name in _ACCOUNT_FIELDS:
            found[name] = _ACCOUNT_FIELDS[name](account, now)
        elif name not in _ACCOUNT_SILENT:
            raise errors.unknown_field(name, "AdAccount")
    found["id"] = f"act_{account.id}"
    return found
