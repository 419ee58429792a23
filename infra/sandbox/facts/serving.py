"""What the platform says at an instant: rows and their sums, per account, level and local day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from infra.sandbox.facts.model import Account, Day, Level, Numbers, Slot

Keep = Callable[[Slot], bool]
_N = TypeVar("_N", int, Decimal)


def add(left: Numbers, right: Numbers) -> Numbers:
    """The sum of two rows. Reach is not additive (the same people), so a sum of two rows has none."""
    return Numbers(
        _plus(left.impressions, right.impressions),
        _plus(left.clicks, right.clicks),
        _plus(left.spend, right.spend),
        _plus(left.conversions, right.conversions),
        _plus(left.conversion_value, right.conversion_value),
        _plus(left.video_views, right.video_views),
        None,
    )


def _plus(left: _N | None, right: _N | None) -> _N | None:
    if left is None:
        return right
    return left if right is None else left + right


def days_between(account: Account, since: date, until: date) -> Iterator[Day]:
    """The days with rows, ascending, both ends included."""
    for index in range(bisect_left(account.dates, since), bisect_right(account.dates, until)):
        yield account.days[account.dates[index]]


def served(day: Day, now: datetime) -> Iterator[tuple[Slot, Numbers]]:
    """The rows that say something at an instant."""
    for slot in day.slots.values():
        numbers = slot.at(now)
        if numbers is not None and not numbers.is_nothing():
            yield slot, numbers


def grouped(day: Day, level: Level, now: datetime, keep: Keep | None = None) -> dict[str, Numbers]:
    """Sums by object id of one level (by `""` for the account), optionally of some rows only.

    Delivery without an ad counts for its campaign, for its ad group where it names one, and for the account. The
    platform's own total of an account replaces the sum of its rows where there is one.
    """
    if keep is not None:
        return _sum(day, level, now, keep)
    epoch = bisect_right(day.instants or (), now)
    if epoch != day.cache_epoch:
        day.cache_epoch, day.cache = epoch, {}
    found = day.cache.get(level)
    if found is None:
        found = day.cache[level] = _sum(day, level, now, None)
        if level == "account" and day.total is not None:
            _override(found, day.total)
    return found


def _override(sums: dict[str, Numbers], total: Numbers) -> None:
    of_rows = sums.pop("", None)
    # The totals file says nothing of video views: these stay the sum of the rows.
    total.video_views = of_rows.video_views if of_rows else None
    if not total.is_nothing():
        sums[""] = total


def _sum(day: Day, level: Level, now: datetime, keep: Keep | None) -> dict[str, Numbers]:
    sums: dict[str, Numbers] = {}
    for slot, numbers in served(day, now):
        key = _key(slot, level)
        if key is None or (keep is not None and not keep(slot)):
            continue
        known = sums.get(key)
        sums[key] = numbers if known is None else add(known, numbers)
    return sums


def _key(slot: Slot, level: Level) -> str | None:
    if level == "ad":
        return slot.ad_id or None
    if level == "ad_group":
        return slot.adgroup_id or None
    return slot.campaign_id if level == "campaign" else ""


def hours(day: Day, level: Level, hour_now: int, keep: Callable[[str], bool]) -> dict[tuple[str, int], Numbers]:
    """Sums by campaign id (or `""` for the account) and local hour, of the hours that have begun."""
    sums: dict[tuple[str, int], Numbers] = {}
    for row in day.hours:
        if row.hour > hour_now or row.numbers.is_nothing() or not keep(row.campaign_id):
            continue
        key = (row.campaign_id if level == "campaign" else "", row.hour)
        known = sums.get(key)
        sums[key] = row.numbers if known is None else add(known, row.numbers)
    return sums
