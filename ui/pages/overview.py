"""The overview: what was spent and earned, better or worse than before, how true it is, what needs the person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from adloom.metrics.query import Measures
from ui import charts, formats
from ui.charts import Point, Words
from ui.components import chart, entities, kpi, needs, split, states, table, top
from ui.components.chart import ChartCard
from ui.frame import frame
from ui.i18n import _
from ui.markup import EMPTY, h, join
from ui.measures import METRICS, Metric
from ui.page import Page
from ui.params import Params
from ui.ranges import DateRange
from ui.reads.overview import Overview, days_of, overview
from ui.services import Services

PATH = "/"


def register(services: Services) -> None:
    @ui.page(PATH)
    async def overview_page(request: Request) -> None:
        with frame(services, request, "overview", _("Overview")) as page:
            view = OverviewView(page)
        await page.live(overview, view.paint)


class OverviewView:
    def __init__(self, page: Page[Overview]) -> None:
        self.page = page
        self.kpis = page.region(states.kpi_skeleton())
        with ui.element("div").classes("halves whole") as self.halves:
            self.chart = ChartCard(states.chart_skeleton())
            self.needs = page.region().classes("needs")
            self.needs.set_visibility(False)
        self.split = page.region(states.card_skeleton(2))
        self.table = page.region(states.card_skeleton(6))

    def paint(self, data: Overview) -> None:
        now, params = data.situation, self.page.params
        top.show(self.page, now)
        if not now.accounts:
            self.page.state(states.no_connection(may_connect=self.page.may_connect, sandbox=self.page.services.sandbox))
            return
        if now.trust.data_as_of is None and not any(line.current.impressions for line in data.lines):
            self.page.state(join(self._needs(data), states.first_sync()))
            return
        self.kpis.show(
            kpi.kpis(
                list(data.lines),
                params,
                PATH,
                chosen=data.currency,
                against=now.dates.previous_label,
                partial=now.dates.period.since == now.today,
            )
        )
        self._paint_chart(data)
        to_do = self._needs(data)
        self.needs.show(to_do)
        self.needs.set_visibility(bool(to_do))
        self.halves.classes(add="" if to_do else "whole", remove="whole" if to_do else "")
        self.split.show(split.split(list(data.shares)))
        self.table.show(_campaigns(data, params))

    def _needs(self, data: Overview) -> Markup:
        now = data.situation
        return needs.needs(
            list(now.needs), now.zone, now.today, may_connect=self.page.may_connect, may_sync=self.page.may_sync
        )

    def _paint_chart(self, data: Overview) -> None:
        metric, dates = METRICS[self.page.params.metric], data.situation.dates.drawn
        several = len(data.situation.currencies) > 1
        title = f"{metric.per_day} · {data.currency}" if several else metric.per_day
        shown = points(metric, data, dates, data.situation.today)
        span = formats.days(dates.period.since, dates.period.until)
        words = Words(
            metric.label,
            span,
            dates.previous_label,
            _("provisional"),
            _("Provisional: the platform may still change this day, as late conversions come in."),
        )
        ticks = charts.ticks(shown)
        labels = [_axis_label(metric, tick, data.currency, ticks[-1]) for tick in ticks]
        line = next(line for line in data.lines if line.currency == data.currency)
        whole = formats.days(data.situation.dates.period.since, data.situation.dates.period.until)
        summary = chart.summary(title, whole, metric.exact(line.current, data.currency))
        self.chart.show(
            chart.head(title, span, dates.previous_label), charts.time_series(shown, labels, words), summary
        )


def points(metric: Metric, data: Overview, dates: DateRange, today: date) -> list[Point]:
    """Every day of the range, also those without delivery; days to come are left open."""
    before = dict(enumerate(days_of(dates.previous)))
    moving = data.situation.provisional_since(data.currency)
    drawn = []
    for index, day in enumerate(days_of(dates.period)):
        sums = data.days.get(day, Measures())
        earlier = data.previous_days.get(before[index], Measures()) if index in before else None
        value = None if day > today else metric.read(sums)
        previous = metric.read(earlier) if earlier else None
        drawn.append(
            Point(
                label=formats.day(day),
                title=formats.day_with_weekday(day),
                value=None if value is None else Decimal(value),
                text=metric.exact(sums, data.currency),
                previous=None if previous is None else Decimal(previous),
                previous_text=metric.exact(earlier, data.currency) if earlier else "",
                previous_title=formats.day_with_weekday(before[index]) if index in before else "",
                provisional=moving is not None and moving <= day <= today,
            )
        )
    return drawn


def _axis_label(metric: Metric, tick: Decimal, currency: str, top: Decimal) -> str:
    if metric.kind == "money":
        return formats.axis_money(tick, currency, top)
    return formats.axis_count(tick, top)


def _campaigns(data: Overview, params: Params) -> Markup:
    """The largest campaigns, with the way to all of them."""
    everything = params.shared().but(currency=params.currency).address("/campaigns")
    rows, total = data.campaigns.rows, data.campaigns.total
    title = h("div", h("h2", _("Campaigns"), h("span", formats.count(total), class_="count")))
    head = h("div", title, table.search_box(params, PATH, _("Filter campaigns")), class_="card-head ruled")
    if not rows and params.search:
        return h(
            "section", head, states.nothing_found(params.search, params.but(search="").address(PATH)), class_="card"
        )
    if not rows:
        return h("section", head, states.nothing_in_period(), class_="card")
    several = data.situation.are_several(data.currency)
    columns = entities.columns(
        "campaign",
        lambda row: entities.address(row, "campaign", params),
        data.spent_today,
        full=False,
        accounts=several,
    )
    listed = table.table(columns, rows, caption=_("Campaigns"), key=entities.key, sorting=table.Sorting(params, PATH))
    more = h("div", h("a", _("All campaigns"), href=everything), class_="pager") if total > len(rows) else EMPTY
    return h("section", head, listed, more, class_="card")
