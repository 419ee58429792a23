"""The rows of an answer: objects, their numbers in all, by day and by hour."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from infra.sandbox.facts import serving
from infra.sandbox.facts.model import Account, Level, Numbers
from infra.sandbox.facts.status import exists
from infra.sandbox.google import creatives, resources
from infra.sandbox.google.gaql import Condition
from infra.sandbox.google.messages import Row
from infra.sandbox.google.nodes import Action, Asset, Label, Node
from infra.sandbox.google.plan import Field, Plan, find
from infra.sandbox.google.resources import ATTRIBUTES, METRICS

_LAST_HOUR = 23
# Resources of which each row is a part of the account.
_PARTS: dict[str, Callable[[Account], Sequence[Label | Asset | Action]]] = {
    "label": creatives.labels_of,
    "asset": creatives.images_of,
    "conversion_action": resources.actions_of,
}
_NOTHING = Numbers(0, 0, Decimal(0), Decimal(0), Decimal(0), 0)


class Group(NamedTuple):
    """One row to be."""

    node: Node
    day: date | None
    hour: int | None
    numbers: Numbers | None


def rows(plan: Plan, nodes: list[Node], now: datetime) -> Iterator[Any]:
    """Every row, in the order that the query wants, as GoogleAdsRow."""
    found = _groups(plan, nodes, now)
    conditions = [condition for condition in plan.conditions if not condition.field.startswith("segments.")]
    hours = [condition for condition in plan.conditions if condition.field == "segments.hour"]
    fits = _remembered(lambda node: all(_holds(c, _attribute(c.field, node)) for c in conditions if _is_attribute(c)))
    of_numbers = [condition for condition in conditions if not _is_attribute(condition)]
    found = (
        group
        for group in found
        if fits(group.node)
        and all(_holds(c, _metric(c.field, group.numbers)) for c in of_numbers)
        and all(_holds(c, group.hour) for c in hours)
    )
    if plan.query.order:
        found = iter(_ordered(plan, list(found)))
    writer = _Writer(plan)
    for number, group in enumerate(found):
        if number == plan.query.limit:
            return
        yield writer.write(group)


def _is_attribute(condition: Condition) -> bool:
    return not condition.field.startswith("metrics.")


def nodes_of(account: Account, resource: str, now: datetime) -> list[Node]:
    """Every object of a resource, removed ones too: only the query leaves these out."""
    if resource in _PARTS:
        return [Node(account, now, part=part) for part in _PARTS[resource](account)]
    level = "ad_group" if resource == "asset_group_asset" else resources.LEVELS.get(resource, "account")
    if level == "account":
        return [Node(account, now)]
    nodes = [Node(account, now, entity) for entity in account.objects(level).values() if exists(account, entity, now)]
    if level == "ad_group":
        is_max = resource != "ad_group"
        nodes = [node for node in nodes if creatives.is_max(node.row("campaign")) == is_max]
    if resource == "asset_group_asset":
        return [replace(node, part=part) for node in nodes for part in creatives.assets_of(node.row("ad_group"))]
    return nodes


def _groups(plan: Plan, nodes: list[Node], now: datetime) -> Iterator[Group]:
    fields = plan.query.fields
    if not plan.wants_metrics and not plan.query.has("segments"):
        return (Group(node, None, None, None) for node in nodes)
    level = resources.LEVELS[plan.query.resource]
    account = nodes[0].account if nodes else None
    if account is None:
        return iter(())
    by_id = {node.entity.id if node.entity else "": node for node in nodes}
    if "segments.hour" in fields:
        return _hourly(plan, account, level, by_id, now)
    if "segments.date" in fields:
        return _daily(plan, account, level, by_id, now)
    return _in_all(plan, account, level, by_id, now)


def _days(plan: Plan, account: Account, now: datetime) -> Iterator[Any]:
    today = account.today(now)
    return serving.days_between(account, plan.since or date.min, min(plan.until or today, today))


def _daily(plan: Plan, account: Account, level: Level, nodes: dict[str, Node], now: datetime) -> Iterator[Group]:
    """A row of zeros is left out as soon as it is cut by day."""
    for day in _days(plan, account, now):
        for entity_id, numbers in serving.grouped(day, level, now).items():
            if entity_id in nodes:
                yield Group(nodes[entity_id], day.date, None, numbers)


def _in_all(plan: Plan, account: Account, level: Level, nodes: dict[str, Node], now: datetime) -> Iterator[Group]:
    """One row for each object, with zeros where nothing was delivered."""
    sums: dict[str, Numbers] = {}
    for day in _days(plan, account, now):
        for entity_id, numbers in serving.grouped(day, level, now).items():
            known = sums.get(entity_id)
            sums[entity_id] = numbers if known is None else serving.add(known, numbers)
    for entity_id, node in nodes.items():
        yield Group(node, None, None, sums.get(entity_id, _NOTHING))


def _hourly(plan: Plan, account: Account, level: Level, nodes: dict[str, Node], now: datetime) -> Iterator[Group]:
    """The folder has hours of campaigns only, and so of the account."""
    if level not in {"account", "campaign"}:
        return
    local = now.astimezone(account.zone)
    wants_day = "segments.date" in plan.query.fields
    sums: dict[tuple[str, int, date | None], Numbers] = {}
    for day in _days(plan, account, now):
        last = local.hour if day.date == local.date() else _LAST_HOUR
        for (entity_id, hour), numbers in serving.hours(day, level, last, lambda _: True).items():
            key = (entity_id, hour, day.date if wants_day else None)
            known = sums.get(key)
            sums[key] = numbers if known is None else serving.add(known, numbers)
    for (entity_id, hour, on), numbers in sums.items():
        yield Group(nodes[entity_id], on, hour, numbers)


def _attribute(name: str, node: Node) -> Any:
    getter = ATTRIBUTES.get(name)
    return getter(node) if getter else None


def _metric(name: str, numbers: Numbers | None) -> Any:
    getter = METRICS.get(name)
    return getter(numbers) if getter and numbers is not None else None


def _remembered(judge: Callable[[Node], bool]) -> Callable[[Node], bool]:
    """The same node is in a row of every day."""
    known: dict[int, bool] = {}

    def judged(node: Node) -> bool:
        found = known.get(id(node))
        if found is None:
            found = known[id(node)] = judge(node)
        return found

    return judged


def _ordered(plan: Plan, groups: list[Group]) -> list[Group]:
    for name, descending in reversed(plan.query.order):
        groups.sort(key=lambda group: _sortable(_value(name, group)), reverse=descending)
    return groups


def _value(name: str, group: Group) -> Any:
    if name == "segments.date":
        return str(group.day)
    if name == "segments.hour":
        return group.hour
    return _metric(name, group.numbers) if name in METRICS else _attribute(name, group.node)


def _sortable(value: Any) -> tuple[int, Any]:
    """What is not said stands first; of each field all other values are of one kind."""
    return (0, 0) if value is None else (1, value)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool):
        return str(wanted).upper() == str(value).upper()
    return bool(_comparable(value) == _comparable(wanted, like=value))


def _comparable(value: Any, like: Any = "") -> Any:
    if isinstance(like, (int, float)) and isinstance(value, str):
        try:
            return Decimal(value)
        except ArithmeticError:
            return value
    return Decimal(repr(value)) if isinstance(value, float) else value


def _holds(condition: Condition, value: Any) -> bool:
    operator, wanted = condition.operator, condition.values
    if operator in {"IS NULL", "IS NOT NULL"}:
        return (value is None) == (operator == "IS NULL")
    if isinstance(value, list):
        hits = [any(_same(one, each) for one in value) for each in wanted]
        return all(hits) if operator == "CONTAINS ALL" else any(hits) == (operator == "CONTAINS ANY")
    if operator in {"IN", "=", "NOT IN", "!="}:
        return any(_same(value, one) for one in wanted) == (operator in {"IN", "="})
    if operator in {"LIKE", "NOT LIKE"}:
        pattern = str(wanted[0]).replace("%", "*").replace("_", "?").lower()
        return fnmatch.fnmatchcase(str(value or "").lower(), pattern) == (operator == "LIKE")
    if value is None:
        return False
    return _compares(operator, _comparable(value), [_comparable(one, like=value) for one in wanted])


def _compares(operator: str, value: Any, wanted: list[Any]) -> bool:
    checks: dict[str, Callable[[], bool]] = {
        ">": lambda: value > wanted[0],
        ">=": lambda: value >= wanted[0],
        "<": lambda: value < wanted[0],
        "<=": lambda: value <= wanted[0],
        "BETWEEN": lambda: wanted[0] <= value <= wanted[1],
    }
    return checks[operator]() if operator in checks else False


class _Writer:
    """Writes rows. What an object is stays the same over all of its days, so it is written once and copied."""

    def __init__(self, plan: Plan) -> None:
        selected = plan.query.fields
        heads = dict.fromkeys([plan.query.resource, *(name.split(".")[0] for name in selected)])
        named = [f"{head}.resource_name" for head in heads] if plan.query.has_names else []
        known = [name for name in dict.fromkeys([*named, *selected]) if name in ATTRIBUTES]
        self._attributes = [(_found(name), ATTRIBUTES[name]) for name in known]
        self._metrics = [(_found(name).path[1], METRICS[name]) for name in selected if name in METRICS]
        self._has_day = "segments.date" in selected
        self._has_hour = "segments.hour" in selected
        self._bases: dict[int, Any] = {}

    def write(self, group: Group) -> Any:
        row = Row()
        base = self._bases.get(id(group.node))
        if base is None:
            base = self._bases[id(group.node)] = self._base(group.node)
        row.CopyFrom(base)
        if self._has_day and group.day is not None:
            row.segments.date = group.day.isoformat()
        if self._has_hour and group.hour is not None:
            row.segments.hour = group.hour
        if self._metrics and group.numbers is not None:
            metrics = row.metrics
            for name, get in self._metrics:
                value = get(group.numbers)
                if value is not None:
                    setattr(metrics, name, value)
        return row

    def _base(self, node: Node) -> Any:
        made = Row()
        for field, get in self._attributes:
            value = get(node)
            if value is not None:
                _put(made, field, value)
        return made


def _found(name: str) -> Field:
    field = find(name)
    if field is None:
        raise LookupError(f"{name} is no field of Google's")
    return field


def _put(row: Any, field: Field, value: Any) -> None:
    for part in field.path[:-1]:
        row = getattr(row, part)
    name, descriptor = field.path[-1], field.descriptor
    if descriptor.is_repeated:
        target = getattr(row, name)
        for one in value:
            if descriptor.message_type is not None:
                target.add(**one)
            else:
                target.append(_enum(descriptor, one) if descriptor.enum_type is not None else one)
    elif descriptor.message_type is not None:
        for part, text in value.items():
            setattr(getattr(row, name), part, text)
    else:
        setattr(row, name, _enum(descriptor, value) if descriptor.enum_type is not None else value)


def _enum(descriptor: Any, name: str) -> int:
    known = descriptor.enum_type.values_by_name
    return int(known[name if name in known else "UNKNOWN"].number)
