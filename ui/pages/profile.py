"""Profile: who I am, how I log in, how Adloom looks and speaks, and which organisations are mine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from babel import Locale
from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from ui.components import fields, shell, states, table
from ui.components.cards import body, card
from ui.components.status import tag
from ui.components.table import Column
from ui.cookies import cookies_of
from ui.i18n import _, current, languages
from ui.markup import h, join
from ui.pages.settings import SettingsPage, settings_frame
from ui.services import Services
from ui.theme import theme_of

PATH = "/settings/profile"


def register(services: Services) -> None:
    @ui.page(PATH)
    async def profile_page(request: Request) -> None:
        with settings_frame(services, request, "profile") as page:
            view = ProfileView(page, request)
        await page.live_asking(view.ask, view.paint)


@dataclass(frozen=True)
class Mine:
    """As `GET /profile` and `GET /organisations` say it."""

    profile: dict[str, Any]
    organisations: list[dict[str, Any]]
    sends_mails: bool


class ProfileView:
    def __init__(self, page: SettingsPage, request: Request) -> None:
        self.page = page
        with ui.element("div").classes("pair"):
            self.person = page.region(states.card_skeleton(1))
            self.address = page.region(states.card_skeleton(1))
        with ui.element("div").classes("pair"):
            page.region(_password())
            page.region(_taste(request))
        self.organisations = page.region(states.card_skeleton(1))

    async def ask(self) -> Mine:
        profile, organisations, sends_mails = await asyncio.gather(
            self.page.ask("/profile"),
            self.page.ask("/organisations"),
            self.page.services.deployment.sends_mails(self.page.visit.caller),
        )
        return Mine(profile, organisations["organisations"], sends_mails)

    def paint(self, mine: Mine) -> None:
        self.person.show(_person(mine.profile))
        self.address.show(_address(mine))
        self.organisations.show(_organisations(mine.organisations, str(self.page.visit.viewer.org_id)))


def _person(profile: dict[str, Any]) -> Markup:
    name = fields.text(
        "name",
        _("Your name"),
        hint=_("So the others in your organisation see you."),
        value=str(profile["name"]),
        autocomplete="name",
        maxlength=200,
    )
    return card(_("You"), body(fields.send_form(f"{PATH}/name", name, fields.submit(_("Save"), primary=False))))


def _address(mine: Mine) -> Markup:
    verified = mine.profile["email_verified_at"] is not None
    state = tag("ok", _("confirmed")) if verified else tag("warn", _("not confirmed yet"))
    now = h("p", h("b", str(mine.profile["email"])), " ", state, class_="line")
    if not mine.sends_mails:
        words = _("It cannot be changed here: the operator has set up no mails.")
        return card(_("E-mail"), body(now, h("p", words, class_="muted small")))
    again = None if verified else fields.button(f"{PATH}/email/verify", _("Mail me the link again"))
    form = fields.send_form(
        f"{PATH}/email",
        fields.text(
            "email",
            _("New address"),
            kind="email",
            hint=_("It changes when the link that we mail there is opened."),
            autocomplete="email",
            maxlength=320,
        ),
        fields.submit(_("Change the address"), primary=False),
        data_clears=True,
    )
    return card(_("E-mail"), body(now, again, form))


def _password() -> Markup:
    form = fields.send_form(
        f"{PATH}/password",
        fields.secret("current", _("Present password"), "current-password"),
        fields.secret(
            "password",
            _("New password"),
            "new-password",
            hint=_("At least 12 characters; a sentence is good. Nothing else is asked of it."),
        ),
        fields.submit(_("Change the password"), primary=False),
        data_clears=True,
    )
    return card(_("Password"), body(form))


def _taste(request: Request) -> Markup:
    chosen = request.cookies.get(cookies_of(request).language, "")
    names = {tag: str(Locale.parse(tag).get_display_name(tag)).capitalize() for tag in languages()}
    options = {"browser": _("As the browser says ({language})").format(language=names[current().tag])} | names
    if chosen in names:
        options["browser"] = _("As the browser says")
    language = fields.send_form(
        f"{PATH}/language",
        fields.select("language", _("Language"), options, chosen if chosen in names else "browser"),
        fields.submit(_("Use this language"), primary=False),
    )
    look = h("div", h("p", _("Appearance"), class_="label"), shell.appearance(theme_of(request)), class_="taste")
    note = h("p", _("Both are kept in this browser."), class_="muted small")
    return card(_("Language and appearance"), body(language, look, note))


def _organisations(mine: list[dict[str, Any]], here: str) -> Markup:
    roles = fields.role_names()

    def where(each: dict[str, Any]) -> Markup:
        if each["org_id"] == here:
            return tag("ok", _("you are here"))
        return fields.verb(f"{PATH}/organisation", _("Switch"), about=each["name"], org_id=each["org_id"])

    columns = [
        Column[dict[str, Any]](_("Organisation"), lambda each: h("b", each["name"], class_="plain"), name=True),
        Column[dict[str, Any]](_("Your role"), lambda each: h("span", roles[each["role"]], class_="keep"), left=True),
        Column[dict[str, Any]](_("Now"), where, left=True),
    ]
    listed = table.table(columns, mine, caption=_("Organisations"), key=lambda each: str(each["org_id"]))
    return card(_("Organisations"), join(listed), count=str(len(mine)))
