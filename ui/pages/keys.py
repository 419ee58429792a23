"""API keys: for other systems that read or ask something of Adloom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from adloom import clock
from adloom.identity.scopes import MEANINGS, SCOPES, Scope
from adloom.metrics.health import Account
from ui import formats
from ui.components import fields, states, table
from ui.components.cards import body, card
from ui.components.status import tag
from ui.components.table import Column
from ui.i18n import _
from ui.icons import icon
from ui.markup import h
from ui.pages.members import accounts_of, scope_words
from ui.pages.settings import SettingsPage, opens
from ui.services import Services

PATH = "/settings/keys"
PAGE_SIZE = 50
_SOON = timedelta(days=14)


def register(services: Services) -> None:
    opens(services, PATH, "keys", KeysView)


@dataclass(frozen=True)
class KeysOf:
    """As `GET /keys` says it, and the accounts that the viewer can give."""

    keys: list[dict[str, Any]]
    accounts: Sequence[Account]


class KeysView:
    def __init__(self, page: SettingsPage) -> None:
        self.page = page
        self.make = page.region()
        self.keys = page.region(states.card_skeleton(4))

    async def ask(self) -> KeysOf:
        known, accounts = await asyncio.gather(self.page.ask("/keys"), accounts_of(self.page))
        return KeysOf(known["keys"], accounts)

    def paint(self, found: KeysOf) -> None:
        self.make.show(_make(found.accounts, self.page))
        self.keys.show(_listed(found, self.page))


def scope_texts() -> dict[Scope, tuple[str, str]]:
    """Each scope in the visitor's language: what it is called, and what it allows."""
    known: dict[Scope, tuple[str, str]] = {
        "connections:read": (
            _("See connections"),
            _("List the connections to ad platforms: their state, and when their access ends"),
        ),
        "runs:write": (_("Start syncs"), _("Have days of ad accounts read again from the platform")),
        "members:read": (_("See members"), _("List the organisation's members: name, e-mail address, role")),
    }
    return {scope: known.get(scope, (MEANINGS[scope].label, MEANINGS[scope].description)) for scope in SCOPES}


def _make(accounts: Sequence[Account], page: SettingsPage) -> Markup:
    boxes = [
        h(
            "label",
            h("input", type="checkbox", name="scopes", value=scope),
            h("span", label, h("small", words)),
            class_="check",
        )
        for scope, (label, words) in scope_texts().items()
        if page.visit.viewer.may(MEANINGS[scope].needs)
    ]
    form = fields.send_form(
        f"{PATH}/make",
        h(
            "div",
            fields.text("name", _("Name"), hint=_("The system that will use it."), maxlength=200),
            h(
                "div",
                _number("days", _("Days it lasts"), 90, 366),
                _number("per_minute", _("Requests a minute"), 100, 1000),
                class_="columns",
            ),
            class_="columns",
        ),
        h("fieldset", h("legend", _("What it may do")), boxes, class_="choices", data_field="scopes"),
        fields.account_choice(accounts, None, all_words=_("All accounts that I see")),
        h("p", _("A key never does more than you may do yourself, and ends when you leave."), class_="muted small"),
        fields.submit(_("Make the key")),
        class_="form wide",
        data_clears=True,
    )
    return h("details", h("summary", icon("plus"), _("New key")), body(form), class_="card reveal", id="new-key-form")


def _number(name: str, label: str, value: int, most: int) -> Markup:
    return fields.text(name, label, kind="number", value=str(value), min="1", max=str(most), step="1")


def _listed(found: KeysOf, page: SettingsPage) -> Markup:
    params, names = page.params, {account.account_id: account.name for account in found.accounts}
    if not found.keys:
        words = _("No other system has access. A key lets one read or ask what you choose; you can end it any time.")
        return states.state("key", _("No API keys yet"), h("p", words))
    ordered = sorted(found.keys, key=lambda each: _rank(each) != "alive")
    wanted = params.search.lower()
    matching = [each for each in ordered if wanted in each["name"].lower() or wanted in each["prefix"].lower()]
    listed = table.paged(
        params,
        PATH,
        _columns(names),
        matching,
        size=PAGE_SIZE,
        caption=_("API keys"),
        key=lambda each: str(each["key_id"]),
    )
    search = table.search_box(params, PATH, _("Filter keys")) if len(found.keys) > 1 else None
    return card(_("API keys"), listed, count=formats.count(len(found.keys)), tools=search)


def _columns(names: Mapping[int, str]) -> list[Column[dict[str, Any]]]:
    scopes = scope_texts()

    def name(each: dict[str, Any]) -> Markup:
        maker = _("by {name}").format(name=each["maker"] or _("the operator"))
        visible = h("code", f"adl_k_{each['prefix']}…{each['last_four']}", class_="quiet")
        line = h("span", visible, " ", maker, class_="under")
        return h("span", h("b", each["name"], class_="plain"), line, class_="entity-text")

    def allowed(each: dict[str, Any]) -> Markup:
        limit = _("{count} a minute").format(count=formats.count(each["per_minute"]))
        may = ", ".join(scopes[scope][0] if scope in scopes else scope for scope in each["scopes"])
        return h("span", may, h("span", limit, class_="under"))

    def used(each: dict[str, Any]) -> str:
        seen = each["last_used_at"]
        return formats.ago(datetime.fromisoformat(seen), clock.real_now()) if seen else _("never")

    return [
        Column(_("Key"), name, name=True),
        Column(_("May"), allowed, left=True, wide=True),
        Column(_("Accounts"), lambda each: scope_words(each["accounts"], names), left=True, wide=True),
        Column(_("Last used"), used, wide=True),
        Column(_("State"), _state, left=True),
    ]


def _rank(each: dict[str, Any]) -> str:
    if each["ended_at"] is not None:
        return "ended"
    return "expired" if datetime.fromisoformat(each["expires_at"]) <= clock.real_now() else "alive"


def _state(each: dict[str, Any]) -> Markup:
    rank, expires = _rank(each), datetime.fromisoformat(each["expires_at"])
    if rank == "ended":
        left = each["ended_because"] == "maker_left"
        return tag("idle", _("ended: its maker has left") if left else _("revoked"))
    if rank == "expired":
        return tag("idle", _("expired"))
    mood = "warn" if expires - clock.real_now() < _SOON else "ok"
    state = tag(mood, _("until {day}").format(day=formats.day_with_year(expires.date())))
    revoke = fields.verb(
        f"{PATH}/{each['key_id']}/revoke",
        _("Revoke"),
        about=each["name"],
        sure=_("Revoke {name}? Whatever uses it is refused from that moment on.").format(name=each["name"]),
        bad=True,
    )
    return h("span", state, revoke, class_="state-line")
