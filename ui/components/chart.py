"""The chart card: title, legend and a line per day drawn by ECharts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from nicegui import ui

from ui.components.region import Region
from ui.i18n import _
from ui.markup import h

# Referred to by the chart's provisional days; its colour follows the theme.
HATCH = Markup(
    '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
    '<pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="1" y1="0" x2="1" y2="8" stroke="var(--hatch)" stroke-width="1.5"/></pattern></defs></svg>'
)


def head(title: str, current: str, previous: str) -> Markup:
    """The title and the legend of both lines."""
    return h(
        "div",
        h("h2", title),
        h(
            "div",
            h("span", h("i", class_="dash now"), current),
            h("span", h("i", class_="dash then"), previous, class_="then"),
            class_="legend",
        ),
        class_="card-head",
    )


class ChartCard:
    """Made with its skeleton; the drawing library is loaded with the first numbers."""

    def __init__(self, skeleton: Markup) -> None:
        with ui.element("section").classes("card chart-card") as self.card:
            self._head = Region(skeleton)
            self._place = ui.element("div").classes("chart-place")
        self._chart: ui.echart | None = None

    def show(self, header: Markup, options: dict[str, Any], summary: str) -> None:
        """Draw; `summary` says in words what the drawing shows."""
        self._head.show(HATCH + header)
        self._place.props["role"], self._place.props["aria-label"] = "img", summary
        if self._chart is None:
            with self._place:
                self._chart = ui.echart(options, renderer="svg").classes("chart")
            return
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()


def summary(title: str, period: str, total: str) -> str:
    return _("{title}, {period}. In total {total}.").format(title=title, period=period, total=total)
