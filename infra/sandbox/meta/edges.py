"""Lists: the accounts of the person, the campaigns, ad sets and ads of an account or object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.sandbox.facts.model import Account, Entity, Level
from infra.sandbox.facts.status import exists
from infra.sandbox.meta import filtering, objects, paging
from infra.sandbox.meta.call import Call, parse_fields
from infra.sandbox.meta.errors import parameter

EDGES: dict[str, Level] = {"campaigns": "campaign", "adsets": "ad_group", "ads": "ad"}


@dataclass(frozen=True)
class _Listed:
    """An account in a list."""

    account: Account

    @property
    def key(self) -> str:
        return self.account.id


def accounts(call: Call, owned: list[Account]) -> dict[str, Any]:
    """`me/adaccounts`."""
    tree = parse_fields(call)
    start = paging.decode(call.params.get("after", ""))
    page = paging.page_of(call, (_Listed(account) for account in owned if account.id > start.key), start)
    rows = [objects.render_account(listed.account, tree, call.now) for listed in page.rows]
    return _answer(call, rows, page, len(owned))


def listed(call: Call, account: Account, level: Level, scope: Entity | None) -> dict[str, Any]:
    """The objects of one level, archived and deleted ones only when their state is asked for."""
    tree = parse_fields(call)
    start = paging.decode(call.params.get("after", ""))
    found = _found(call, account, level, scope)
    page = paging.page_of(call, (node for node in found if node.key > start.key), start)
    return _answer(call, [objects.render(node, tree) for node in page.rows], page, len(found))


def _found(call: Call, account: Account, level: Level, scope: Entity | None) -> list[objects.Node]:
    filters = filtering.read(call, level)
    states = call.words("effective_status")
    asked = bool(states) or filtering.asks_status(filters, level)

    def kept() -> Iterator[objects.Node]:
        for entity in sorted(account.objects(level).values(), key=lambda entity: entity.id):
            if not exists(account, entity, call.now) or (scope is not None and not is_below(entity, scope)):
                continue
            state = objects.effective_status(account, entity, call.now)
            if (states and state not in states) or (not asked and objects.is_gone(state)):
                continue
            if all(_accepts(one, account, entity, call) for one in filters):
                yield objects.Node(account, entity, call.now)

    return list(kept())


def _accepts(one: filtering.Filter, account: Account, entity: Entity, call: Call) -> bool:
    if one.level is None:
        raise parameter(f"Filtering field '{one.attribute}' is not supported on this edge")
    if one.level == entity.level:
        return one.accepts_entity(account, entity, call.now)
    if one.level == "campaign":
        return one.accepts_entity(account, account.campaigns[entity.campaign_id], call.now)
    if one.level == "ad_group" and entity.level == "ad":
        return one.accepts_entity(account, account.adgroups[entity.adgroup_id], call.now)
    raise parameter(f"Filtering by objects below a {entity.level} is not supported on this edge")


def is_below(entity: Entity, scope: Entity) -> bool:
    """Whether an object is the scope or belongs to it."""
    if scope.level == "campaign":
        return entity.campaign_id == scope.id
    if scope.level == "ad_group":
        return entity.adgroup_id == scope.id
    return entity.id == scope.id and entity.level == "ad"


def _answer(call: Call, rows: list[dict[str, Any]], page: paging.Page, total: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"data": rows}
    if page.paging is not None:
        answer["paging"] = page.paging
    if call.params.get("summary") in ("true", "total_count", '["total_count"]', "1"):
        answer["summary"] = {"total_count": total}
    return answer
