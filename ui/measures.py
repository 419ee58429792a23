"""The six numbers of the overview: how each is read from the sums, written, compared, and whether more is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from adloom.metrics.query import Measures
from ui import formats
from ui.i18n import _

_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Metric:
    """`kind` is money, count or ratio. `more_is_better` is None where more is neither good nor bad."""

    key: str
    kind: str
    read: Callable[[Measures], Decimal | int | None]
    more_is_better: bool | None = True

    @property
    def label(self) -> str:
        return labels()[self.key]

    @property
    def per_day(self) -> str:
        """The chart's title."""
        return _("{metric} per day").format(metric=self.label)

    def exact(self, measures: Measures, currency: str) -> str:
        value = self.read(measures)
        if self.kind == "money":
            return formats.money(_decimal(value), currency)
        return formats.ratio(_decimal(value)) if self.kind == "ratio" else formats.count(value)

    def short(self, measures: Measures, currency: str) -> str:
        value = self.read(measures)
        if self.kind == "money":
            return formats.short_money(_decimal(value), currency)
        return formats.ratio(_decimal(value)) if self.kind == "ratio" else formats.short_count(value)


@dataclass(frozen=True)
class Change:
    """A change against the period before. `mood` is good, bad or empty."""

    text: str
    mood: str


def labels() -> dict[str, str]:
    return {
        "spend": _("Spend"),
        "impressions": _("Impressions"),
        "clicks": _("Clicks"),
        "conversions": _("Conversions"),
        "value": _("Value"),
        "roas": _("ROAS"),
    }


METRICS = {
    metric.key: metric
    for metric in (
        Metric("spend", "money", lambda sums: sums.spend, more_is_better=None),
        Metric("impressions", "count", lambda sums: sums.impressions),
        Metric("clicks", "count", lambda sums: sums.clicks),
        Metric("conversions", "count", lambda sums: sums.conversions),
        Metric("value", "money", lambda sums: sums.conversion_value),
        Metric("roas", "ratio", lambda sums: sums.roas),
    )
}


def _decimal(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def change(metric: Metric, current: Measures, previous: Measures | None, *, partial: bool = False) -> Change:
    """How much a number moved: in per cent, a ratio absolutely. A day that is not over yet is not judged."""
    now, then = metric.read(current), metric.read(previous) if previous else None
    if then is None or now is None:
        return Change(formats.NONE, "")
    difference = Decimal(now) - Decimal(then)
    if metric.kind == "ratio":
        moved = round(difference, 2)
        return Change(formats.signed_ratio(moved), _mood(metric, moved, partial=partial))
    if not then:
        return Change(_("new") if now else formats.NONE, "")
    grown = round(difference / abs(Decimal(then)) * _HUNDRED, 1)
    return Change(formats.signed_percent(grown), _mood(metric, grown, partial=partial))


def _mood(metric: Metric, difference: Decimal, *, partial: bool) -> str:
    if partial or metric.more_is_better is None or not difference:
        return ""
    return "good" if (difference > 0) == metric.more_is_better else "bad"


def spend_change(current: Measures, previous: Measures | None) -> str:
    """The table's change of spend, whole per cent."""
    if previous is None or not previous.spend:
        return _("new") if current.spend and previous is not None else formats.NONE
    return formats.signed_percent((current.spend - previous.spend) / abs(previous.spend) * _HUNDRED, 0)
