"""Connections: which log-ins at ad platforms Adloom reads by, how each of them is, and the one button that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from adloom.connections.standing import Standing
from ui import formats
from ui.components import platforms, states, table, top
from ui.components.cards import card
from ui.components.status import tag
from ui.components.table import Column
from ui.frame import framed
from ui.i18n import _, _n
from ui.icons import icon
from ui.markup import EMPTY, Child, h
from ui.page import Page
from ui.pages.settings import dialogs_for
from ui.platform_words import name_of
from ui.reads.connections import AllConnections, every
from ui.reads.situation import Situation
from ui.services import Services
from ui.standing import Shown, shown

PATH = "/connections"
ACTIVE = "connections"
PAGE_SIZE = 25
SYSTEM_USER = "system_user"
Pair = tuple[Standing, Shown]
# A to-do list, not a log.
_MOST_SHOWN = 5


class ConnectionsPage(Page[Any]):
    """A page about connections; `missing` is said of one that is not there."""

    def missing(self) -> Markup:
        return states.no_connection_here()


def register(services: Services) -> None:
    @ui.page(PATH)
    async def connections_page(request: Request) -> None:
        with framed(services, request, ACTIVE, _("Connections"), ConnectionsPage) as page:
            dialogs_for(services, page)
            view = ConnectionsView(page)
        await page.live(every, view.paint)


class ConnectionsView:
    def __init__(self, page: ConnectionsPage) -> None:
        self.page = page
        self.trouble = page.region()
        self.listed = page.region(states.card_skeleton(3))
        self.more = page.region()

    def paint(self, data: AllConnections) -> None:
        page = self.page
        top.show(page, data.situation, accounts=False, dates=False)
        if not data.connections:
            self.trouble.show(EMPTY)
            self.listed.show(_nothing_yet(page))
            self.more.show(EMPTY)
            return
        ranked = [(each, shown(each, data.now)) for each in data.connections]
        self.trouble.show(_trouble(ranked, page))
        self.listed.show(_all(ranked, data.situation, page))
        self.more.show(_connect_more(page) if page.may_connect else EMPTY)


def _nothing_yet(page: ConnectionsPage) -> Markup:
    what = h("p", _("Connect an ad account and its numbers appear here, compared with the platform day by day."))
    if not page.may_connect:
        who = h("p", _("Only an administrator of your organisation can do that. Ask one to do it here."))
        return states.state("plug", _("No ad account is connected yet"), what, who)
    note = h("p", sandbox_words(), class_="small") if page.services.sandbox else None
    safe = h("p", _("Adloom reads. It changes nothing at a platform that nobody here has approved."), class_="small")
    return states.state(
        "plug",
        _("No ad account is connected yet"),
        what,
        platforms.connect_choice(primary=True),
        _by_token(),
        safe,
        note,
        look="wide",
    )


def sandbox_words() -> str:
    return _(
        "This installation runs on the sandbox, and connecting uses the sandbox's accounts. For your own numbers, "
        "whoever runs it enters the credentials of an app at the platform and starts it without the sandbox."
    )


def _trouble(ranked: Sequence[Pair], page: ConnectionsPage) -> Markup:
    """What needs a person, the worst first, each with its one button."""
    needing = [pair for pair in ranked if pair[1].needs_somebody]
    needing.sort(key=lambda pair: pair[1].mood != "bad")
    if not needing:
        return EMPTY
    shown = [_need(each, how, page) for each, how in needing[:_MOST_SHOWN]]
    rest = len(needing) - _MOST_SHOWN
    words = _n("{count} more in the list below", "{count} more in the list below", rest).format(count=rest)
    more = h("div", h("span"), h("p", words, class_="need-text"), class_="need") if rest > 0 else None
    return card(_("Needs you"), *shown, more)


def _need(item: Standing, how: Shown, page: ConnectionsPage) -> Markup:
    title = h("p", h("a", title_of(item), href=address(item)), " ", tag(how.mood, how.words), class_="need-title")
    body = h(
        "div",
        title,
        h("p", how.happened, class_="need-text"),
        h("p", how.step, class_="need-text") if page.may_connect else h("p", ask_somebody(), class_="need-text"),
    )
    return h("div", platforms.mark(item.connected.platform), body, h("div", verb(item, how, page), class_="need-verb"),
             class_="need with-verb")  # fmt: skip


def ask_somebody() -> str:
    return _("An administrator of your organisation can mend this here.")


def title_of(item: Standing) -> str:
    return _("{platform}: {name}").format(platform=name_of(item.connected.platform), name=item.connected.name)


def address(item: Standing) -> str:
    return f"{PATH}/{item.connected.connection_id}"


def verb(item: Standing, how: Shown, page: Page[Any], *, small: bool = False) -> Child:
    """The one button that mends it, for whoever may press it."""
    if how.verb == "look":
        return h("a", _("Look at the accounts"), href=f"{address(item)}#accounts", class_="verb" if small else "btn")
    if not page.may_connect or not how.verb:
        return None
    if how.verb == "choose":
        classes = "verb" if small else "btn primary"
        return h("a", _("Choose accounts"), href=f"{address(item)}#accounts", class_=classes)
    return platforms.reconnect_form(
        item.connected.connection_id, item.connected.platform, small=small, about=item.connected.name
    )


def _all(ranked: Sequence[Pair], now: Situation, page: ConnectionsPage) -> Markup:
    params, wanted = page.params, page.params.search.lower()
    found = [(each, how) for each, how in ranked if wanted in title_of(each).lower()]
    found.sort(key=lambda pair: (not pair[1].needs_somebody, pair[1].mood != "bad"))
    listed = table.paged(
        params,
        PATH,
        _columns(now),
        found,
        size=PAGE_SIZE,
        caption=_("Connections"),
        key=lambda pair: str(pair[0].connected.connection_id),
    )
    search = table.search_box(params, PATH, _("Filter connections"), wide=True) if len(ranked) > 1 else None
    return card(_("Connections"), listed, count=formats.count(len(ranked)), tools=search)


def _columns(now: Situation) -> list[Column[Pair]]:
    def name(pair: Pair) -> Markup:
        item = pair[0]
        link = h("a", item.connected.name, href=address(item))
        under = h("span", kind_words(item), class_="under")
        return h(
            "span",
            platforms.mark(item.connected.platform),
            h("span", link, under, class_="entity-text"),
            class_="entity",
        )

    def accounts(pair: Pair) -> str:
        item = pair[0]
        return _("{synced} of {all}").format(synced=formats.count(item.chosen), all=formats.count(item.found))

    return [
        Column[Pair](_("Connection"), name, name=True),
        Column[Pair](_("State"), lambda pair: tag(pair[1].mood, pair[1].words), left=True),
        Column[Pair](_("Accounts synced"), accounts, wide=True),
        Column[Pair](_("Access ends"), lambda pair: _ends(pair[0]), left=True, roomy=True),
        Column[Pair](_("Last synced"), lambda pair: synced_words(pair[0], now), wide=True),
    ]


def kind_words(item: Standing) -> str:
    """The platform, and whose log-in it is where it is no person's."""
    name = name_of(item.connected.platform)
    return _("{platform}, system user").format(platform=name) if item.connected.token_kind == SYSTEM_USER else name


def _ends(item: Standing) -> Markup:
    if item.connected.status != "active":
        return h("span", formats.NONE, class_="muted")
    if item.connected.token_expires_at is None:
        return h("span", _("does not end by itself"), class_="muted")
    return h("span", formats.day_with_year(item.connected.token_expires_at.date()))


def synced_words(item: Standing, now: Situation) -> Markup:
    """When one of its accounts was read last."""
    if item.last_synced_at is None:
        return h("span", _("never"), class_="muted")
    return h("span", formats.moment(item.last_synced_at, now.zone, now.today))


def _by_token() -> Markup:
    summary = h("summary", icon("key"), _("Connect Meta by the token of a system user"))
    return h("details", summary, platforms.token_form(), class_="token-way", id="token-way")


def _connect_more(page: ConnectionsPage) -> Markup:
    note = h("p", sandbox_words(), class_="muted small") if page.services.sandbox else None
    body = h("div", platforms.connect_choice(primary=False), _by_token(), note, class_="card-body")
    return h("section", h("div", h("h2", _("Connect another log-in")), class_="card-head ruled"), body, class_="card",
             id="connect")  # fmt: skip
