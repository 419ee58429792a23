"""Time ranges and increments, in the account's local days."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from infra.sandbox.facts.model import Account
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import GraphError, parameter

# Insights reach back 37 months, hourly rows 13.
HISTORY_MONTHS = 37
HOURLY_MONTHS = 13
_LONGEST_INCREMENT = 90
_TRAILING_DAYS = {
    "last_3d": 3,
    "last_7d": 7,
    "last_14d": 14,
    "last_28d": 28,
    "last_30d": 30,
    "last_90d": 90,
}
_DEFAULT_PRESET = "last_30d"


class _Range(msgspec.Struct):
    since: str
    until: str


@dataclass(frozen=True, order=True)
class Window:
    """Days from `since` to `until`, both included."""

    since: date
    until: date


def read(call: Call, account: Account, *, hourly: bool) -> list[Window]:
    """The windows of a request, ascending; GraphError 3018 for a start beyond the history."""
    today = account.today(call.now)
    whole = _whole(call, account, today)
    if whole.since < months_before(today, HISTORY_MONTHS):
        message = "(#3018) The start date of the time range cannot be beyond 37 months from the current date"
        raise GraphError(400, 3018, message)
    if "time_ranges" in call.params:
        raise parameter("param time_ranges is not supported")
    last = whole.until if not hourly else min(whole.until, today)
    return _cut(Window(whole.since, max(last, whole.since)), call.params.get("time_increment", "all_days"))


def _whole(call: Call, account: Account, today: date) -> Window:
    given: _Range | None = call.json("time_range", _Range)
    if given is not None:
        try:
            found = Window(date.fromisoformat(given.since), date.fromisoformat(given.until))
        except ValueError:
            raise parameter("Must be a date representation in the format YYYY-MM-DD") from None
        if found.since > found.until:
            raise parameter("param time_range: the start date must not be later than the end date")
        return found
    preset = call.params.get("date_preset", _DEFAULT_PRESET)
    first_of_month = today.replace(day=1)
    named = {
        "today": Window(today, today),
        "yesterday": Window(today - timedelta(1), today - timedelta(1)),
        "this_month": Window(first_of_month, today),
        "last_month": Window((first_of_month - timedelta(1)).replace(day=1), first_of_month - timedelta(1)),
        "maximum": Window(max(account.dates[0], months_before(today, HISTORY_MONTHS)), today),
        **{word: Window(today - timedelta(n), today - timedelta(1)) for word, n in _TRAILING_DAYS.items()},
    }
    if preset not in named:
        raise parameter(f"date_preset must be one of the following values: {', '.join(named)}")
    return named[preset]


def _cut(whole: Window, increment: str) -> list[Window]:
    if increment == "all_days":
        return [whole]
    if increment == "monthly":
        return _months(whole)
    if not increment.isdigit() or not 1 <= int(increment) <= _LONGEST_INCREMENT:
        raise parameter("time_increment must be all_days, monthly or an integer between 1 and 90")
    step = timedelta(int(increment))
    found: list[Window] = []
    since = whole.since
    while since <= whole.until:
        found.append(Window(since, min(since + step - timedelta(1), whole.until)))
        since += step
    return found


def _months(whole: Window) -> list[Window]:
    found: list[Window] = []
    since = whole.since
    while since <= whole.until:
        end = since.replace(day=monthrange(since.year, since.month)[1])
        found.append(Window(since, min(end, whole.until)))
        since = end + timedelta(1)
    return found


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
