"""What a report asks for, checked as strictly as TikTok checks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import msgspec

from infra.sandbox.facts.model import Account, Level
from infra.sandbox.tiktok import errors, metrics
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.errors import parameter
from infra.sandbox.tiktok.objects import LEVEL_WORDS

MAX_DAYS, MAX_DAYS_HOURLY, MAX_DAYS_TOTAL = 30, 1, 365
MAX_METRICS = 100
MAX_IDS = 100
MAX_ADVERTISERS = 5
DATA_LEVELS: dict[str, Level] = {
    "AUCTION_ADVERTISER": "account",
    "AUCTION_CAMPAIGN": "campaign",
    "AUCTION_ADGROUP": "ad_group",
    "AUCTION_AD": "ad",
}
ID_DIMENSIONS: dict[str, Level] = {
    "advertiser_id": "account",
    "campaign_id": "campaign",
    "adgroup_id": "ad_group",
    "ad_id": "ad",
}
_TIME_DIMENSIONS = {"stat_time_day": "day", "stat_time_hour": "hour"}
_BREAKDOWN_WORDS = """
    ac age contextual_tag country_code dma_id gender interest_category language placement platform province_id
"""
_BREAKDOWNS = frozenset(_BREAKDOWN_WORDS.split())
_PAIR = frozenset({"age", "gender"})
_REPORT_TYPES = frozenset({"BASIC", "AUDIENCE", "PLAYABLE_MATERIAL", "CATALOG", "BC", "TT_SHOP"})
_OPERATORS = frozenset({"IN", "MATCH", "GREATER_EQUAL", "GREATER_THAN", "LOWER_EQUAL", "LOWER_THAN", "BETWEEN"})
_IDS: dict[str, Level] = {"campaign_ids": "campaign", "adgroup_ids": "ad_group", "ad_ids": "ad"}
_DEFAULT_METRICS = ["spend", "impressions"]

Grain = Literal["day", "hour", "total"]


class Filter(msgspec.Struct):
    """One condition. `filter_value` is an array as JSON inside of text."""

    field_name: str
    filter_type: str
    filter_value: str


@dataclass
class Query:
    """What is asked. `ids` are the objects whose delivery counts, by level; `status` the primary one, empty without."""

    account: Account
    level: Level
    grain: Grain
    dimensions: list[str]
    metrics: list[str]
    since: date
    until: date
    ids: dict[Level, frozenset[str]]
    status: str
    has_breakdown: bool
    order: tuple[str, bool]


def read(call: Call, account: Account, *, is_task: bool = False) -> Query:
    """The query of a synchronous report, or of a task, for which neither days nor states are limited."""
    _check_kind(call)
    level = DATA_LEVELS.get(call.needed("data_level")) or _refuse(f"data_level: {call.text('data_level')}")
    dimensions = call.words("dimensions")
    grain = _grain(dimensions, level, call.text("report_type"))
    since, until = _days(call, account, grain, is_task=is_task)
    asked = call.words("metrics") or _DEFAULT_METRICS
    if len(asked) > MAX_METRICS:
        raise parameter(f"metrics: Longer than maximum length {MAX_METRICS}.")
    for name in asked:
        if not metrics.is_known(name, level):
            raise parameter(f"metrics: {name} is not supported for data level {call.text('data_level')}.")
    ids, status = _filters(call, level, is_task=is_task)
    order = (call.text("order_field"), call.text("order_type") != "ASC")
    if order[0] and order[0] not in (*asked, *dimensions):
        raise parameter(f"order_field: {order[0]} is not one of the metrics or dimensions.")
    has_breakdown = any(name in _BREAKDOWNS for name in dimensions) or call.text("report_type") != "BASIC"
    return Query(account, level, grain, dimensions, asked, since, until, ids, status, has_breakdown, order)


def _check_kind(call: Call) -> None:
    if call.needed("report_type") not in _REPORT_TYPES:
        raise parameter(f"report_type: {call.text('report_type')} is not a valid choice.")
    if (call.text("service_type") or "AUCTION") != "AUCTION":
        raise parameter("service_type: RESERVATION is deprecated.")
    if (call.text("query_mode") or "REGULAR") != "REGULAR":
        raise parameter("query_mode: CHUNK is deprecated.")


def _grain(dimensions: list[str], level: Level, report_type: str) -> Grain:
    ids = [name for name in dimensions if name in ID_DIMENSIONS]
    times = [name for name in dimensions if name in _TIME_DIMENSIONS]
    breakdowns = [name for name in dimensions if name in _BREAKDOWNS]
    if unknown := set(dimensions) - {*ids, *times, *breakdowns}:
        raise parameter(f"dimensions: {', '.join(sorted(unknown))} is not a valid choice.")
    if len(ids) != 1 or ID_DIMENSIONS[ids[0]] != level:
        raise parameter("dimensions: exactly one ID dimension, that of the data level, is required.")
    if len(times) > 1:
        raise parameter("dimensions: stat_time_day and stat_time_hour cannot be combined.")
    if report_type == "AUDIENCE":
        if len(breakdowns) != 1 and set(breakdowns) != _PAIR:
            raise parameter("dimensions: exactly one audience dimension is required, or age with gender.")
    elif len(breakdowns) > 1 or (breakdowns and times == ["stat_time_hour"]):
        raise parameter("dimensions: this combination is not supported.")
    return _TIME_DIMENSIONS[times[0]] if times else "total"  # type: ignore[return-value]


def _days(call: Call, account: Account, grain: Grain, *, is_task: bool) -> tuple[date, date]:
    if call.is_on("query_lifetime"):
        if grain != "total":
            raise parameter("query_lifetime: cannot be combined with a time dimension.")
        return account.dates[0], account.today(call.now)
    since, until = _day(call, "start_date"), _day(call, "end_date")
    if since > until:
        raise parameter("start_date must not be later than end_date.")
    most = {"day": MAX_DAYS, "hour": MAX_DAYS_HOURLY, "total": MAX_DAYS_TOTAL}[grain]
    if not is_task and until - since >= timedelta(most):
        raise parameter(f"The time range must not exceed {most} days for these dimensions.")
    return since, until


def _day(call: Call, name: str) -> date:
    text = call.needed(name)
    try:
        if len(text) == len("2026-01-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise parameter(f"{name}: Not a valid date, the format is YYYY-MM-DD.")


def _filters(call: Call, level: Level, *, is_task: bool) -> tuple[dict[Level, frozenset[str]], str]:
    ids: dict[Level, frozenset[str]] = {}
    status = ""
    found: list[Filter] = call.json("filtering", list[Filter]) or []
    for one in found:
        if one.filter_type not in _OPERATORS:
            raise parameter(f"filtering: {one.filter_type} is not a valid filter_type.")
        values = _values(one)
        if one.field_name in _IDS:
            if level == "account":
                raise parameter(f"filtering: {one.field_name} is not supported for AUCTION_ADVERTISER.")
            if len(values) > MAX_IDS:
                raise errors.too_many_ids(one.field_name, MAX_IDS)
            ids[_IDS[one.field_name]] = frozenset(values)
        elif level != "account" and one.field_name == f"{LEVEL_WORDS[level].lower()}_status" and not is_task:
            status = values[0] if values else ""
        else:
            raise parameter(f"filtering: {one.field_name} is not supported here.")
    return ids, status


def _values(one: Filter) -> list[str]:
    try:
        found = msgspec.json.decode(one.filter_value, type=list[str | int])
    except msgspec.MsgspecError:
        raise parameter("filtering: filter_value must be the JSON text of an array.") from None
    return [str(value) for value in found]


def _refuse(what: str) -> Level:
    raise parameter(f"{what} is not a valid choice.")
