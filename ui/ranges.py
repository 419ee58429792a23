"""Date ranges: the presets of the range menu, and the period that each is compared with.

"Today" is the accounts' local day of the business clock. The last days end yesterday: a day that has only begun would
look like a fall, and weigh every comparison down. *Today* and *This month* include it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from adloom.metrics.query import Period
from ui import formats
from ui.i18n import _, _n

DEFAULT_PRESET = "28d"
CUSTOM = "custom"
FORTNIGHT = 14
# Platforms keep about 37 months; a longer range is a typing error.
LONGEST_DAYS = 37 * 31


@dataclass(frozen=True)
class DateRange:
    """What the range menu shows as chosen. `previous` is what changes are measured against."""

    preset: str
    period: Period
    previous: Period

    @property
    def label(self) -> str:
        """Last 28 days; the days themselves for a custom range."""
        if self.preset == CUSTOM:
            return formats.days(self.period.since, self.period.until)
        return preset_labels()[self.preset]

    @property
    def previous_label(self) -> str:
        """The legend of the dashed line: previous 28 days."""
        length = self.previous.days
        if self.preset in ("month", "last_month"):
            return formats.days(self.previous.since, self.previous.until)
        return _n("previous day", "previous {days} days", length).format(days=length)

    @property
    def drawn(self) -> DateRange:
        """The days of the chart: those of the range; a single day is drawn at the end of the fortnight up to it."""
        if self.period.days > 1:
            return self
        period = Period(self.period.until - timedelta(days=FORTNIGHT - 1), self.period.until)
        return DateRange(CUSTOM, period, period.before())


def preset_labels() -> dict[str, str]:
    """The presets in the order of the menu, in the visitor's language."""
    return {
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "7d": _("Last 7 days"),
        "14d": _("Last 14 days"),
        "28d": _("Last 28 days"),
        "90d": _("Last 90 days"),
        "month": _("This month"),
        "last_month": _("Last month"),
    }


def _today(today: date) -> Period:
    return Period(today, today)


def _last(length: int) -> Callable[[date], Period]:
    """So many whole days."""
    return lambda today: Period(today - timedelta(days=length), today - timedelta(days=1))


def _month(today: date) -> Period:
    return Period(today.replace(day=1), today)


def _last_month(today: date) -> Period:
    until = today.replace(day=1) - timedelta(days=1)
    return Period(until.replace(day=1), until)


PRESETS: dict[str, Callable[[date], Period]] = {
    "today": _today,
    "yesterday": _last(1),
    "7d": _last(7),
    "14d": _last(14),
    "28d": _last(28),
    "90d": _last(90),
    "month": _month,
    "last_month": _last_month,
}


def preset(name: str, today: date) -> DateRange:
    """The range of a preset; KeyError for an unknown name."""
    period = PRESETS[name](today)
    if name in ("month", "last_month"):
        return DateRange(name, period, _same_days_of_the_month_before(period))
    return DateRange(name, period, period.before())


def custom(since: date, until: date) -> DateRange:
    """A range by its first and last day; ValueError when it is empty or longer than platforms keep."""
    if since > until:
        raise ValueError("the first day is after the last")
    if (until - since).days >= LONGEST_DAYS:
        raise ValueError("the range is longer than platforms keep data")
    period = Period(since, until)
    return DateRange(CUSTOM, period, period.before())


def _same_days_of_the_month_before(period: Period) -> Period:
    """1 to 20 November against 1 to 20 October; a whole month against the whole month before."""
    last_day_before = period.since - timedelta(days=1)
    since = last_day_before.replace(day=1)
    if period.until.day == monthrange(period.until.year, period.until.month)[1]:
        return Period(since, last_day_before)
    return Period(since, min(since + (period.until - period.since), last_day_before))
