"""Tables: real ones, sorted by the buttons in their head, paged in SQL. On the phone a row keeps its first columns
and unfolds to the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from markupsafe import Markup

from ui import formats
from ui.components import states
from ui.i18n import _
from ui.icons import icon
from ui.markup import Child, h, join
from ui.params import Params

R = TypeVar("R")
Cell = Callable[[R], Child]


@dataclass(frozen=True)
class Column(Generic[R]):
    """`sort` is a key of `Params.sort`. `wide` columns are left out on the phone, `roomy` ones on small screens too."""

    label: str
    cell: Cell[R]
    sort: str | None = None
    name: bool = False
    wide: bool = False
    roomy: bool = False
    left: bool = False
    strong: bool = False
    end: bool = False

    @property
    def classes(self) -> str:
        named = {
            "left": self.left or self.name,
            "wide": self.wide or self.roomy,
            "narrow-off": self.roomy,
            "end": self.end,
        }
        return " ".join(name for name, on in named.items() if on)


@dataclass(frozen=True)
class Sorting:
    """How the table is sorted now, and where its head leads."""

    params: Params
    path: str

    def target(self, key: str) -> str:
        """The same column again turns the order round; a new one starts with the largest, names with A."""
        if self.params.sort == key:
            return self.params.but(descending=not self.params.descending).address(self.path)
        return self.params.but(sort=key, descending=key != "name").address(self.path)

    def direction(self, key: str) -> str | None:
        if self.params.sort != key:
            return None
        return "descending" if self.params.descending else "ascending"


def table(
    columns: Sequence[Column[R]],
    rows: Sequence[R],
    *,
    caption: str,
    key: Callable[[R], str],
    sorting: Sorting | None = None,
    totals: Sequence[tuple[str, R]] = (),
) -> Markup:
    """A table; `totals` are lines at its foot, each with its name."""
    *others, last = columns
    columns = [*others, replace(last, end=True)]
    unfolds = any(column.wide or column.roomy for column in columns)
    head = h(
        "tr",
        [_head(column, sorting) for column in columns],
        h("th", h("span", _("Details"), class_="only-read"), class_="unfold", scope="col") if unfolds else None,
    )
    body = join(*(_row(columns, row, key(row), unfolds=unfolds) for row in rows))
    foot = h("tfoot", [_total(columns, name, row, unfolds=unfolds) for name, row in totals]) if totals else None
    return h("table", h("caption", caption, class_="only-read"), h("thead", head), h("tbody", body), foot, class_="tbl")


def _head(column: Column[R], sorting: Sorting | None) -> Markup:
    if sorting is None or column.sort is None:
        return h("th", column.label, scope="col", class_=column.classes)
    direction = sorting.direction(column.sort)
    arrow = {"descending": "↓", "ascending": "↑"}.get(direction or "")
    mark = h("span", arrow, class_="sort-mark", aria_hidden="true") if arrow else None
    button = h(
        "button",
        column.label,
        mark,
        type="button",
        class_="sort",
        id=f"sort-{column.sort}",
        data_here=sorting.target(column.sort),
        data_sorted=direction,
    )
    return h("th", button, scope="col", class_=column.classes, aria_sort=direction)


def _row(columns: Sequence[Column[R]], row: R, key: str, *, unfolds: bool) -> Markup:
    cells = [h("td", column.cell(row), class_=_cell_classes(column)) for column in columns]
    if not unfolds:
        return h("tr", cells, id=f"row-{key}")
    button = h(
        "button",
        icon("down"),
        type="button",
        id=f"unfold-{key}",
        aria_expanded="false",
        aria_controls=f"more-{key}",
        aria_label=_("Details"),
    )
    hidden = [
        h("div", h("dt", column.label), h("dd", column.cell(row))) for column in columns if column.wide or column.roomy
    ]
    shown = sum(1 for column in columns if not (column.wide or column.roomy)) + 1
    return join(
        h("tr", cells, h("td", button, class_="unfold"), id=f"row-{key}", data_unfolds=True),
        h("tr", h("td", h("dl", hidden), colspan=shown), class_="more", id=f"more-{key}", hidden=True),
    )


def _total(columns: Sequence[Column[R]], name: str, row: R, *, unfolds: bool) -> Markup:
    first, *others = columns
    cells = [h("td", column.cell(row), class_=_cell_classes(column)) for column in others]
    return h("tr", h("td", name, class_=_cell_classes(first)), cells, h("td", class_="unfold") if unfolds else None)


def _cell_classes(column: Column[R]) -> str:
    return " ".join(filter(None, (column.classes, "name" if column.name else "", "strong" if column.strong else "")))


def search_box(params: Params, path: str, label: str, *, wide: bool = False) -> Markup:
    """A filter that applies while it is typed; without it the whole state of the page stays in the form."""
    kept = params.but(search="").address(path)
    hidden = [h("input", type="hidden", name=name, value=value) for name, value in params.but(search="").items()]
    box = h(
        "input",
        type="search",
        name="q",
        value=params.search,
        placeholder=label,
        aria_label=label,
        id="filter",
        class_="input",
        autocomplete="off",
        maxlength=200,
    )
    return h(
        "form", hidden, box, role="search", action=path, data_here=kept, class_="filter wide" if wide else "filter"
    )


def page_of(params: Params, rows: Sequence[R], size: int) -> tuple[Params, Sequence[R]]:
    """The rows of the page that is asked for. There may be fewer by now: then the last page, and the state says so."""
    last = max(1, -(-len(rows) // size))
    page = min(params.page, last)
    return params.but(page=page), rows[(page - 1) * size : page * size]


def paged(
    params: Params,
    path: str,
    columns: Sequence[Column[R]],
    rows: Sequence[R],
    *,
    size: int,
    caption: str,
    key: Callable[[R], str],
) -> Markup:
    """A page of what the filter leaves, with the way to the others; or that it leaves nothing."""
    if not rows:
        return states.nothing_found(params.search, params.but(search="").address(path))
    params, shown = page_of(params, rows, size)
    listed = table(columns, shown, caption=caption, key=key)
    return join(listed, pager(params, path, shown=len(shown), total=len(rows), size=size))


def pager(params: Params, path: str, *, shown: int, total: int, size: int) -> Markup | None:
    """Which rows of how many, and the way to the others; nothing when all are on the page."""
    if total <= size and params.page == 1:
        return None
    first = (params.page - 1) * size + 1
    words = _("{first} to {last} of {total}").format(
        first=formats.count(first), last=formats.count(first + shown - 1), total=formats.count(total)
    )
    back = _step(params, path, params.page - 1, _("Previous"), on=params.page > 1)
    ahead = _step(params, path, params.page + 1, _("Next"), on=first + shown - 1 < total)
    return h("nav", h("span", words), h("div", back, ahead), class_="pager", aria_label=_("Pages"))


def _step(params: Params, path: str, page: int, label: str, *, on: bool) -> Markup:
    if not on:
        return h("span", label, class_="btn off", aria_disabled="true")
    return h("a", label, class_="btn", href=params.but(page=page).address(path), data_here=True, id=f"to-{label}")
