"""KPIs: a number, its change, and a button that chooses what the chart shows. One line per currency."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from adloom.metrics.query import Measures
from ui.i18n import _, _n
from ui.markup import h, join
from ui.measures import METRICS, Metric, change
from ui.params import Params

# Characters that fit a tile at full size.
_FITS = 9


@dataclass(frozen=True)
class CurrencyLine:
    """The sums of one currency, and how many accounts they come from."""

    currency: str
    accounts: int
    current: Measures
    previous: Measures


def kpis(lines: list[CurrencyLine], params: Params, path: str, *, chosen: str, against: str, partial: bool) -> Markup:
    """The strip of KPIs. `chosen` is the chart's currency, `against` names the period compared with."""
    several = len(lines) > 1
    drawn = []
    for line in lines:
        tiles = [
            _tile(
                metric,
                line,
                params.but(metric=metric.key, currency=line.currency if several else None),
                path,
                pressed=line.currency == chosen and metric.key == params.metric,
                against=against,
                partial=partial,
            )
            for metric in METRICS.values()
        ]
        drawn.append(_line(line, tiles, named=several, chosen=line.currency == chosen))
    return h("section", join(*drawn), class_="card kpis", aria_label=_("Key figures"))


def _line(line: CurrencyLine, tiles: list[Markup], *, named: bool, chosen: bool) -> Markup:
    if not named:
        return h("div", tiles, class_="kpi-line")
    count = _n("{count} account", "{count} accounts", line.accounts).format(count=line.accounts)
    name = h("div", line.currency, h("small", count), class_="kpi-name")
    classes = "kpi-line named chosen" if chosen else "kpi-line named"
    return h("div", name, tiles, class_=classes, role="group", aria_label=line.currency)


def _tile(
    metric: Metric, line: CurrencyLine, target: Params, path: str, *, pressed: bool, against: str, partial: bool
) -> Markup:
    moved = change(metric, line.current, line.previous, partial=partial)
    exact = metric.exact(line.current, line.currency)
    before = metric.exact(line.previous, line.currency)
    hint = _("{exact}; {before} in the {period}").format(exact=exact, before=before, period=against)
    value = metric.short(line.current, line.currency)
    return h(
        "button",
        h("span", metric.label, class_="kpi-label"),
        h("span", value, class_="kpi-value long" if len(value) > _FITS else "kpi-value"),
        h("span", moved.text, class_=f"kpi-delta {moved.mood}"),
        type="button",
        class_="kpi",
        id=f"kpi-{line.currency}-{metric.key}",
        title=hint,
        aria_pressed="true" if pressed else "false",
        data_here=target.address(path),
        data_kpi=metric.key,
    )
