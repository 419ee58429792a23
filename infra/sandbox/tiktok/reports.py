"""`report/integrated/get/`: rows and their sums, of the newest ads only where there are too many."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from infra.sandbox.facts import serving
from infra.sandbox.facts.model import Account, Entity, Level, Numbers, Slot
from infra.sandbox.facts.status import exists
from infra.sandbox.tiktok import errors, lists, metrics, objects, reportquery
from infra.sandbox.tiktok.call import Call, page_of
from infra.sandbox.tiktok.reportquery import ID_DIMENSIONS, Query

# Of an account with more ads, a synchronous report is made of the newest ones only. The header alone says so.
MOST_ADS = 20_000
THROTTLE_HEADER = "X-Tt-Ads-Throttle"
_THROTTLE_TEXT = (
    "Number of ad ids is equal or more than 20k, only return the top 20k id's results, "
    "sorting by create time desc order."
)
_LAST_HOUR = 23


@dataclass(frozen=True)
class Group:
    """One row to be: an object, a day and an hour where they are asked for, and its numbers."""

    entity_id: str
    day: date | None
    hour: int | None
    numbers: Numbers


@dataclass
class _Walk:
    """The rows of a query as they were when its first page was asked for, while nothing in them has changed."""

    account: Account
    now: datetime
    groups: list[Group]
    headers: dict[str, str]


class Reports:
    """Remembers the last walks, since each page of one is a request."""

    def __init__(self) -> None:
        self._walks: dict[str, _Walk] = {}

    def answer(self, call: Call, account: Account) -> dict[str, Any]:
        """A page of a report."""
        query = reportquery.read(call, account)
        groups = self._groups(call, query)
        if call.fault is not None and call.fault.kind == "too_large" and len(groups) > call.fault.rows:
            raise errors.query_too_large()
        page, info = page_of(call, groups)
        found: dict[str, Any] = {"list": render(query, page, call.now), "page_info": info}
        if call.is_on("enable_total_metrics"):
            found["total_metrics"] = _totals(query, groups)
        return found

    def _groups(self, call: Call, query: Query) -> list[Group]:
        most = call.fault.rows if call.fault is not None and call.fault.kind == "few_ads" else MOST_ADS
        key = f"{sorted((name, str(value)) for name, value in call.params.items() if name != 'page')}{most}"
        known = self._walks.get(key)
        if known is None or known.account is not query.account or not _is_same(query, known.now, call.now):
            headers: dict[str, str] = {}
            known = _Walk(query.account, call.now, groups_of(query, call.now, most, headers), headers)
            self._walks.pop(key, None)
            while len(self._walks) >= 4:  # noqa: PLR2004 - the four levels of one account
                self._walks.pop(next(iter(self._walks)))
            self._walks[key] = known
        call.headers |= known.headers
        return known.groups


def _is_same(query: Query, before: datetime, now: datetime) -> bool:
    """Whether the rows of then are those of now: no version ended, and the account's hour is the same."""
    zone = query.account.zone
    if before > now or before.astimezone(zone).timetuple()[:4] != now.astimezone(zone).timetuple()[:4]:
        return False
    days = serving.days_between(query.account, query.since, query.until)
    return all(bisect_right(d.instants or (), before) == bisect_right(d.instants or (), now) for d in days)


def groups_of(query: Query, now: datetime, most_ads: int | None, headers: dict[str, str]) -> list[Group]:
    """The rows in order. `most_ads` None is for what is never cut."""
    if query.has_breakdown:
        return []  # the folder knows nothing of countries and audiences
    keep = _keep(query, now, most_ads, headers)
    fits = _fits(query, now)
    until = min(query.until, query.account.today(now))
    found: list[Group] = []
    sums: dict[str, Numbers] = {}
    for day in serving.days_between(query.account, query.since, until):
        if query.grain == "hour":
            found += _hours(query, day.date, now, fits)
            continue
        for entity_id, numbers in serving.grouped(day, query.level, now, keep).items():
            if not fits(entity_id):
                continue
            if query.grain == "day":
                found.append(Group(entity_id or query.account.id, day.date, None, numbers))
            else:
                known = sums.get(entity_id)
                sums[entity_id] = numbers if known is None else serving.add(known, numbers)
    found += [Group(entity_id or query.account.id, None, None, numbers) for entity_id, numbers in sums.items()]
    newest = cache(lists.newest_first)
    found.sort(key=lambda group: (newest(group.entity_id), group.day or date.min, group.hour or 0))
    return _ordered(query, found)


def _ordered(query: Query, found: list[Group]) -> list[Group]:
    name, descending = query.order
    if name in ("stat_time_day", "stat_time_hour"):
        return sorted(found, key=lambda group: (group.day or date.min, group.hour or 0), reverse=descending)
    if name in metrics.METRICS:
        value = metrics.METRICS[name]
        return sorted(found, key=lambda group: _number(value(group.numbers)), reverse=descending)
    return found[::-1] if name in ID_DIMENSIONS and not descending else found


def _number(text: str) -> Decimal:
    return Decimal(0) if text == metrics.NO_VALUE else Decimal(text)


def _hours(query: Query, day: date, now: datetime, fits: Callable[[str], bool]) -> list[Group]:
    if query.level not in ("account", "campaign"):
        return []  # the folder has hours of campaigns only
    local = now.astimezone(query.account.zone)
    last = local.hour if day == local.date() else _LAST_HOUR
    wanted = query.ids.get("campaign")
    sums = serving.hours(query.account.days[day], query.level, last, lambda one: wanted is None or one in wanted)
    return [
        Group(entity_id or query.account.id, day, hour, numbers)
        for (entity_id, hour), numbers in sums.items()
        if fits(entity_id)
    ]


def _fits(query: Query, now: datetime) -> Callable[[str], bool]:
    """Whether a row's own object is in a state that is asked for; there is no such question of an account."""
    if query.level == "account":
        return lambda _: True
    known = query.account.objects(query.level)

    @cache
    def fits(entity_id: str) -> bool:
        return lists.status_fits(objects.Node(query.account, known[entity_id], now), query.status)

    return fits


def _keep(query: Query, now: datetime, most_ads: int | None, headers: dict[str, str]) -> Callable[[Slot], bool] | None:
    """Which delivery counts: of the objects that are named, and of the newest ads where there are too many."""
    newest = _newest(query, now, most_ads)
    if newest is not None:
        headers[THROTTLE_HEADER] = _THROTTLE_TEXT
    if newest is None and not query.ids:
        return None
    ids = query.ids

    def keep(slot: Slot) -> bool:
        of_slot: tuple[tuple[Level, str], ...] = (
            ("campaign", slot.campaign_id), ("ad_group", slot.adgroup_id), ("ad", slot.ad_id),
        )  # fmt: skip
        if any(level in ids and own not in ids[level] for level, own in of_slot):
            return False
        return newest is None or not slot.ad_id or slot.ad_id in newest

    return keep


def _newest(query: Query, now: datetime, most: int | None) -> frozenset[str] | None:
    """The newest ads of those in scope; None where all of them count."""
    account = query.account
    if most is None or len(account.ads) <= most:
        return None

    def in_scope(ad: Entity) -> bool:
        own: dict[Level, str] = {"campaign": ad.campaign_id, "ad_group": ad.adgroup_id, "ad": ad.id}
        return all(own[level] in wanted for level, wanted in query.ids.items()) and exists(account, ad, now)

    ads = [ad for ad in account.ads.values() if in_scope(ad)]
    if len(ads) <= most:
        return None
    ads.sort(key=lambda ad: (-objects.created(objects.Node(account, ad, now)).timestamp(), lists.newest_first(ad.id)))
    return frozenset(ad.id for ad in ads[:most])


def render(query: Query, groups: list[Group], now: datetime) -> list[dict[str, Any]]:
    """The rows of a page."""
    attributes = [name for name in query.metrics if metrics.is_attribute(name)]
    values = [(name, metrics.METRICS.get(name)) for name in query.metrics if name not in attributes]
    known = {} if query.level == "account" else query.account.objects(query.level)

    @cache
    def named(entity_id: str) -> dict[str, str]:
        entity = known.get(entity_id)
        return {name: metrics.attribute(name, query.account, entity, now) for name in attributes}

    found = []
    for group in groups:
        row = dict(named(group.entity_id))
        for name, value in values:
            row[name] = metrics.NO_VALUE if value is None else value(group.numbers)
        found.append({"dimensions": _dimensions(query, group), "metrics": row})
    return found


def _dimensions(query: Query, group: Group) -> dict[str, str]:
    found = {}
    for name in query.dimensions:
        if name in ID_DIMENSIONS:
            found[name] = group.entity_id
        elif group.day is not None:
            found[name] = f"{group.day} {group.hour or 0:02}:00:00"
    return found


def _totals(query: Query, groups: list[Group]) -> dict[str, str]:
    whole = Numbers()
    for group in groups:
        whole = serving.add(whole, group.numbers)
    return {name: metrics.METRICS[name](whole) for name in query.metrics if name in metrics.ADDITIVE}
