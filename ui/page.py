"""One open page: who looks at which state of it, in which language; it reads, shows, and reads again when told.

    with frame(services, request, "overview", _("Overview")) as page:
        kpis = page.region(states.kpi_skeleton())
    await page.live(read, paint)

`read(connection, params)` runs in a thread inside the viewer's tenant transaction; `paint(data)` shows its result. What
only `auth` may read is asked of it: `await page.live_asking(ask, paint)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup
from nicegui import background_tasks, run, ui
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from adloom import clock, logs
from adloom.errors import AdloomError, NotFound
from adloom.logs import new_request_id
from ui import actions, formats, forms
from ui.components import states
from ui.components.region import Region
from ui.gateway import Caller
from ui.i18n import Language, speaking
from ui.live import About
from ui.markup import EMPTY, h
from ui.params import Params, parse
from ui.services import Services
from ui.sessions import Viewer

log = logs.get(__name__)

T = TypeVar("T")
Read = Callable[[Connection, Params], T]
Ask = Callable[[], Awaitable[T]]

# A page whose numbers come within this time is sent with them; otherwise its skeleton goes first.
AT_ONCE_S = 0.4


@dataclass(frozen=True)
class Visit:
    """Who opened which page, and how: `active` is its entry in the navigation."""

    viewer: Viewer
    caller: Caller
    language: Language
    path: str
    active: str


class Page(Generic[T]):
    """The state of one tab. Nothing of it outlives the tab."""

    def __init__(self, services: Services, visit: Visit) -> None:
        self.services, self.visit = services, visit
        self.path = visit.path
        self.params, self.notes = Params(), list[str]()
        self.client = ui.context.client
        self.shown_at: datetime | None = None
        self.on_viewer: list[Callable[[], None]] = []
        self._regions: dict[str, Region] = {}
        self._fetch: Ask[T | None] | None = None
        self._paint: Callable[[T], None] | None = None
        self._turn = 0
        self._is_behind = False

    def understand(self, query: dict[str, str]) -> None:
        """Take the state from an address."""
        self.params, self.notes = parse(query)

    def region(self, markup: Markup = Markup(), *, name: str = "", tag: str = "div") -> Region:  # noqa: B008 - immutable
        """A part of the page whose links and buttons act on this page."""
        made = Region(markup, tag=tag).on_go(self.go).on_act(self.act)
        if name:
            self._regions[name] = made
        return made

    def named(self, name: str) -> Region:
        return self._regions[name]

    async def live(self, read: Read[T], paint: Callable[[T], None]) -> None:
        """Read and show; from now on again whenever something of the organisation changes."""

        async def fetch() -> T | None:
            return await run.io_bound(self._in_tenant, read, self.visit.viewer, self.params)

        await self._begin(fetch, paint, "numbers")

    async def live_asking(self, ask: Ask[T], paint: Callable[[T], None]) -> None:
        """The same for what `auth` is asked: again whenever people, their sessions or their access change."""
        await self._begin(ask, paint, "people")

    async def _begin(self, fetch: Ask[T | None], paint: Callable[[T], None], about: About) -> None:
        self._fetch, self._paint = fetch, paint
        first = background_tasks.create(self.refresh(), name=f"read {self.path}", context=self.client.content)
        end = self.services.hub.listen(self.visit.viewer.org_id, self._told, about)
        self.client.on_delete(end)
        self.client.on_connect(self._catch_up)
        self.client.on_exception(self._surprised)
        await asyncio.wait([first], timeout=AT_ONCE_S)

    def _told(self) -> None:
        """Nobody sees a page whose browser has not come yet or has gone: all of those reading at each event would take
        the places of those that somebody looks at.
        """
        self._is_behind = True
        if self.client.has_socket_connection:
            self._catch_up()

    def _catch_up(self) -> None:
        if not self._is_behind:
            return
        self._is_behind = False
        background_tasks.create(self.refresh(), name=f"read {self.path} again", context=self.client.content)

    async def go(self, address: str, *, replace: bool) -> None:
        """Show another state of this page and put it into the address bar; another page is loaded."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or parts.path != self.path:
            ui.navigate.to(address if not (parts.scheme or parts.netloc) else "/")
            return
        with speaking(self.visit.language):
            self.understand(dict(parse_qsl(parts.query)))
        shown = self.here
        (ui.navigate.history.replace if replace else ui.navigate.history.push)(shown)
        await self.refresh()

    async def act(self, name: str, about: str) -> None:
        """Do what a button says, by way of a function; the session is asked for again first."""
        with speaking(self.visit.language):
            outcome = await actions.perform(self.services, self.visit.caller, name, about)
            if outcome.go_to:
                back = self.here
                ui.navigate.to(forms.with_next(outcome.go_to, back) if outcome.comes_back else outcome.go_to)
                return
            self.named("notice").show(h("p", outcome.words, class_="note", role="status"))

    async def refresh(self) -> None:
        """Read again; the newest question wins when several are under way."""
        self._turn += 1
        turn, request_id = self._turn, new_request_id()
        try:
            if not await self._is_open() or self._fetch is None:
                # Whoever has another session by now comes straight back.
                ui.navigate.to(forms.with_next("/login", self.here))
                return
            data = await self._fetch()
        except NotFound:
            self._tell_missing()
        except (AdloomError, SQLAlchemyError) as error:
            log.warning("page_unreadable", path=self.path, error=repr(error), page_request_id=request_id)
            if turn == self._turn:
                self._tell_failure(request_id)
        else:
            if turn == self._turn and data is not None and not self.client.is_deleted:
                self._show(data)

    async def _is_open(self) -> bool:
        """Whether the session is alive, under whatever token it is by now."""
        viewer = await self.services.sessions.viewer(self.visit.caller)
        while viewer is None and (token := await self.services.renewals.successor(self.visit.caller)):
            self.visit = replace(self.visit, caller=replace(self.visit.caller, token=token))
            viewer = await self.services.sessions.viewer(self.visit.caller)
        if viewer is None:
            return False
        before, self.visit = self.visit.viewer, replace(self.visit, viewer=viewer)
        if viewer != before:
            with speaking(self.visit.language), self.client.content:
                for listener in self.on_viewer:
                    listener()
        return True

    def _in_tenant(self, read: Read[T], viewer: Viewer, params: Params) -> T:
        with self.services.database.tenant(viewer.org_id, viewer.account_scope) as connection:
            return read(connection, params)

    def _show(self, data: T) -> None:
        if self._paint is None:
            return
        with speaking(self.visit.language), self.client.content:
            self.state(None)
            self._paint(data)
            self.named("notes").show(
                h("p", " ".join(self.notes), class_="note", role="status") if self.notes else EMPTY
            )
        self.shown_at = clock.real_now()

    def state(self, markup: Markup | None) -> None:
        """Show a designed state instead of the page's content; None brings the content back."""
        self.named("state").show(markup or Markup())
        self.content.set_visibility(markup is None)

    def _tell_failure(self, request_id: str, *, surprise: bool = False) -> None:
        retry = self.here
        with speaking(self.visit.language), self.client.content:
            if self.shown_at is None:
                self.state(self.failed(request_id, retry=retry, surprise=surprise))
                return
            local = formats.moment(self.shown_at, ZoneInfo("UTC"), clock.real_now().date())
            self.named("notes").show(self.outdated(f"{local} UTC", request_id, retry=retry))

    def _surprised(self) -> None:
        """A fault of ours, logged by now: say so instead of leaving the skeleton there."""
        self._tell_failure(self.visit.caller.request_id, surprise=True)

    def _tell_missing(self) -> None:
        with speaking(self.visit.language), self.client.content:
            self.state(self.missing())

    def failed(self, request_id: str, *, retry: str, surprise: bool) -> Markup:
        """The state of a page that could not be read."""
        return states.failed(request_id, retry=retry, surprise=surprise)

    def outdated(self, as_of: str, request_id: str, *, retry: str) -> Markup:
        """The note on a page that shows what it had."""
        return states.not_refreshed(as_of, request_id, retry=retry)

    def missing(self) -> Markup:
        """The state of a page about something that is not there."""
        return states.not_found(self.params.shared().address("/campaigns"))

    @property
    def here(self) -> str:
        """The address of what the page shows now."""
        return self.params.address(self.path)

    content: ui.element
    title: str

    @property
    def may_connect(self) -> bool:
        return self.visit.viewer.may("admin")

    @property
    def may_sync(self) -> bool:
        return self.visit.viewer.may("editor")
