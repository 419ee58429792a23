"""The `filtering` parameter: which objects and rows a request is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from infra.sandbox.facts.model import Account, Entity, Level
from infra.sandbox.facts.names import name_of
from infra.sandbox.meta import objects
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import parameter

META_LEVELS: dict[str, Level] = {"account": "account", "campaign": "campaign", "adset": "ad_group", "ad": "ad"}
METRICS = frozenset({"impressions", "clicks", "spend", "reach"})


class _Condition(msgspec.Struct):
    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Filter:
    """One condition; `level` is empty for a condition on a row's own number."""

    level: Level | None
    attribute: str
    operator: str
    value: Any

    def accepts(self, actual: Any) -> bool:
        """Whether a value fulfils it."""
        return _OPERATORS[self.operator](actual, self.value)

    def accepts_entity(self, account: Account, entity: Entity, now: datetime) -> bool:
        """Whether an object fulfils it."""
        return self.accepts(_ATTRIBUTES[self.attribute](objects.Node(account, entity, now)))


def _number(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise parameter("param filtering: a number is needed for this operator") from None


def _among(actual: Any, value: Any) -> bool:
    return str(actual) in {str(one) for one in (value if isinstance(value, list) else [value])}


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": _among,
    "NOT_EQUAL": lambda actual, value: not _among(actual, value),
    "IN": _among,
    "NOT_IN": lambda actual, value: not _among(actual, value),
    "ANY": _among,
    "GREATER_THAN": lambda actual, value: _number(actual) > _number(value),
    "GREATER_THAN_OR_EQUAL": lambda actual, value: _number(actual) >= _number(value),
    "LESS_THAN": lambda actual, value: _number(actual) < _number(value),
    "LESS_THAN_OR_EQUAL": lambda actual, value: _number(actual) <= _number(value),
    "CONTAIN": lambda actual, value: str(value).lower() in str(actual).lower(),
    "NOT_CONTAIN": lambda actual, value: str(value).lower() not in str(actual).lower(),
}
_ATTRIBUTES: dict[str, Callable[[objects.Node], Any]] = {
    "id": lambda node: node.entity.id,
    "name": lambda node: name_of(node.entity, node.account.today(node.now)),
    "effective_status": lambda node: objects.effective_status(node.account, node.entity, node.now),
    "objective": lambda node: node.row.objective if node.row else "",
    "created_time": lambda node: _epoch(objects.created(node)),
    "updated_time": lambda node: _epoch(objects.updated(node)),
}


def _epoch(instant: datetime | None) -> int:
    return int(instant.timestamp()) if instant else 0


def read(call: Call, own: Level) -> list[Filter]:
    """The conditions of a call; an attribute without an object's name is one of the level `own`."""
    conditions: list[_Condition] = call.json("filtering", list[_Condition]) or []
    return [_filter(condition, own) for condition in conditions]


def _filter(condition: _Condition, own: Level) -> Filter:
    if condition.operator not in _OPERATORS:
        raise parameter(f"param filtering: operator must be one of {', '.join(_OPERATORS)}")
    if condition.field in METRICS:
        return Filter(None, condition.field, condition.operator, condition.value)
    prefix, _, attribute = condition.field.rpartition(".")
    level = META_LEVELS.get(prefix) if prefix else own
    if level in (None, "account") or attribute not in _ATTRIBUTES:
        raise parameter(
            f"Filtering field '{condition.field}' with operation '{condition.operator.lower()}' is not supported"
        )
    return Filter(level, attribute, condition.operator, condition.value)


def asks_status(filters: list[Filter], level: Level) -> bool:
    """Whether the states of a level are chosen, so that archived and deleted objects are not left out by default."""
    return any(one.level == level and one.attribute == "effective_status" for one in filters)
