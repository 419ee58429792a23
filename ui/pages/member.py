"""One member: role and accounts, sessions, the lost second factor, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response

from adloom import clock
from adloom.errors import NotFound
from adloom.identity.account_scope import is_within
from adloom.identity.roles import includes
from adloom.metrics.health import Account
from ui import formats
from ui.components import fields, shell, states
from ui.components.cards import body, card
from ui.components.shell import Crumb
from ui.components.status import tag
from ui.i18n import _
from ui.markup import h
from ui.pages.members import PATH, accounts_of, scope_words
from ui.pages.settings import SettingsPage, closed_to, settings_frame
from ui.services import Services


def register(services: Services) -> None:
    @ui.page(PATH + "/{user_id}")
    async def member_page(request: Request, user_id: str) -> Response | None:
        if refused := closed_to(services, request, "admin"):
            return refused
        with settings_frame(services, request, "members", _("Member")) as page:
            view = MemberView(page, user_id)
        await page.live_asking(view.ask, view.paint)
        return None


@dataclass(frozen=True)
class One:
    member: dict[str, Any]
    accounts: Sequence[Account]


class MemberView:
    def __init__(self, page: SettingsPage, user_id: str) -> None:
        self.page, self.user_id = page, user_id
        self.trail = page.region()
        self.who = page.region(states.card_skeleton(2))
        with ui.element("div").classes("pair"):
            self.rights = page.region(states.card_skeleton(3))
            self.access = page.region(states.card_skeleton(3))

    async def ask(self) -> One:
        """NotFound for whoever is no member here, whether such a person exists or not."""
        everybody = await self.page.ask("/members")
        found = next((each for each in everybody["members"] if each["user_id"] == self.user_id), None)
        if found is None:
            raise NotFound("There is no such member here")
        return One(found, await accounts_of(self.page))

    def paint(self, one: One) -> None:
        member, viewer = one.member, self.page.visit.viewer
        self.page.named("title").show(h("h1", member["name"], id="content", tabindex="-1"))
        self.trail.show(shell.crumbs([Crumb(_("Members"), PATH), Crumb(member["name"], None)]))
        self.who.show(_who(one))
        refusal = self._refusal(member)
        if refusal:
            self.rights.show(card(_("Role and accounts"), body(h("p", refusal, class_="muted"))))
            self.access.show(Markup())
            return
        self.rights.show(_rights(one, viewer.role))
        self.access.show(_access(member, viewer.organisation))

    def _refusal(self, member: dict[str, Any]) -> str | None:
        """Why the viewer cannot change this member; the routes say the same."""
        viewer = self.page.visit.viewer
        if member["user_id"] == str(viewer.user_id):
            return _("This is you. Nobody changes the own membership; another administrator can.")
        if not includes(viewer.role, member["role"]):
            return _("Only an owner changes an owner.")
        scope = "*" if member["accounts"] is None else ",".join(map(str, member["accounts"]))
        if not is_within(scope, viewer.account_scope):
            return _("This member has accounts that you do not have. An administrator who has them can change this.")
        return None


def _who(one: One) -> Markup:
    member, names = one.member, {account.account_id: account.name for account in one.accounts}
    seen = member["last_active_at"]
    last = formats.ago(datetime.fromisoformat(seen), clock.real_now()) if seen else _("not in the last weeks")
    factor = tag("ok", _("yes")) if member["second_factor"] else tag("idle", _("no"))
    facts = {
        _("E-mail"): h("span", member["email"]),
        _("Role"): h("span", fields.role_names()[member["role"]]),
        _("Accounts"): scope_words(member["accounts"], names),
        _("Second factor"): factor,
        _("Last active"): h("span", last),
    }
    listed = [h("div", h("dt", label), h("dd", shown)) for label, shown in facts.items()]
    return h("section", h("dl", listed, class_="facts"), class_="card")


def _rights(one: One, mine: Any) -> Markup:
    member = one.member
    form = fields.send_form(
        f"{PATH}/{member['user_id']}/change",
        fields.role_select(mine, member["role"]),
        fields.account_choice(one.accounts, member["accounts"], all_words=_("All accounts, also those to come")),
        h("p", _("Whoever gets other rights has to log in again."), class_="muted small"),
        fields.submit(_("Save")),
    )
    return card(_("Role and accounts"), body(form))


def _access(member: dict[str, Any], organisation: str) -> Markup:
    at, name = f"{PATH}/{member['user_id']}", member["name"]
    sessions = fields.button(
        f"{at}/end-sessions",
        _("End all sessions"),
        sure=_("End all sessions of {name} here? Every browser has to log in again.").format(name=name),
    )
    factor = None
    if member["second_factor"]:
        factor = h(
            "div",
            h("p", _("The phone is lost, and no recovery code is left? Make sure that it is really {name} who asks: by "
                     "voice, not by mail.").format(name=name), class_="muted small"),
            fields.button(
                f"{at}/reset-factor",
                _("Take the second factor away"),
                sure=_("Take away the second factor of {name}? Until a new one is set up, the password alone is "
                       "enough.").format(name=name),
                bad=True,
            ),
            class_="access-part",
        )  # fmt: skip
    out = h(
        "div",
        h("p", _("Whoever is removed sees nothing of {organisation} any more from that moment on.").format(
            organisation=organisation), class_="muted small"),
        fields.button(
            f"{at}/remove",
            _("Remove from the organisation"),
            sure=_("Remove {name} from {organisation}?").format(name=name, organisation=organisation),
            bad=True,
        ),
        class_="access-part",
    )  # fmt: skip
    return card(_("Access"), body(h("div", sessions, class_="access-part"), factor, out))
