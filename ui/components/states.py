"""Designed states: nothing there yet, loading, an error, numbers that could not be refreshed."""

from __future__ import annotations

from markupsafe import Markup

from ui.components import platforms
from ui.i18n import _
from ui.icons import icon
from ui.markup import Child, h

LINE_HEIGHT = 12


def state(
    mark: str,
    title: str,
    *children: Child,
    mood: str = "",
    actions: Child = None,
    alert: bool = False,
    look: str = "",
) -> Markup:
    """A card in the middle of the page: a mark, what it is, what to do."""
    return h(
        "section",
        h("div", icon(mark), class_=f"state-mark {mood}"),
        h("h2", title),
        *children,
        h("div", actions, class_="actions") if actions else None,
        class_=f"card state {look}".rstrip(),
        role="alert" if alert else None,
    )


def no_connection(*, may_connect: bool, sandbox: bool) -> Markup:
    """Before the first ad account is connected."""
    what = h("p", _("Connect an ad account and its numbers appear here, compared with the platform day by day."))
    if not may_connect:
        who = h("p", _("Only an administrator of your organisation can do that. Ask one to do it here."))
        return state("plug", _("No ad account is connected yet"), what, who)
    note = (
        h("p", _("This installation runs on sandbox data: connecting uses the sandbox's accounts."))
        if sandbox
        else None
    )
    return state("plug", _("No ad account is connected yet"), what, note, actions=platforms.connect_acts(primary=True))


def first_sync() -> Markup:
    """Connected, and the first numbers are on their way."""
    return state(
        "refresh",
        _("The first numbers are on their way"),
        h(
            "p",
            _(
                "The account is connected and its first sync runs. The newest days come first; this page shows them as "
                "they arrive, you don't have to reload it."
            ),
        ),
    )


def nothing_found(search: str, clear: str) -> Markup:
    """A filter that fits nothing."""
    words = h("p", _("Nothing has “{search}” in its name.").format(search=search))
    link = h("a", _("Clear the filter"), href=clear, data_here=True, class_="btn")
    return h("div", words, h("div", link, class_="actions"), class_="state")


def nothing_in_period() -> Markup:
    return h("div", h("p", _("Nothing was delivered in this period.")), class_="state")


def failed(request_id: str, *, retry: str, surprise: bool = False) -> Markup:
    """Nothing could be read: what happened, what is still true, what to do. `surprise`: it is a fault of ours."""
    happened = _("Something went wrong on our side.") if surprise else _("A part of Adloom does not answer.")
    still = _("Nothing is lost: what was synced is stored, and syncing goes on by itself.")
    advice = _("Try again in a minute. If it stays like this, give the number below to whoever runs this installation.")
    return state(
        "alert",
        _("The numbers cannot be shown right now"),
        h("p", happened, " ", still),
        h("p", advice),
        h("p", _("Request"), " ", h("code", request_id)),
        mood="bad",
        actions=h("a", _("Try again"), class_="btn primary", href=retry, data_here=True),
        alert=True,
    )


def not_refreshed(as_of: str, request_id: str, *, retry: str, numbers: bool = True) -> Markup:
    """The page keeps what it has; the newest could not be read."""
    words = (
        _("These numbers could not be refreshed. What you see was read at {time}.")
        if numbers
        else _("This page could not be refreshed. What you see was read at {time}.")
    ).format(time=as_of)
    again = h("a", _("Try again"), href=retry, data_here=True)
    return h("p", words, " ", again, " ", h("code", request_id, class_="muted"), class_="note", role="status")


def not_found(back: str) -> Markup:
    link = h("a", _("All campaigns"), href=back, class_="btn primary")
    words = _("There is no such campaign or ad group, or it is not yours to see.")
    return state("search", _("This is not here"), h("p", words), actions=link)


def no_page() -> Markup:
    link = h("a", _("Overview"), href="/", class_="btn primary")
    return state("search", _("This is not here"), h("p", _("There is no page at this address.")), actions=link)


def settings_failed(request_id: str, *, retry: str, surprise: bool = False) -> Markup:
    """A page of the settings could not be read."""
    happened = _("Something went wrong on our side.") if surprise else _("A part of Adloom does not answer.")
    advice = _("Try again in a minute. If it stays like this, give the number below to whoever runs this installation.")
    return state(
        "alert",
        _("This page cannot be shown right now"),
        h("p", happened, " ", _("Nothing was changed.")),
        h("p", advice),
        h("p", _("Request"), " ", h("code", request_id)),
        mood="bad",
        actions=h("a", _("Try again"), class_="btn primary", href=retry),
        alert=True,
    )


def not_for_you() -> Markup:
    """A page that the viewer's role does not open."""
    link = h("a", _("Back to your settings"), href="/settings/profile", class_="btn primary")
    words = _("This page is for administrators and owners. Ask one of them if you need something from it.")
    return state("shield", _("Not for your role"), h("p", words), actions=link)


def no_connection_here() -> Markup:
    link = h("a", _("All connections"), href="/connections", class_="btn primary")
    words = _("There is no such connection in your organisation.")
    return state("search", _("This is not here"), h("p", words), actions=link)


def no_member() -> Markup:
    link = h("a", _("All members"), href="/settings/members", class_="btn primary")
    words = _("There is no such member in your organisation.")
    return state("search", _("This is not here"), h("p", words), actions=link)


def ghost(width: str, height: int = LINE_HEIGHT, gap: int = 0) -> Markup:
    """A grey bar where something will stand."""
    return h("span", class_="ghost", style=f"width:{width};height:{height}px;margin-top:{gap}px")


def kpi_skeleton() -> Markup:
    tile = h(
        "div", ghost("44%", 12, 4), ghost("70%", 22, 9), ghost("30%", 10, 9), class_="kpi", style="min-height:100px"
    )
    return h("section", h("div", [tile] * 6, class_="kpi-line"), class_="card kpis", aria_busy="true")


def chart_skeleton() -> Markup:
    head = h("div", ghost("120px", 14, 3), ghost("190px", 12, 4), class_="card-head")
    return head + h("div", ghost("100%", 210), style="padding:18px")


def card_skeleton(lines: int) -> Markup:
    head = h("div", ghost("110px", 14), class_="card-head ruled")
    row = h(
        "div",
        ghost("34%"),
        ghost("12%"),
        ghost("8%"),
        style="display:flex;justify-content:space-between;padding:15px 18px;border-top:1px solid var(--line)",
    )
    return h("section", head, [row] * lines, class_="card", aria_busy="true")
