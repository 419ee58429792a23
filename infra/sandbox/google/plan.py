"""A query checked against Google's own descriptors: which fields exist, which go together, which days are meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from infra.sandbox.google import gaql, resources
from infra.sandbox.google.errors import query as fault
from infra.sandbox.google.gaql import Condition, Query
from infra.sandbox.google.messages import Row

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}", re.ASCII)
# Above this a filter is refused. Google says that there is such a limit and not which.
MOST_VALUES = 20_000
_FIRST, _LAST = date(2000, 1, 1), date(9999, 12, 31)
_DURING: dict[str, Callable[[date], tuple[date, date]]] = {
    "TODAY": lambda today: (today, today),
    "YESTERDAY": lambda today: (today - timedelta(1), today - timedelta(1)),
    "LAST_7_DAYS": lambda today: (today - timedelta(7), today - timedelta(1)),
    "LAST_14_DAYS": lambda today: (today - timedelta(14), today - timedelta(1)),
    "LAST_30_DAYS": lambda today: (today - timedelta(30), today - timedelta(1)),
    "THIS_MONTH": lambda today: (today.replace(day=1), today),
}


@dataclass(frozen=True)
class Field:
    """A field of GoogleAdsRow: the names on the way, and its descriptor."""

    path: tuple[str, ...]
    descriptor: Any


@dataclass(frozen=True)
class Plan:
    """What is to be answered. `conditions` are those on attributes and metrics; the days are out of them."""

    query: Query
    since: date | None
    until: date | None
    conditions: tuple[Condition, ...]

    @property
    def wants_metrics(self) -> bool:
        """Whether numbers are asked for, in a column, a condition or the order."""
        return any(name.startswith("metrics.") for name in self.query.named)


@cache
def find(name: str) -> Field | None:
    """The field in Google's descriptors; None where there is none that can be selected."""
    descriptor = Row.DESCRIPTOR
    path: list[str] = []
    field = None
    for part in name.split("."):
        if descriptor is None:
            return None
        # A field called `type` is `type_` in the SDK's messages.
        field = descriptor.fields_by_name.get(part) or descriptor.fields_by_name.get(f"{part}_")
        if field is None:
            return None
        path.append(field.name)
        descriptor = field.message_type
    if len(path) < 2 or field is None:  # noqa: PLR2004 - a resource itself is no field
        return None
    # Of messages only lists are selectable, such as the headlines of an ad, and single texts.
    is_whole = descriptor is None or field.is_repeated or descriptor.name == "AdTextAsset"
    return Field(tuple(path), field) if is_whole else None


def plan(text: str, today: date) -> Plan:
    """GoogleError with Google's own code for a query that it would refuse."""
    query = gaql.parse(text)
    _check_resource(query.resource)
    for name in query.named:
        _check_field(name, query)
    _check_references(query)
    since, until, rest = _FIRST, _LAST, []
    for condition in query.conditions:
        if condition.field == "segments.date":
            first, last = _days(condition, today)
            since, until = max(since, first), min(until, last)
        else:
            rest.append(condition)
    is_finite = since != _FIRST and until != _LAST
    if query.has("segments") and not is_finite:
        raise fault(
            "EXPECTED_FILTERS_ON_DATE_RANGE",
            "The following field must be present in the WHERE clause and should create a finite date range: "
            "'segments.date'.",
        )
    if is_finite and since > until:
        raise fault("DATE_RANGE_TOO_NARROW", f"Invalid date range: {since} is after {until}.")
    return Plan(query, since if is_finite else None, until if is_finite else None, tuple(rest))


def _check_resource(name: str) -> None:
    if name in resources.TOGETHER:
        return
    if name in Row.DESCRIPTOR.fields_by_name and name not in {"metrics", "segments"}:
        raise fault("PROHIBITED_RESOURCE_TYPE_IN_FROM_CLAUSE", f"The sandbox does not serve '{name}'.")
    raise fault("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"Error in query: '{name}' is not a valid resource name.")


def _check_field(name: str, query: Query) -> None:
    if find(name) is None:
        raise fault("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
    head, has_delivery = name.split(".", maxsplit=1)[0], query.resource in resources.LEVELS
    if head == "metrics" and not has_delivery:
        raise fault(
            "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
            f"Cannot select or filter on the following metrics: '{name}', since metrics are incompatible with the "
            f"resource in the FROM clause: '{query.resource}'.",
        )
    if head == "segments" and (not has_delivery or name not in resources.SEGMENTS):
        raise fault(
            "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE",
            f"Cannot select or filter on the following segments: '{name}' with the resource in the FROM clause: "
            f"'{query.resource}'.",
        )
    if head not in {"metrics", "segments"} and head not in resources.TOGETHER[query.resource]:
        place = "SELECT" if name in query.fields else "WHERE"
        raise fault(
            f"PROHIBITED_RESOURCE_TYPE_IN_{place}_CLAUSE",
            f"The following resource is not compatible with '{query.resource}': '{head}'.",
        )


def _check_references(query: Query) -> None:
    selected = set(query.fields)
    for name, _ in query.order:
        if name not in selected and not name.startswith(f"{query.resource}."):
            raise fault("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", f"'{name}' must be in the SELECT clause.")
    for condition in query.conditions:
        name = condition.field
        if name.startswith("segments.") and name != "segments.date" and name not in selected:
            raise fault("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", f"'{name}' must be in the SELECT clause.")
        if len(condition.values) > MOST_VALUES:
            raise fault("FILTER_HAS_TOO_MANY_VALUES", f"The filter on '{name}' has too many values.")
        _check_values(condition)


def _check_values(condition: Condition) -> None:
    found = find(condition.field)
    values = found.descriptor.enum_type if found else None
    if values is None:
        return
    for value in condition.values:
        if value not in values.values_by_name:
            raise fault("BAD_ENUM_CONSTANT", f"Invalid enum value cannot be included in WHERE clause: '{value}'.")


def _days(condition: Condition, today: date) -> tuple[date, date]:
    if condition.operator == "DURING":
        during = _DURING.get(str(condition.values[0]))
        if during is None:
            raise fault("INVALID_VALUE_WITH_DURING_OPERATOR", f"Invalid date range {condition.values[0]}.")
        return during(today)
    days = [_day(value) for value in condition.values]
    ranges = {
        "=": lambda: (days[0], days[0]),
        "BETWEEN": lambda: (days[0], days[1]),
        ">=": lambda: (days[0], _LAST),
        ">": lambda: (days[0] + timedelta(1), _LAST),
        "<=": lambda: (_FIRST, days[0]),
        "<": lambda: (_FIRST, days[0] - timedelta(1)),
    }
    if condition.operator not in ranges:
        raise fault("OPERATOR_FIELD_MISMATCH", f"Operator {condition.operator} does not go with 'segments.date'.")
    return ranges[condition.operator]()


def _day(value: str | Decimal) -> date:
    text = str(value)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise fault("INVALID_DATE_FORMAT", f"Invalid date literal supplied for filter: '{text}'.")
