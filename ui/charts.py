"""ECharts options, as pure functions. Colours are CSS variables, so that the chart follows the theme by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from markupsafe import Markup

from ui.markup import h, join

INTERVALS = 3  # makes four grid lines
_STEPS = (
    Decimal(1),
    Decimal("1.5"),
    Decimal(2),
    Decimal("2.5"),
    Decimal(3),
    Decimal(4),
    Decimal(5),
    Decimal(6),
    Decimal(8),
)
_DAYS_IN_WEEK = 7
_FAINT = "var(--faint)"
_PHONE = 768  # px; narrower is a phone, as in the style sheet
_LABEL = {"color": "var(--muted)", "fontSize": 11.5, "fontFamily": "inherit"}


@dataclass(frozen=True)
class Point:
    """One day: `value` is drawn (None leaves a gap), the texts are shown exactly as they are."""

    label: str
    title: str
    value: Decimal | None
    text: str
    previous: Decimal | None
    previous_text: str
    previous_title: str
    provisional: bool = False


@dataclass(frozen=True)
class Words:
    """The chart's texts in the visitor's language."""

    metric: str
    current: str
    previous: str
    provisional: str
    provisional_reason: str


def scale(highest: Decimal) -> tuple[Decimal, Decimal]:
    """The top of the axis and the distance between its lines, both round: 2,400 and 800 for 2,150."""
    if highest <= 0:
        return Decimal(INTERVALS), Decimal(1)
    wanted = highest / INTERVALS
    magnitude = Decimal(1).scaleb(wanted.adjusted())
    for factor in (*_STEPS, Decimal(10)):
        if factor * magnitude >= wanted:
            step = factor * magnitude
            return step * INTERVALS, step
    step = magnitude * (wanted / magnitude).to_integral_value(ROUND_CEILING)
    return step * INTERVALS, step


def ticks(points: list[Point]) -> list[Decimal]:
    """The values of the grid lines, lowest first."""
    drawn = [value for point in points for value in (point.value, point.previous) if value is not None]
    top, step = scale(max(drawn, default=Decimal(0)))
    low = min(drawn, default=Decimal(0))
    bottom = Decimal(0)
    while bottom > low:  # corrections of a platform can make a day negative
        bottom -= step
    lines = [bottom]
    while lines[-1] < top:
        lines.append(lines[-1] + step)
    return lines


def labelled_days(length: int, spans: int = 5) -> list[int]:
    """Which days get a label: the last, from there back every week, further apart on long ranges; and the first.

    `spans`: into how many parts the labels cut the range, about.
    """
    every = 1 if length <= _DAYS_IN_WEEK else _DAYS_IN_WEEK * max(1, round(length / (_DAYS_IN_WEEK * spans)))
    chosen = list(range(length - 1, -1, -every))[::-1]
    if chosen[0] >= every * 0.8:
        chosen.insert(0, 0)
    return chosen


def tooltip(point: Point, words: Words) -> Markup:
    """The small card over a day; every text is escaped."""
    lines = [h("div", h("i", class_="dash now"), h("span", words.metric), h("b", point.text), class_="tip-line")]
    if point.previous is not None:
        line = h(
            "div",
            h("i", class_="dash then"),
            h("span", point.previous_title),
            h("b", point.previous_text),
            class_="tip-line",
        )
        lines.append(line)
    note = h("p", words.provisional_reason, class_="tip-note") if point.provisional else None
    return h("div", h("strong", point.title), join(*lines), note, class_="tip")


def _javascript(value: object) -> str:
    # Read by `new Function` in the browser; `<` cannot end a script there or here.
    return json.dumps(value).replace("<", "\\u003c")


def _axis_x(points: list[Point]) -> dict[str, Any]:
    shown = labelled_days(len(points)) if points else []
    # A phone has no room for a label each week.
    few = labelled_days(len(points), 2) if points else []
    chosen = f"(innerWidth < {_PHONE} ? {_javascript(few)} : {_javascript(shown)})"
    return {
        "type": "category",
        "boundaryGap": len(points) == 1,
        "data": [point.label for point in points],
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {
            **_LABEL,
            "color": "var(--muted)",
            "margin": 12,
            "hideOverlap": True,
            "alignMinLabel": "left" if len(points) > 1 else "center",
            "alignMaxLabel": "right" if len(points) > 1 else "center",
            ":interval": f"(index) => {chosen}.includes(index)",
        },
        "axisPointer": {
            "show": True,
            "type": "line",
            "lineStyle": {"color": _FAINT, "width": 1, "type": "solid"},
            "label": {"show": False},
        },
    }


def _axis_y(lines: list[Decimal], labels: list[str]) -> dict[str, Any]:
    return {
        "type": "value",
        "min": float(lines[0]),
        "max": float(lines[-1]),
        "interval": float(lines[1] - lines[0]),
        "axisLabel": {
            **_LABEL,
            "margin": 10,
            "align": "left",
            ":formatter": f"(value, index) => ({_javascript(labels)})[index]",
        },
        "splitLine": {"lineStyle": {"color": "var(--line)", "width": 1}},
    }


def _gradient() -> dict[str, Any]:
    stops = [{"offset": 0, "color": "var(--chart-area)"}, {"offset": 1, "color": "var(--chart-area-end)"}]
    return {"type": "linear", "x": 0, "y": 0, "x2": 0, "y2": 1, "colorStops": stops}


def _hatch(points: list[Point], words: Words) -> dict[str, Any]:
    """The provisional days at the end of the range, hatched, with their name above."""
    provisional = [index for index, point in enumerate(points) if point.provisional]
    if not provisional or len(points) == 1:
        return {"silent": True, "data": []}
    first = max(provisional[0] - 1, 0)
    # At the right the label would lie on the mark of the last day.
    place = "insideTopLeft" if first == 0 else "insideTopRight"
    label = {"show": True, "position": place, "distance": 4, **_LABEL, "fontSize": 11.5}
    # A few days stand out; a whole chart stays readable.
    opacity = 1 if len(provisional) <= _DAYS_IN_WEEK else 0.4
    area = [{"xAxis": first, "name": words.provisional, "label": label}, {"xAxis": provisional[-1]}]
    return {"silent": True, "itemStyle": {"color": "url(#hatch)", "opacity": opacity}, "data": [area]}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)  # a coordinate of the drawing; the exact value is in the texts


def time_series(points: list[Point], labels: list[str], words: Words) -> dict[str, Any]:
    """A line per day with its area, the period before dashed, provisional days hatched.

    `labels` are the texts of `ticks(points)`.
    """
    last = len(points) - 1
    current = [
        {"value": _number(point.value), "symbol": "circle" if index == last else "none", "symbolSize": 9}
        for index, point in enumerate(points)
    ]
    tips = _javascript([str(tooltip(point, words)) for point in points])
    width = max((len(label) for label in labels), default=4) * 6.6 + 14
    return {
        "animation": False,
        "grid": {"left": width, "right": 8, "top": 12, "bottom": 30},
        "xAxis": _axis_x(points),
        "yAxis": {
            **_axis_y(ticks(points), labels),
            "axisLabel": {**_axis_y(ticks(points), labels)["axisLabel"], "margin": width},
        },
        "tooltip": {
            "trigger": "axis",
            "className": "tip-card",
            "confine": True,
            "transitionDuration": 0,
            "padding": 0,
            "borderWidth": 0,
            "backgroundColor": "transparent",
            "extraCssText": "box-shadow:none",
            ":formatter": f"(days) => ({tips})[days[0].dataIndex]",
        },
        "series": [
            {
                "type": "line",
                "name": words.current,
                "data": current,
                "z": 3,
                "connectNulls": False,
                "lineStyle": {"color": "var(--accent)", "width": 2},
                "areaStyle": {"color": _gradient()},
                "itemStyle": {"color": "var(--surface)", "borderColor": "var(--accent)", "borderWidth": 2},
                "emphasis": {"disabled": True},
                "markArea": _hatch(points, words),
            },
            {
                "type": "line",
                "name": words.previous,
                "data": [_number(point.previous) for point in points],
                "symbol": "none" if len(points) > 1 else "circle",
                "z": 2,
                "emphasis": {"disabled": True},
                "lineStyle": {"color": "var(--muted)", "width": 1.5, "type": [3, 4], "opacity": 0.75},
                "itemStyle": {"color": "var(--muted)"},
            },
        ],
    }
