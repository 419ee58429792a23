"""Insights: which rows a request is about. How one looks is in rows.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from infra.sandbox.facts import serving
from infra.sandbox.facts.model import Account, Day, Entity, Level, Numbers, Slot
from infra.sandbox.meta import filtering, objects, paging, periods, rows
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.edges import is_below
from infra.sandbox.meta.errors import parameter
from infra.sandbox.meta.filtering import META_LEVELS, Filter

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
_DEPTH: dict[Level, int] = {"account": 0, "campaign": 1, "ad_group": 2, "ad": 3}
_LAST_HOUR = 23


@dataclass(frozen=True)
class Query:
    """What is asked. `scope` is None for a whole account."""

    account: Account
    level: Level
    scope: Entity | None
    windows: list[periods.Window]
    hourly: bool
    filters: list[Filter]
    now: datetime


@dataclass(frozen=True)
class Group:
    """One row to be: an object, a window and, when asked, an hour."""

    window: periods.Window
    entity_id: str
    hour: int | None
    numbers: Numbers

    @property
    def key(self) -> str:
        """Place in the order: by day, object and hour."""
        hour = "" if self.hour is None else f"{self.hour:02}"
        return f"{self.window.since}|{self.entity_id}|{hour}"


def answer(call: Call, account: Account, scope: Entity | None) -> dict[str, Any]:
    """A page of insights."""
    query = read(call, account, scope)
    shape = rows.Shape.read(call, query.level, hourly=query.hourly)
    start = paging.decode(call.params.get("after", ""))
    page = paging.page_of(call, groups(query, start.key), start)
    found: dict[str, Any] = {"data": rows.render(shape, query.account, query.level, page.rows, query.now)}
    if page.paging is not None:
        found["paging"] = page.paging
    return found


def check(call: Call, account: Account, scope: Entity | None) -> None:
    """Raise the GraphError that the request would meet, without looking for rows."""
    query = read(call, account, scope)
    rows.Shape.read(call, query.level, hourly=query.hourly)


def read(call: Call, account: Account, scope: Entity | None) -> Query:
    """Check every parameter that chooses rows."""
    own: Level = scope.level if scope else "account"
    word = call.params.get("level", "")
    if word and word not in META_LEVELS:
        raise parameter(f"level must be one of the following values: {', '.join(META_LEVELS)}")
    level = META_LEVELS[word] if word else own
    if _DEPTH[level] < _DEPTH[own]:
        raise parameter(f"level {word} is above the object whose insights are asked for")
    breakdowns = call.words("breakdowns")
    if breakdowns not in ([], [HOURLY]):
        raise parameter(f"Current combination of data breakdown columns ({', '.join(breakdowns)}) is invalid")
    hourly = bool(breakdowns)
    windows = periods.read(call, account, hourly=hourly)
    return Query(account, level, scope, windows, hourly, filtering.read(call, level), call.now)


def groups(query: Query, after: str) -> Iterator[Group]:
    """The rows in order, those behind the key `after` only."""
    first_day = after.split("|", 1)[0]
    accepts = _accepts(query)
    for window in query.windows:
        since = window.since.isoformat()
        if since < first_day:
            continue
        found = _hours(query, window) if query.hourly else _sums(query, window)
        for (entity_id, hour), numbers in sorted(found.items()):
            group = Group(window, entity_id or query.account.id, None if hour < 0 else hour, numbers)
            if (since > first_day or group.key > after) and accepts(entity_id, numbers):
                yield group


def _sums(query: Query, window: periods.Window) -> dict[tuple[str, int], Numbers]:
    keep = _keep(query)
    sums: dict[tuple[str, int], Numbers] = {}
    for day in _days(query, window):
        for entity_id, numbers in serving.grouped(day, query.level, query.now, keep).items():
            known = sums.get((entity_id, -1))
            sums[entity_id, -1] = numbers if known is None else serving.add(known, numbers)
    return sums


def _hours(query: Query, window: periods.Window) -> dict[tuple[str, int], Numbers]:
    sums: dict[tuple[str, int], Numbers] = {}
    if query.level not in ("account", "campaign"):
        return sums
    wanted = [one for one in query.filters if one.level == "campaign"]
    campaigns = query.account.campaigns

    @cache
    def keep(campaign_id: str) -> bool:
        entity = campaigns[campaign_id]
        return (query.scope is None or entity.id == query.scope.campaign_id) and all(
            one.accepts_entity(query.account, entity, query.now) for one in wanted
        )

    local = query.now.astimezone(query.account.zone)
    for day in _days(query, window):
        last = local.hour if day.date == local.date() else _LAST_HOUR
        for key, numbers in serving.hours(day, query.level, last, keep).items():
            known = sums.get(key)
            sums[key] = numbers if known is None else serving.add(known, numbers)
    return sums


def _days(query: Query, window: periods.Window) -> Iterator[Day]:
    earliest = periods.months_before(query.account.today(query.now), periods.HOURLY_MONTHS)
    since = max(window.since, earliest) if query.hourly else window.since
    return serving.days_between(query.account, since, min(window.until, query.account.today(query.now)))


def _keep(query: Query) -> Callable[[Slot], bool] | None:
    """Which delivery counts, where a filter names objects below the level of the rows.

    Delivery without an ad fulfils no condition on ads.
    """
    below = [one for one in query.filters if one.level and _DEPTH[one.level] > _DEPTH[query.level]]
    if query.scope is not None and _DEPTH[query.scope.level] > _DEPTH[query.level]:
        raise parameter("level is above the object whose insights are asked for")
    if not below:
        return None
    account, now = query.account, query.now

    @cache
    def accepted(one: int, level: Level, object_id: str) -> bool:
        entity = account.objects(level).get(object_id)
        return entity is not None and below[one].accepts_entity(account, entity, now)

    def keep(slot: Slot) -> bool:
        ids = {"campaign": slot.campaign_id, "ad_group": slot.adgroup_id, "ad": slot.ad_id}
        return all(accepted(index, one.level, ids[one.level]) for index, one in enumerate(below) if one.level)

    return keep


def _accepts(query: Query) -> Callable[[str, Numbers], bool]:
    """Whether a row is in the answer: of the scope, in a state that is asked for, and past every condition."""
    metrics = [one for one in query.filters if one.level is None]
    if query.level == "account":
        return lambda _, numbers: _metrics_fit(metrics, numbers)
    known = query.account.objects(query.level)
    of_objects = [one for one in query.filters if one.level and _DEPTH[one.level] <= _DEPTH[query.level]]
    shows_gone = filtering.asks_status(query.filters, query.level)

    @cache
    def entity_fits(entity_id: str) -> bool:
        entity = known[entity_id]
        if query.scope is not None and not is_below(entity, query.scope):
            return False
        if not shows_gone and objects.is_gone(objects.effective_status(query.account, entity, query.now)):
            return False
        return all(one.accepts_entity(query.account, _of_level(query, entity, one), query.now) for one in of_objects)

    return lambda entity_id, numbers: entity_fits(entity_id) and _metrics_fit(metrics, numbers)


def _of_level(query: Query, entity: Entity, one: Filter) -> Entity:
    if one.level == entity.level:
        return entity
    if one.level == "campaign":
        return query.account.campaigns[entity.campaign_id]
    return query.account.adgroups[entity.adgroup_id]


def _metrics_fit(metrics: list[Filter], numbers: Numbers) -> bool:
    return all(one.accepts(getattr(numbers, one.attribute) or 0) for one in metrics)
