"""Which days of a long period are read as whole months, as whole weeks, and as days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

# Shorter ones have so few days in whole months that reading them row by row is as quick.
LONG_DAYS = 56
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Span:
    """Consecutive days, weeks or months; `until` is the first day of the last one. What `column` of `source` holds."""

    source: str
    column: str
    since: date
    until: date


def is_long(since: date, until: date) -> bool:
    """Whether `spans` are worth it; never for a period up to the calendar's end, which has no day after it."""
    return (until - since).days + 1 >= LONG_DAYS and until.year < date.max.year


def spans(since: date, until: date) -> list[Span]:
    """Every day of the period in exactly one span."""
    first, end = _month_on_or_after(since), (until + _DAY).replace(day=1)
    if first >= end:
        return _weeks(since, until)
    months = Span("visible_monthly", "month", first, (end - _DAY).replace(day=1))
    return [*_weeks(since, first - _DAY), months, *_weeks(end, until)]


def _weeks(since: date, until: date) -> list[Span]:
    """Whole weeks, which begin on Mondays, and the days around them."""
    monday = since + timedelta(days=-since.weekday() % 7)
    count = ((until - monday).days + 1) // 7
    if count < 1:
        return _days(since, until)
    end = monday + count * _WEEK
    return [*_days(since, monday - _DAY), Span("visible_weekly", "week", monday, end - _WEEK), *_days(end, until)]


def _days(since: date, until: date) -> list[Span]:
    return [Span("visible_metrics", "day", since, until)] if since <= until else []


def _month_on_or_after(day: date) -> date:
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def parameters(prefix: str, found: list[Span]) -> dict[str, Any]:
    """The bound days of `source_of`."""
    return {
        f"{prefix}{end}_{number}": getattr(span, end) for number, span in enumerate(found) for end in ("since", "until")
    }


def source_of(prefix: str, found: list[Span], summed: tuple[str, ...]) -> str:
    """What stands in for the rows of the period: fewer rows with the same sums, `row_count` each."""
    measures = ", ".join((*summed, "reach"))
    arms = [
        f"select account_id, level, entity_id, {'1' if span.column == 'day' else 'row_count'} as row_count, {measures}"
        f" from {span.source} where {span.column} between :{prefix}since_{number} and :{prefix}until_{number}"
        for number, span in enumerate(found)
    ]
    return f"({' union all '.join(arms)})"
