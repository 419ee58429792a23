"""`/settings/audit/export`: the audit trail as a file, passed on from `auth` while it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from nicegui import app
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from adloom.errors import Unavailable
from ui import forms
from ui.components import states
from ui.document import document
from ui.i18n import _
from ui.pages.settings import closed_to
from ui.reads.audit import EXPORT, AuditParams
from ui.security import caller
from ui.services import Services

_OK, _UNAUTHENTICATED, _SERVICE_UNAVAILABLE = 200, 401, 503
_KEPT = ("content-type", "content-disposition")


def register(services: Services) -> None:
    async def export(request: Request) -> Response:
        return closed_to(services, request, "admin") or await _export(services, request)

    app.add_route(EXPORT, export, methods=["GET"])


async def _export(services: Services, request: Request) -> Response:
    wanted = AuditParams.parse(request.query_params)
    kind = "jsonl" if request.query_params.get("format") == "jsonl" else "csv"
    asked = caller(request)
    async with AsyncExitStack() as until_sent:
        try:
            download = services.gateway.download("auth", f"/audit/export?{wanted.query(kind)}", asked)
            answer = await until_sent.enter_async_context(download)
        except Unavailable:
            return _failed(services, request, asked.request_id, wanted)
        if answer.status_code == _UNAUTHENTICATED:
            return RedirectResponse(forms.with_next("/login", wanted.address()), status_code=303)
        if answer.status_code != _OK:
            return _failed(services, request, asked.request_id, wanted)
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers} | {"Cache-Control": "no-store"}
        end = until_sent.pop_all()

        async def content() -> AsyncIterator[bytes]:
            async with end:
                async for part in answer.aiter_bytes():
                    yield part

        return StreamingResponse(content(), headers=kept)
    raise AssertionError  # nothing swallows what is raised above


def _failed(services: Services, request: Request, request_id: str, wanted: AuditParams) -> Response:
    state = states.settings_failed(request_id, retry=wanted.address())
    return document(_("Not available"), state, request, sandbox=services.sandbox, status=_SERVICE_UNAVAILABLE)
