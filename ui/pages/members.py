"""Members: who is in the organisation as what, who is invited, and what each role means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from nicegui import run

from adloom import clock
from adloom.metrics import health
from adloom.metrics.health import Account
from ui import formats
from ui.components import fields, states, table
from ui.components.cards import body, card
from ui.components.status import tag
from ui.components.table import Column
from ui.i18n import _, _n
from ui.icons import icon
from ui.markup import EMPTY, h, join
from ui.pages.settings import SettingsPage, opens
from ui.services import Services

PATH = "/settings/members"
PAGE_SIZE = 50
_SHORT_LIST = 2


def register(services: Services) -> None:
    opens(services, PATH, "members", MembersView)


@dataclass(frozen=True)
class Everybody:
    """As `GET /members` and `/invitations` say it, and the accounts the viewer can give."""

    members: list[dict[str, Any]]
    invitations: list[dict[str, Any]]
    accounts: Sequence[Account]
    sends_mails: bool


async def accounts_of(page: SettingsPage) -> Sequence[Account]:
    """The ad accounts that the viewer sees."""

    def read() -> Sequence[Account]:
        viewer = page.visit.viewer
        with page.services.database.tenant(viewer.org_id, viewer.account_scope) as connection:
            return health.accounts(connection)

    # None: the server is being stopped.
    return await run.io_bound(read) or ()


class MembersView:
    def __init__(self, page: SettingsPage) -> None:
        self.page = page
        self.invite = page.region()
        self.invitations = page.region()
        self.members = page.region(states.card_skeleton(6))
        page.region(_roles())

    async def ask(self) -> Everybody:
        members, invitations, sends_mails, accounts = await asyncio.gather(
            self.page.ask("/members"),
            self.page.ask("/invitations"),
            self.page.services.deployment.sends_mails(self.page.visit.caller),
            accounts_of(self.page),
        )
        return Everybody(members["members"], invitations["invitations"], accounts, sends_mails)

    def paint(self, everybody: Everybody) -> None:
        names = {account.account_id: account.name for account in everybody.accounts}
        self.invite.show(_invite(everybody, self.page))
        self.invitations.show(_invitations(everybody.invitations, names))
        self.members.show(_members(everybody.members, names, self.page))


def _invite(everybody: Everybody, page: SettingsPage) -> Markup:
    if not everybody.sends_mails:
        words = _("Nobody can be invited by mail: the operator has set up no mails. `adloom user` adds people.")
        return h("p", words, class_="note")
    form = fields.send_form(
        f"{PATH}/invite",
        h(
            "div",
            fields.text("email", _("E-mail"), kind="email", maxlength=320),
            fields.role_select(page.visit.viewer.role, "viewer"),
            class_="columns",
        ),
        fields.account_choice(everybody.accounts, None, all_words=_("All accounts, also those to come")),
        h("p", _("The link in the mail works once and for seven days."), class_="muted small"),
        fields.submit(_("Invite")),
        class_="form wide",
        data_clears=True,
    )
    summary = h("summary", icon("plus"), _("Invite somebody"))
    return h("details", summary, body(form), class_="card reveal", id="invite")


def _invitations(open_ones: list[dict[str, Any]], names: Mapping[int, str]) -> Markup:
    if not open_ones:
        return EMPTY
    roles = fields.role_names()

    def verbs(each: dict[str, Any]) -> Markup:
        scope = "all" if each["accounts"] is None else "some"
        boxes = [h("input", type="hidden", name="accounts", value=str(one)) for one in each["accounts"] or []]
        kept = {"email": each["email"], "role": each["role"], "scope": scope}
        again = fields.send_form(
            f"{PATH}/invite",
            [h("input", type="hidden", name=name, value=value) for name, value in kept.items()],
            boxes,
            h("button", _("Mail again"), _about(each["email"]), type="submit", class_="verb"),
            class_="verb-form",
        )
        withdraw = fields.verb(
            f"{PATH}/invitations/{each['invitation_id']}/withdraw", _("Withdraw"), about=each["email"], bad=True
        )
        return h("span", again, withdraw, class_="verbs")

    columns = [
        Column[dict[str, Any]](_("Invited"), lambda each: h("b", each["email"], class_="plain"), name=True),
        Column[dict[str, Any]](
            _("Role"), lambda each: h("span", roles[each["role"]], class_="keep"), left=True, wide=True
        ),
        Column[dict[str, Any]](_("Accounts"), lambda each: scope_words(each["accounts"], names), left=True, roomy=True),
        Column[dict[str, Any]](_("Valid until"), lambda each: _day(each["expires_at"]), left=True, wide=True),
        Column[dict[str, Any]](_("What to do"), verbs, left=True),
    ]
    listed = table.table(columns, open_ones, caption=_("Invitations"), key=lambda each: str(each["invitation_id"]))
    return card(_("Invitations"), listed, count=formats.count(len(open_ones)))


def _about(whom: str) -> Markup:
    return h("span", " ", whom, class_="only-read")


def _members(members: list[dict[str, Any]], names: Mapping[int, str], page: SettingsPage) -> Markup:
    params, now = page.params, clock.real_now()
    wanted = params.search.lower()
    found = [each for each in members if wanted in each["name"].lower() or wanted in each["email"].lower()]
    roles, me = fields.role_names(), str(page.visit.viewer.user_id)

    def name(each: dict[str, Any]) -> Markup:
        you = h("span", _("you"), class_="status") if each["user_id"] == me else None
        link = h("a", each["name"], href=f"{PATH}/{each['user_id']}")
        return h("span", h("span", link, you), h("span", each["email"], class_="under"), class_="entity-text")

    def last(each: dict[str, Any]) -> str:
        seen = each["last_active_at"]
        return formats.ago(datetime.fromisoformat(seen), now) if seen else formats.NONE

    columns = [
        Column[dict[str, Any]](_("Member"), name, name=True),
        Column[dict[str, Any]](_("Role"), lambda each: h("span", roles[each["role"]], class_="keep"), left=True),
        Column[dict[str, Any]](_("Accounts"), lambda each: scope_words(each["accounts"], names), left=True, wide=True),
        Column[dict[str, Any]](_("Second factor"), _factor, left=True, wide=True),
        Column[dict[str, Any]](_("Last active"), last, wide=True),
    ]
    search = table.search_box(params, PATH, _("Filter members")) if len(members) > 1 else None
    listed = table.paged(
        params, PATH, columns, found, size=PAGE_SIZE, caption=_("Members"), key=lambda each: str(each["user_id"])
    )
    return card(_("Members"), listed, count=formats.count(len(members)), tools=search)


def _factor(each: dict[str, Any]) -> Markup:
    if each["second_factor"]:
        return tag("ok", _("yes"))
    # The next log-in asks them for one.
    return tag("warn", _("not yet")) if each["role"] in ("owner", "admin") else tag("idle", _("no"))


def scope_words(accounts: Sequence[int] | None, names: Mapping[int, str]) -> Markup:
    """Which accounts, in words: two by name, more by number."""
    if accounts is None:
        return h("span", _("all"), class_="muted")
    known = [names[one] for one in accounts if one in names]
    if len(accounts) <= _SHORT_LIST and len(known) == len(accounts):
        return h("span", ", ".join(known))
    words = _n("{count} account", "{count} accounts", len(accounts)).format(count=formats.count(len(accounts)))
    return h("span", words, title=", ".join(known[:20]) or None)


def _day(moment: str) -> str:
    return formats.day(datetime.fromisoformat(moment).date())


def _roles() -> Markup:
    names = fields.role_names()
    meanings = [join(h("dt", names[role]), h("dd", words)) for role, words in fields.role_words().items()]
    return card(_("What each role may do"), body(h("dl", meanings, class_="meanings")))
