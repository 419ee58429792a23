"""What the pages of the settings share: who sees which, their own navigation, their dialogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response

from adloom.identity.roles import Role
from ui import forms
from ui.components import dialogs, shell, states
from ui.components.region import Region
from ui.deeds.desk import PURPOSE
from ui.document import document
from ui.frame import framed
from ui.i18n import _
from ui.icons import icon
from ui.markup import h
from ui.page import Page
from ui.reads import auth
from ui.security import viewer_of
from ui.services import Services
from ui.sessions import Viewer
from ui.theme import static_url

ACTIVE = "settings"
_FORBIDDEN = 403


@dataclass(frozen=True)
class Tab:
    """A page of the settings, and the role that it is for."""

    key: str
    path: str
    icon: str
    label: str
    needs: Role


def tabs() -> list[Tab]:
    return [
        Tab("profile", "/settings/profile", "person", _("Profile"), "viewer"),
        Tab("security", "/settings/security", "shield", _("Security"), "viewer"),
        Tab("members", "/settings/members", "people", _("Members"), "admin"),
        Tab("keys", "/settings/keys", "key", _("API keys"), "admin"),
        Tab("audit", "/settings/audit", "log", _("Audit"), "admin"),
    ]


class SettingsPage(Page[Any]):
    """A page of the settings: its own words when something cannot be read or is not there."""

    _address = ""

    def failed(self, request_id: str, *, retry: str, surprise: bool) -> Markup:
        return states.settings_failed(request_id, retry=retry, surprise=surprise)

    def outdated(self, as_of: str, request_id: str, *, retry: str) -> Markup:
        return states.not_refreshed(as_of, request_id, retry=retry, numbers=False)

    def missing(self) -> Markup:
        return states.no_member()

    def stays_at(self, address: str) -> None:
        """The address of a page whose state is not in `params`."""
        self._address = address

    @property
    def here(self) -> str:
        return self._address or super().here

    async def ask(self, path: str) -> dict[str, Any]:
        """What `auth` says to this viewer."""
        return await auth.ask(self.services.gateway, self.visit.caller, path)


@contextmanager
def settings_frame(services: Services, request: Request, key: str, name: str = "") -> Iterator[SettingsPage]:
    """The frame of a page of the settings; `name` where it is not the tab's own page."""
    mine = [tab for tab in tabs() if viewer_of(request).may(tab.needs)]
    here = next(tab for tab in mine if tab.key == key)
    with framed(services, request, ACTIVE, name or here.label, SettingsPage) as page:
        page.named("crumbs").classes("subnav-place").show(_navigation(mine, here))
        page.named("sidebar").show(shell.sidebar(ACTIVE, page.params, sandbox=services.sandbox))
        dialogs_for(services, page)
        yield page


def dialogs_for(services: Services, page: Page[Any]) -> None:
    """What forms that are sent while the page stays need of it: a proof, a question, a sheet."""

    def token() -> Markup:
        nonce = page.visit.viewer.token
        value = forms.form_token(services.form_secret, PURPOSE, nonce)
        return h("input", type="hidden", id="form-token", value=value)

    ui.add_head_html(str(h("script", src=static_url("desk.js"), defer=True)))
    Region(dialogs.says()).classes("says-place")
    shown = Region(token()).classes("only-read")
    Region(dialogs.dialogs(page.visit.viewer.email)).classes("dialogs")
    page.on_viewer.append(lambda: shown.show(token()))


class View(Protocol):
    """What a page asks for, and how it shows that."""

    async def ask(self) -> Any: ...

    def paint(self, found: Any, /) -> None: ...


def opens(services: Services, path: str, key: str, view: Callable[[SettingsPage], View]) -> None:
    """The page of a tab, for whoever has the role that the tab is for."""

    @ui.page(path)
    async def tab_page(request: Request) -> Response | None:
        needed = next(tab.needs for tab in tabs() if tab.key == key)
        if refused := closed_to(services, request, needed):
            return refused
        with settings_frame(services, request, key) as page:
            shown = view(page)
        await page.live_asking(shown.ask, shown.paint)
        return None


def _navigation(mine: list[Tab], here: Tab) -> Markup:
    links = [
        h("a", icon(tab.icon), h("span", tab.label), href=tab.path, aria_current="page" if tab is here else None)
        for tab in mine
    ]
    return h("nav", links, class_="subnav", aria_label=_("Settings"))


def closed_to(services: Services, request: Request, needed: Role) -> Response | None:
    """The answer to whoever has not got the role that a page is for; None for everybody else."""
    viewer: Viewer = viewer_of(request)
    if viewer.may(needed):
        return None
    return document(_("Not for your role"), states.not_for_you(), request, sandbox=services.sandbox, status=_FORBIDDEN)
