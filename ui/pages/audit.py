"""Audit: who did what, when, from where, and what it was before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response

from ui import audit_words
from ui.components import audit_rows, fields, states
from ui.components.cards import card
from ui.i18n import _
from ui.icons import icon
from ui.markup import h
from ui.pages.settings import SettingsPage, closed_to, settings_frame
from ui.reads.audit import EXPORT, PATH, AuditParams
from ui.services import Services


def register(services: Services) -> None:
    @ui.page(PATH)
    async def audit_page(request: Request) -> Response | None:
        if refused := closed_to(services, request, "admin"):
            return refused
        with settings_frame(services, request, "audit") as page:
            wanted = AuditParams.parse(request.query_params)
            page.stays_at(wanted.address())
            view = AuditView(page, wanted)
        await page.live_asking(view.ask, view.paint)
        return None


@dataclass(frozen=True)
class Trail:
    """As `GET /audit` and `/members` say it."""

    page: dict[str, Any]
    members: list[dict[str, Any]]


class AuditView:
    def __init__(self, page: SettingsPage, wanted: AuditParams) -> None:
        self.page, self.wanted = page, wanted
        self.trust = page.region(states.card_skeleton(1))
        self.search = page.region()
        self.events = page.region(states.card_skeleton(8))

    async def ask(self) -> Trail:
        found, everybody = await asyncio.gather(
            self.page.ask(f"/audit?{self.wanted.query()}"), self.page.ask("/members")
        )
        return Trail(found, everybody["members"])

    def paint(self, trail: Trail) -> None:
        actions = audit_words.actions()
        self.trust.show(audit_rows.chain(trail.page["trail"]))
        self.search.show(_search(self.wanted, trail.members, actions))
        self.events.show(self._events(trail.page, actions))

    def _events(self, found: dict[str, Any], actions: Mapping[str, str]) -> Markup:
        wanted, events = self.wanted, found["events"]
        if not events:
            clear = h("a", _("Clear the search"), href=PATH, class_="btn") if wanted.narrows else None
            words = _("Nothing fits this search.") if wanted.narrows else _("Nothing has happened yet.")
            body = h("div", h("p", words), h("div", clear, class_="actions"), class_="state")
            return card(_("Events"), body)
        return card(
            _("Events"), audit_rows.events(events, actions), _pager(wanted, found["next"]), tools=_export(wanted)
        )


def _search(wanted: AuditParams, members: list[dict[str, Any]], actions: Mapping[str, str]) -> Markup:
    """One plain form: the address says what is looked for."""
    kinds = {kind: words[:1].upper() + words[1:] for kind, words in audit_words.actors().items()}
    who = {"": _("Everybody")} | kinds | {each["user_id"]: each["name"] for each in members}
    if wanted.actor and wanted.actor not in who:
        who[wanted.actor] = wanted.actor
    what = {"": _("Everything")} | dict(sorted(actions.items(), key=lambda item: item[1]))
    if wanted.action and wanted.action not in what:
        what[wanted.action] = wanted.action
    plain: dict[str, Any] = {"required": False}
    return h(
        "form",
        fields.text("since", _("From (UTC)"), kind="date", value=wanted.since, **plain),
        fields.text("until", _("To (UTC)"), kind="date", value=wanted.until, **plain),
        fields.select("actor", _("Who"), who, wanted.actor),
        fields.select("action", _("What"), what, wanted.action),
        fields.text("target", _("To what"), value=wanted.target, placeholder=_("kind or id"), maxlength=320, **plain),
        fields.text("text", _("Words"), kind="search", value=wanted.text, maxlength=320, **plain),
        h("div", h("a", _("Clear"), href=PATH, class_="btn") if wanted.narrows else None,
          h("button", icon("search"), _("Search"), type="submit", class_="btn primary"), class_="tools end"),
        action=PATH,
        method="get",
        role="search",
        class_="card search",
    )  # fmt: skip


def _export(wanted: AuditParams) -> Markup:
    links = [
        h("a", icon("download"), label, href=wanted.address(EXPORT, format=kind), class_="btn", download=True)
        for kind, label in (("csv", "CSV"), ("jsonl", _("JSON lines")))
    ]
    return h("div", links, class_="tools")


def _pager(wanted: AuditParams, following: int | None) -> Markup | None:
    if following is None and wanted.before is None:
        return None
    newest = h("a", _("Newest"), href=wanted.address(), class_="btn") if wanted.before is not None else None
    older = h("a", _("Older"), href=wanted.address(before=str(following)), class_="btn") if following else None
    words = h("span", _("Fifty at a time, the newest first.") if following else _("These are the oldest."))
    return h("nav", words, h("div", newest, older), class_="pager", aria_label=_("Pages"))
