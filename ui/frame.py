"""`frame()`: what is the same on every page, put around its content once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from ui import forms, theme
from ui.components import shell
from ui.components.region import Region
from ui.document import sandbox_mark, title
from ui.i18n import _, current
from ui.markup import h, join
from ui.page import Page, Visit
from ui.security import caller, viewer_of
from ui.services import Services

P = TypeVar("P", bound=Page[Any])


@contextmanager
def framed(
    services: Services, request: Request, active: str, name: str, make: Callable[[Services, Visit], P]
) -> Iterator[P]:
    """The frame of whatever page `make` makes; elements made inside it land in the content."""
    viewer = viewer_of(request)
    page = make(services, Visit(viewer, caller(request), current(), request.url.path, active))
    page.understand(dict(request.query_params))
    _head(request, current().tag, name)
    _navigation(page, active)
    _top(page, request, name)
    if services.sandbox:
        Region(sandbox_mark(link=True)).classes("phone-sandbox")
    page.region(name="crumbs")
    page.region(name="notice").classes("notes")
    page.region(name="notes").classes("notes")
    page.region(name="state")
    with ui.element("div").classes("stack") as page.content:
        yield page


def frame(services: Services, request: Request, active: str, name: str) -> AbstractContextManager[Page[Any]]:
    """The frame of a page that shows numbers."""
    return framed(services, request, active, name, Page[Any])


def _head(request: Request, language: str, name: str) -> None:
    chosen = theme.theme_of(request)
    set_up = f"document.documentElement.lang={language!r};"
    if chosen:
        set_up += f"document.documentElement.dataset.theme={chosen!r};"
    ui.add_head_html(str(join(h("script", Markup(set_up)), theme.head())))  # noqa: S704 - our own constants
    ui.page_title(title(name))


def _navigation(page: Page[Any], active: str) -> None:
    """Sidebar and phone tabs stand outside the page's main part."""
    with page.client.layout:
        Region(h("a", _("Skip to the content"), href="#content", class_="skip")).classes("skip-place").move(
            target_index=0
        )
        side = ui.element("aside").classes("side")
        side.move(target_index=1)
        with side:
            page.region(shell.sidebar(active, page.params, sandbox=page.services.sandbox), name="sidebar")
        with ui.element("nav").classes("tabs").props(f'aria-label="{_("Pages of Adloom")}"'):
            page.region(shell.tabs(active, page.params), name="tabs")


def _top(page: Page[Any], request: Request, name: str) -> None:
    chosen = theme.theme_of(request)

    def user_menu() -> Markup:
        viewer = page.visit.viewer
        token = forms.form_token(page.services.form_secret, "logout", viewer.token)
        return shell.user_menu(viewer, chosen, token)

    with ui.element("header").classes("top"):
        page.region(h("h1", name, id="content", tabindex="-1"), name="title").classes("top-title")
        page.region(name="trust").classes("trust-place")
        page.region(name="controls").classes("controls")
        user = Region(user_menu()).classes("user")
    page.on_viewer.append(lambda: user.show(user_menu()))
