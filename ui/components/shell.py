"""The frame around every page: sidebar, phone tabs, the top line with its menus. Only pages that exist are listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from adloom.metrics.health import Account
from ui import formats, ranges
from ui.components.split import swatch
from ui.document import brand, sandbox_mark
from ui.i18n import _
from ui.icons import icon
from ui.markup import EMPTY, h
from ui.params import Params
from ui.ranges import DateRange
from ui.sessions import Viewer
from ui.theme import THEMES

# Longer names are cut on the button; the menu has them whole.
_LONGEST_LABEL = 28


@dataclass(frozen=True)
class Place:
    """A page of the navigation."""

    key: str
    path: str
    icon: str
    label: str


def places() -> tuple[list[Place], list[Place]]:
    """The pages there are: those with numbers, those of the set-up."""
    numbers = [
        Place("overview", "/", "overview", _("Overview")),
        Place("campaigns", "/campaigns", "campaigns", _("Campaigns")),
    ]
    set_up = [
        Place("connections", "/connections", "plug", _("Connections")),
        Place("data-health", "/data-health", "health", _("Data health")),
        Place("settings", "/settings/profile", "settings", _("Settings")),
    ]
    return numbers, set_up


def sidebar(active: str, params: Params, *, sandbox: bool) -> Markup:
    numbers, set_up = places()
    return h(
        "div",
        h("a", brand(), href="/", class_="brand"),
        h(
            "nav",
            [_nav_link(place, active, params) for place in numbers],
            h("p", _("Set-up"), class_="nav-title"),
            [_nav_link(place, active, params) for place in set_up],
            aria_label=_("Pages of Adloom"),
        ),
        sandbox_mark(link=True) if sandbox else None,
    )


def _nav_link(place: Place, active: str, params: Params, class_: str = "nav-link") -> Markup:
    here = "page" if place.key == active else None
    address = params.shared().address(place.path)
    return h("a", icon(place.icon), h("span", place.label), href=address, class_=class_, aria_current=here)


def tabs(active: str, params: Params) -> Markup:
    """The phone's navigation, at the thumb."""
    numbers, set_up = places()
    links = [_nav_link(place, active, params, "tab") for place in (*numbers, *set_up)]
    return h("div", links)


def appearance(theme: str | None) -> Markup:
    """Light, dark, or as the system is."""
    labels = {"system": _("System"), "light": _("Light"), "dark": _("Dark")}
    choice = [
        h(
            "button",
            labels[name],
            type="button",
            data_theme_choice=name,
            aria_pressed="true" if name == (theme or "system") else "false",
        )
        for name in ("system", *THEMES)
    ]
    return h("div", choice, class_="choice", role="group", aria_label=_("Appearance"))


def user_menu(viewer: Viewer, theme: str | None, form_token: str) -> Markup:
    leave = h(
        "form",
        h("input", type="hidden", name="form_token", value=form_token),
        h("button", icon("logout"), _("Log out"), type="submit", class_="menu-item"),
        method="post",
        action="/logout",
    )
    who = h("div", h("b", viewer.name), h("span", viewer.email, class_="muted"), class_="menu-head")
    where = h("div", h("span", viewer.organisation, class_="muted"), class_="menu-head")
    panel = h(
        "div",
        who,
        where,
        h("div", class_="menu-rule"),
        h("a", icon("person"), _("Profile"), href="/settings/profile", class_="menu-item"),
        h("a", icon("shield"), _("Security"), href="/settings/security", class_="menu-item"),
        h("div", class_="menu-rule"),
        appearance(theme),
        leave,
        class_="menu-panel",
    )
    label = _("{name}: account and appearance").format(name=viewer.name)
    return h(
        "details",
        h(
            "summary",
            h("span", viewer.initials, class_="avatar", aria_hidden="true"),
            h("span", label, class_="only-read"),
        ),
        panel,
        class_="menu",
        id="user-menu",
    )


def account_menu(accounts: Sequence[Account], params: Params, path: str) -> Markup:
    """Which account; nothing where there is no choice."""
    if len(accounts) < 2:  # noqa: PLR2004 - one is no choice
        return EMPTY
    chosen = next((item for item in accounts if item.account_id == params.account), None)
    everything = _account_item(_("All accounts"), None, params, path, chosen is None)
    items = [_account_item(item.name, item, params, path, item is chosen) for item in accounts]
    label = chosen.name if chosen else _("All accounts")
    short = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
    summary = h(
        "summary", icon("filter"), h("span", short, class_="label"), class_="btn", title=label, aria_label=label
    )
    return h(
        "details", summary, h("div", everything, items, class_="menu-panel"), class_="menu account", id="account-menu"
    )


def _account_item(label: str, account: Account | None, params: Params, path: str, here: bool) -> Markup:
    target = params.but(account=account.account_id if account else None, currency=None)
    note = h("span", account.currency, class_="note") if account else None
    mark = swatch(account.platform) if account else None
    return h(
        "a",
        mark,
        h("span", label),
        note,
        href=target.address(path),
        data_here=True,
        class_="menu-item",
        aria_current="true" if here else None,
    )


def range_menu(params: Params, dates: DateRange, path: str) -> Markup:
    """Which days: presets, or from and to."""
    items = []
    for name, label in ranges.preset_labels().items():
        target = params.but(range=name, since=None, until=None)
        items.append(
            h(
                "a",
                label,
                href=target.address(path),
                data_here=True,
                class_="menu-item",
                aria_current="true" if name == dates.preset else None,
            )
        )
    panel = h("div", items, h("div", class_="menu-rule"), _custom(params, dates, path), class_="menu-panel")
    summary = h(
        "summary",
        icon("calendar"),
        h("span", dates.label, class_="label"),
        class_="btn",
        title=formats.days(dates.period.since, dates.period.until),
    )
    return h("details", summary, panel, class_="menu range", id="range-menu")


def _custom(params: Params, dates: DateRange, path: str) -> Markup:
    kept = params.but(range=ranges.DEFAULT_PRESET, since=None, until=None).items()
    hidden = [h("input", type="hidden", name=name, value=value) for name, value in kept]
    since = h(
        "label",
        _("From"),
        h("input", type="date", name="from", required=True, class_="input", value=dates.period.since.isoformat()),
        class_="field",
    )
    until = h(
        "label",
        _("To"),
        h("input", type="date", name="to", required=True, class_="input", value=dates.period.until.isoformat()),
        class_="field",
    )
    return h(
        "form",
        hidden,
        since,
        until,
        h("button", _("Show these days"), type="submit", class_="btn"),
        class_="menu-form",
        action=path,
        data_here=True,
    )


@dataclass(frozen=True)
class Crumb:
    label: str
    href: str | None


def crumbs(trail: Sequence[Crumb]) -> Markup:
    """Where one is in the tree of campaigns."""
    if not trail:
        return EMPTY
    items = [
        h(
            "li",
            icon("right") if index else None,
            h("a", crumb.label, href=crumb.href) if crumb.href else h("span", crumb.label, aria_current="page"),
        )
        for index, crumb in enumerate(trail)
    ]
    return h("nav", h("ol", items, class_="crumbs"), aria_label=_("Where you are"))
