"""The desk where the forms of the settings arrive: one form, one deed, one answer in JSON for `static/desk.js`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from nicegui import app
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adloom.errors import Unavailable
from ui import forms, login
from ui.deeds.words import Problem, refusal, stale, unavailable
from ui.gateway import Answer
from ui.security import caller, viewer_of
from ui.services import Services
from ui.sessions import Viewer

# What form tokens of the settings are for.
PURPOSE = "settings"
# Thousands of accounts may be chosen in a form.
_LONGEST_FORM = 131_072
_MOST_FIELDS = 5100
_UNAUTHENTICATED, _FORBIDDEN, _SERVER_ERROR, _SERVICE_UNAVAILABLE = 401, 403, 500, 503


@dataclass(frozen=True)
class Done:
    """What came of it: words to say, a sheet to show, a page to go to.

    `session` is an answer of `auth` with a new token for the browser. `elsewhere`: it is a session of another
    organisation, which open pages of this one do not follow. `browser` is what a log-in at a provider is bound to.
    """

    says: str = ""
    sheet: Markup | None = None
    go: str = ""
    session: Answer | None = None
    elsewhere: bool = False
    language: str = ""
    browser: str = ""


class RefusedError(Exception):
    """A route said no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


@dataclass(frozen=True)
class Asking:
    """Who sent which form. `path` are the parameters of the address."""

    services: Services
    request: Request
    viewer: Viewer
    given: FormData
    path: Mapping[str, Any]

    def field(self, name: str, longest: int = 400) -> str:
        value = self.given.get(name)
        return value.strip()[:longest] if isinstance(value, str) else ""

    def secret(self, name: str) -> str:
        """A field with nothing taken away from it."""
        value = self.given.get(name)
        return value if isinstance(value, str) else ""

    def chosen(self, name: str) -> list[str]:
        """The boxes that are ticked."""
        return [value for value in self.given.getlist(name) if isinstance(value, str)]

    async def auth(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Call a route of `auth` as the viewer; RefusedError unless it did what it was asked."""
        return await self.call("auth", method, path, body)

    async def call(self, function: str, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """The same of any function."""
        answer = await self.services.gateway.call(method, function, path, caller(self.request), body)
        if not answer.ok:
            raise RefusedError(answer)
        return answer


Deed = Callable[[Asking], Awaitable[Done]]


def register(services: Services, deeds: Mapping[str, Deed]) -> None:
    """A POST route for each path."""

    def route(deed: Deed) -> Callable[[Request], Awaitable[Response]]:
        async def take(request: Request) -> Response:
            return await _take(services, request, deed)

        return take

    for path, deed in deeds.items():
        app.add_route(path, route(deed), methods=["POST"])


async def _take(services: Services, request: Request, deed: Deed) -> Response:
    viewer = viewer_of(request)
    given = await _form(request)
    token = given.get("form_token") if given is not None else None
    if given is None or not isinstance(token, str):
        return _answer(_FORBIDDEN, problem=stale())
    if not forms.is_form_token(token, services.form_secret, PURPOSE, viewer.token):
        return _answer(_FORBIDDEN, problem=stale())
    asking = Asking(services, request, viewer, given, request.path_params)
    try:
        try:
            async with services.renewals.renewing(caller(request)):
                done = await deed(asking)
                response = _done(asking, done)
        except RefusedError as refused:
            # This asks something too.
            response = await _refused(asking, refused.answer)
    except Unavailable:
        return _answer(_SERVICE_UNAVAILABLE, problem=unavailable())
    # After a refusal too: what the page shows may be older than what the route knows.
    services.hub.announce(viewer.org_id, "people")
    return response


async def _form(request: Request) -> FormData | None:
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _LONGEST_FORM:
        return None
    return await request.form(max_fields=_MOST_FIELDS, max_files=0)


def _done(asking: Asking, done: Done) -> Response:
    sheet = str(done.sheet) if done.sheet is not None else ""
    if done.session is None:
        response = _answer(200, says=done.says, sheet=sheet, go=done.go)
    else:
        new, services = str(done.session.body["token"]), asking.services
        token = forms.form_token(services.form_secret, PURPOSE, new)
        response = _answer(200, says=done.says, sheet=sheet, go=done.go, form_token=token)
        login.put_session(services, response, asking.request, done.session)
        services.sessions.forget(asking.viewer.token)
        if not done.elsewhere:
            services.renewals.renewed(caller(asking.request), new)
    cookies = asking.services.cookies
    if done.language:
        cookies.put_language(response, done.language)
    if done.browser:
        cookies.put(response, cookies.browser, done.browser)
    return response


async def _refused(asking: Asking, answer: Answer) -> Response:
    """Ask for a proof, for a log-in, or say what is wrong."""
    if answer.code == "step_up_needed":
        factor = await asking.services.gateway.call("GET", "auth", "/mfa", caller(asking.request))
        has_one = factor.ok and factor.body.get("enabled_at") is not None
        return _answer(_FORBIDDEN, step_up={"code": has_one})
    if answer.status == _UNAUTHENTICATED:
        return _answer(_UNAUTHENTICATED, login=True)
    problem: Problem = refusal(answer, asking.field("platform"))
    status = _SERVICE_UNAVAILABLE if answer.status >= _SERVER_ERROR else answer.status
    return _answer(status, problem=problem.words, fields=problem.fields)


def _answer(status: int, **content: Any) -> JSONResponse:
    shown = {name: value for name, value in content.items() if value}
    return JSONResponse(shown, status, {"Cache-Control": "no-store"})
