"""Security: the second factor, the ways to log in, and every session of mine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from nicegui import ui

from adloom import clock
from ui import formats
from ui.components import fields, states, table
from ui.components.cards import body, card
from ui.components.status import tag
from ui.i18n import _, _n
from ui.icons import icon
from ui.markup import h, join
from ui.pages.settings import SettingsPage, opens
from ui.params import Params
from ui.services import Services

# What `auth` calls a browser that says nothing of itself.
UNKNOWN_DEVICE = "Unknown device"
PATH = "/settings/security"
PAGE_SIZE = 20
# From here on the page reminds that the codes run out.
_FEW_CODES = 3


def register(services: Services) -> None:
    opens(services, PATH, "security", SecurityView)


@dataclass(frozen=True)
class Mine:
    """As `GET /mfa`, `/sessions`, `/sso/identities` and `/sso` say it."""

    factor: dict[str, Any]
    sessions: list[dict[str, Any]]
    identities: list[dict[str, Any]]
    has_password: bool
    providers: list[dict[str, Any]]


class SecurityView:
    def __init__(self, page: SettingsPage) -> None:
        self.page = page
        with ui.element("div").classes("pair"):
            self.factor = page.region(states.card_skeleton(2))
            self.ways = page.region(states.card_skeleton(2))
        self.sessions = page.region(states.card_skeleton(4))

    async def ask(self) -> Mine:
        factor, sessions, known, providers = await asyncio.gather(
            self.page.ask("/mfa"),
            self.page.ask("/sessions"),
            self.page.ask("/sso/identities"),
            self.page.services.deployment.providers(self.page.visit.caller),
        )
        return Mine(factor, sessions["sessions"], known["identities"], bool(known["has_password"]), providers)

    def paint(self, mine: Mine) -> None:
        self.factor.show(_factor(mine.factor))
        self.ways.show(_ways(mine))
        self.sessions.show(_sessions(mine.sessions, self.page.params))


def _factor(factor: dict[str, Any]) -> Markup:
    since = factor["enabled_at"]
    who = _(
        "Owners and administrators need a second factor: a stolen password alone then opens nothing. Everybody else "
        "can have one."
    )
    exempt = None
    if factor["exempt"]:
        words = _(
            "You are the owner of the sandbox's demo, the one exception: here your role asks for none, because the "
            "numbers are made up. On your own installation it does."
        )
        exempt = h("p", words, class_="muted small")
    shown = _with_factor(factor, datetime.fromisoformat(since)) if since else _without_factor(factor)
    return card(_("Second factor"), body(shown, h("p", who, class_="muted small"), exempt))


def _without_factor(factor: dict[str, Any]) -> Markup:
    state = tag("warn", _("needed, and not set up")) if factor["required"] else tag("idle", _("off"))
    words = _("Besides your password, an app on your phone shows a code that changes every half minute.")
    begin = fields.button(f"{PATH}/authenticator", _("Set up a second factor"), primary=True)
    return join(h("p", state, class_="line"), h("p", words), begin)


def _with_factor(factor: dict[str, Any], since: datetime) -> Markup:
    left = int(factor["recovery_codes_left"])
    words = _n("{count} recovery code is left.", "{count} recovery codes are left.", left).format(count=left)
    codes = h("p", words, class_="warn-text" if left < _FEW_CODES else None)
    state = h("p", tag("ok", _("on since {day}").format(day=formats.day_with_year(since.date()))), class_="line")
    new_codes = fields.button(
        f"{PATH}/recovery-codes",
        _("New recovery codes"),
        sure=_("Make new recovery codes? The old ones do not work any more."),
    )
    other = fields.button(f"{PATH}/authenticator", _("Use another app"))
    off = None
    if not factor["required"]:
        off = fields.button(
            f"{PATH}/authenticator/remove",
            _("Turn it off"),
            sure=_("Turn your second factor off? Your password alone then opens your account."),
            bad=True,
        )
    return join(state, codes, h("div", new_codes, other, off, class_="tools"))


def _ways(mine: Mine) -> Markup:
    """The password, and the identities of providers."""
    set_up = tag("ok", _("set")) if mine.has_password else tag("idle", _("none"))
    change = (
        h("a", _("Change it"), href="/settings/profile", class_="verb")
        if mine.has_password
        else h("a", _("Choose one by mail"), href="/forgotten", class_="verb")
    )
    password = _way("key", _("Password"), set_up, change)
    linked = [_identity(each) for each in mine.identities]
    mine_already = {each["provider"] for each in mine.identities}
    others = [_provider(each) for each in mine.providers if each["key"] not in mine_already]
    none = _("No other log-in is set up on this installation. Its operator can add Google or another provider.")
    note = h("p", none, class_="hint last") if not mine.providers and not linked else None
    return card(_("Ways to log in"), h("ul", password, linked, others, class_="rows"), note)


def _identity(each: dict[str, Any]) -> Markup:
    unlink = fields.verb(
        f"{PATH}/identities/{each['identity_id']}/unlink",
        _("Unlink"),
        about=each["name"],
        sure=_("Unlink {name}? You cannot log in with it any more.").format(name=each["name"]),
        bad=True,
    )
    return _way("person", str(each["name"]), h("span", str(each["email"]), class_="under"), unlink)


def _provider(each: dict[str, Any]) -> Markup:
    link = fields.verb(f"{PATH}/identities/link", _("Link"), about=each["name"], provider=each["key"])
    return _way("person", str(each["name"]), tag("idle", _("not linked")), link)


def _way(mark: str, name: str, state: Markup, verb: Markup) -> Markup:
    words = h("div", h("b", name, class_="plain"), h("div", state))
    return h("li", h("div", h("span", icon(mark), class_="mark"), words, class_="what"), verb)


def _sessions(mine: list[dict[str, Any]], params: Params) -> Markup:
    """This one first, then the ones used last."""
    ordered = sorted(mine, key=lambda each: not each["current"])
    params, shown = table.page_of(params, ordered, PAGE_SIZE)
    several = len({each["organisation"]["org_id"] for each in mine}) > 1
    rows = [_session(each, name_organisation=several) for each in shown]
    end = None
    if len(mine) > 1:
        end = fields.button(
            f"{PATH}/sessions/end-others",
            _("End all others"),
            sure=_("End all your other sessions? Every other browser has to log in again, this one does not."),
        )
    pages = table.pager(params, PATH, shown=len(shown), total=len(mine), size=PAGE_SIZE)
    return card(
        _("Sessions"), h("ul", rows, class_="rows"), pages, count=formats.count(len(mine)), tools=end, id_="sessions"
    )


def _session(each: dict[str, Any], *, name_organisation: bool) -> Markup:
    now = clock.real_now()
    used, begun = datetime.fromisoformat(each["last_used_at"]), datetime.fromisoformat(each["created_at"])
    where = [each["place"], each["address"], each["organisation"]["name"] if name_organisation else ""]
    times = _("active {time}, since {day}").format(time=formats.ago(used, now), day=formats.day(begun.date()))
    details = h("span", " · ".join(part for part in [*where, times] if part), class_="under", title=formats.stamp(used))
    name = _("Unknown device") if each["device"] in ("", UNKNOWN_DEVICE) else str(each["device"])
    if each["current"]:
        verb = tag("ok", _("this browser"))
    else:
        about = f"{name}, {each['address']}"
        verb = fields.verb(f"{PATH}/sessions/{each['session_id']}/end", _("End"), about=about, bad=True)
    words = h("div", h("b", name, class_="plain"), details)
    mark = h("span", icon("device"), class_="mark")
    return h("li", h("div", mark, words, class_="what"), verb, id=f"session-{each['session_id']}")
