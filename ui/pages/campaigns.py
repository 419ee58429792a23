"""Campaigns, and down to ad groups and ads: sorted, filtered and paged in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from markupsafe import Markup
from nicegui import ui
from sqlalchemy import Connection
from starlette.requests import Request

from adloom.metrics.query import Level, Row
from ui import formats
from ui.components import entities, shell, states, table, top
from ui.components.shell import Crumb
from ui.frame import frame
from ui.i18n import _
from ui.markup import EMPTY, h
from ui.page import Page, Read
from ui.params import Params
from ui.platform_words import level_labels
from ui.reads import entities as reads
from ui.reads.entities import PAGE_SIZE, Listing
from ui.services import Services

PATH = "/campaigns"


def register(services: Services) -> None:
    @ui.page(PATH)
    async def campaigns_page(request: Request) -> None:
        with frame(services, request, "campaigns", _("Campaigns")) as page:
            view = ListingView(page)
        await page.live(_listed, view.paint)

    @ui.page(PATH + "/{account_id:int}/{campaign_id}")
    async def campaign_page(request: Request, account_id: int, campaign_id: str) -> None:
        with frame(services, request, "campaigns", _("Campaign")) as page:
            view = ListingView(page)
        await page.live(_below(account_id, (("campaign", campaign_id),)), view.paint)

    @ui.page(PATH + "/{account_id:int}/{campaign_id}/{ad_group_id}")
    async def ad_group_page(request: Request, account_id: int, campaign_id: str, ad_group_id: str) -> None:
        with frame(services, request, "campaigns", _("Ad group")) as page:
            view = ListingView(page)
        await page.live(_below(account_id, (("campaign", campaign_id), ("ad_group", ad_group_id))), view.paint)


def _listed(connection: Connection, params: Params) -> Listing:
    return reads.campaigns(connection, params, cast("Level", params.level))


def _below(account_id: int, parents: tuple[tuple[Level, str], ...]) -> Read[Listing]:
    return lambda connection, params: reads.below(connection, params, account_id, parents)


class ListingView:
    """One table of entities; below a campaign its own name stands above."""

    def __init__(self, page: Page[Listing]) -> None:
        self.page = page
        self.table = page.region(states.card_skeleton(10))

    def paint(self, data: Listing) -> None:
        page, params = self.page, self.page.params
        top.show(page, data.situation, accounts=not data.above)
        if not data.situation.accounts:
            page.state(states.no_connection(may_connect=page.may_connect, sandbox=page.services.sandbox))
            return
        if data.above:
            name = data.above[-1].entity_name or ""
            page.named("title").show(h("h1", name, id="content", tabindex="-1"))
            page.named("crumbs").show(shell.crumbs(_trail(data, params)))
        self.table.show(_card(data, params, page.path))


def _trail(data: Listing, params: Params) -> list[Crumb]:
    trail = [Crumb(_("Campaigns"), params.shared().address(PATH))]
    for level, row in zip(("campaign", "ad_group"), data.above, strict=False):
        last = row is data.above[-1]
        trail.append(Crumb(row.entity_name or "", None if last else entities.address(row, level, params)))
    return trail


def _card(data: Listing, params: Params, path: str) -> Markup:
    head = h("div", _title(data, params, path), _tools(data, params, path), class_="card-head ruled")
    rows = data.result.rows
    if not rows:
        return h("section", head, _nothing(params, path), class_="card")
    columns = entities.columns(
        data.level,
        _address(data.level, params),
        data.spent_today,
        full=True,
        accounts=not data.above and data.situation.are_several(data.currency),
        platforms=data.platforms,
    )
    names = level_labels(data.platforms)
    totals = [(_total(data), row) for row in data.totals]
    listed = table.table(
        columns, rows, caption=names[data.level], key=entities.key, sorting=table.Sorting(params, path), totals=totals
    )
    pager = table.pager(params, path, shown=len(rows), total=data.result.total, size=PAGE_SIZE)
    return h("section", head, listed, pager or EMPTY, class_="card")


def _total(data: Listing) -> str:
    """What the sums at the foot are of."""
    of_meta = data.platforms == {"meta"}
    if len(data.above) == 1:
        return _("All of the campaign")
    if data.above:
        return _("All of the ad set") if of_meta else _("All of the ad group")
    groups = _("All ad sets") if of_meta else _("All ad groups")
    return {"campaign": _("All campaigns"), "ad_group": groups}.get(data.level, _("All ads"))


def _address(level: Level, params: Params) -> Callable[[Row], str | None]:
    return lambda row: entities.address(row, level, params)


def _title(data: Listing, params: Params, path: str) -> Markup:
    """Tabs for the levels; below a campaign the name of its parts."""
    count = h("span", formats.count(data.result.total), class_="count")
    if data.above:
        return h("h2", level_labels(data.platforms)[data.level], count)
    tabs = [
        h(
            "a",
            label,
            count if level == data.level else None,
            href=params.but(level=level).address(path),
            data_here=True,
            aria_current="page" if level == data.level else None,
        )
        for level, label in level_labels(data.platforms).items()
    ]
    return h("nav", tabs, class_="levels", aria_label=_("Level"))


def _tools(data: Listing, params: Params, path: str) -> Markup:
    label = _("Filter by name")
    box = table.search_box(params, path, label)
    if data.above or len(data.situation.currencies) < 2:  # noqa: PLR2004 - one is no choice
        return box
    choice = [
        h(
            "button",
            currency,
            type="button",
            data_here=params.but(currency=currency).address(path),
            aria_pressed="true" if currency == data.currency else "false",
        )
        for currency in data.situation.currencies
    ]
    return h(
        "div", h("div", choice, class_="choice inline", role="group", aria_label=_("Currency")), box, class_="tools"
    )


def _nothing(params: Params, path: str) -> Markup:
    if params.search:
        return states.nothing_found(params.search, params.but(search="").address(path))
    return states.nothing_in_period()
