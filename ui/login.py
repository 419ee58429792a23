"""Log in and out: plain forms, because a page of NiceGUI would keep memory for everybody who merely knocks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adloom import logs
from adloom.connections.browser import new_browser
from adloom.errors import Unavailable
from ui import forms, refusals
from ui.document import document, door_card
from ui.gateway import Answer
from ui.i18n import _
from ui.markup import h
from ui.security import caller, viewer_of
from ui.services import Services

log = logs.get(__name__)

_TOO_MANY, _SERVICE_UNAVAILABLE, _SERVER_ERROR, _FORBIDDEN = 429, 503, 500, 403
# Longer than any address and password that `auth` accepts.
_LONGEST_FORM = 8_192


@dataclass(frozen=True)
class Attempt:
    email: str = ""
    next: str = "/"
    problem: str = ""
    status: int = 200
    ways: Markup | None = None
    providers: tuple[Mapping[str, str], ...] = ()


async def greet(services: Services, request: Request, target: str) -> Response:
    """The form, or straight to the page for whoever has a session."""
    try:
        viewer = await services.sessions.viewer(caller(request))
    except Unavailable:
        return show(services, request, Attempt("", target, unavailable(), _SERVICE_UNAVAILABLE))
    if viewer is not None:
        return RedirectResponse(target, status_code=303)
    answered, providers = await asyncio.gather(_ask(services, request, "/setup"), _ask(services, request, "/sso"))
    if answered.get("needs_setup"):
        return RedirectResponse("/setup", status_code=303)
    return show(services, request, Attempt(next=target, ways=_links(answered), providers=_listed(providers)))


async def _ask(services: Services, request: Request, path: str) -> dict[str, Any]:
    """Which doors there are besides; none are shown where `auth` does not say."""
    try:
        answer = await services.gateway.call("GET", "auth", path, caller(request))
    except Unavailable:
        return {}
    return answer.body if answer.ok else {}


def _listed(answered: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    return tuple(answered.get("providers", ()))


async def again(services: Services, request: Request, attempt: Attempt) -> Response:
    """The form once more, with the other ways in: whoever cannot get in by this one may need them."""
    ways, providers = await asyncio.gather(_ask(services, request, "/setup"), _ask(services, request, "/sso"))
    return show(services, request, replace(attempt, ways=_links(ways), providers=_listed(providers)))


def _links(ways: Mapping[str, bool]) -> Markup | None:
    links = [
        h("a", _("Forgotten your password?"), href="/forgotten") if ways.get("sends_mails") else None,
        h("a", _("Register"), href="/register") if ways.get("registration") else None,
    ]
    return h("p", links, class_="login-links") if any(links) else None


def unavailable() -> str:
    return _("Logging in does not work right now: a part of Adloom does not answer. Try again in a minute.")


def show(services: Services, request: Request, attempt: Attempt) -> Response:
    """The form. The nonce in the cookie and the token in the form belong together."""
    names = services.cookies
    nonce = request.cookies.get(names.form) or forms.new_nonce()
    token = forms.form_token(services.form_secret, "login", nonce)
    card = _card(attempt, token, _providers(services, attempt, nonce))
    response = document(_("Log in"), card, request, sandbox=services.sandbox, status=attempt.status)
    names.put(response, names.form, nonce, same_site="strict")
    return response


def _providers(services: Services, attempt: Attempt, nonce: str) -> Markup | None:
    from ui.doors import sso  # it builds on this page

    return sso.buttons(forms.form_token(services.form_secret, f"/{sso.START}", nonce), attempt.providers, attempt.next)


def _card(attempt: Attempt, token: str, providers: Markup | None) -> Markup:
    problem = h("p", attempt.problem, class_="problem", role="alert", id="problem") if attempt.problem else None
    form = h(
        "form",
        h("input", type="hidden", name="form_token", value=token),
        h("input", type="hidden", name="next", value=attempt.next),
        problem,
        field("email", _("E-mail"), "username", kind="email", value=attempt.email, focus=not attempt.email),
        field("password", _("Password"), "current-password", kind="password"),
        h("button", _("Log in"), type="submit", class_="btn primary"),
        method="post",
        action="/login",
    )
    intro = h("p", _("Your campaigns' numbers, as the platforms say them."), class_="muted")
    return door_card(_("Log in"), intro, form, attempt.ways, providers)


def field(name: str, label: str, complete: str, *, kind: str, value: str = "", focus: bool = False) -> Markup:
    box = h(
        "input",
        type=kind,
        name=name,
        value=value or None,
        class_="input",
        autocomplete=complete,
        required=True,
        autofocus=focus or None,
        autocapitalize="none",
        spellcheck="false",
    )
    return h("label", label, box, class_="field")


async def enter(services: Services, request: Request) -> Response:
    """Take the form, ask `auth`, and hand the browser its token."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _LONGEST_FORM:
        return Response(status_code=413)
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    target = forms.safe_next(fields.get("next"))
    attempt = Attempt(email=fields.get("email", "")[:320], next=target)
    nonce = request.cookies.get(services.cookies.form, "")
    if not forms.is_form_token(fields.get("form_token", ""), services.form_secret, "login", nonce):
        problem = _("This form was open for too long. Please try again.")
        return await again(services, request, Attempt(attempt.email, target, problem, _FORBIDDEN))
    try:
        answer = await services.gateway.call(
            "POST",
            "auth",
            "/login",
            caller(request),
            {"email": attempt.email, "password": fields.get("password", ""), "device": caller(request).device},
        )
    except Unavailable:
        return show(services, request, Attempt(attempt.email, target, unavailable(), _SERVICE_UNAVAILABLE))
    if not answer.ok:
        return await again(services, request, Attempt(attempt.email, target, _refusal(answer), _status(answer)))
    if "next" in answer.body:
        from ui.doors import second_step  # it builds on this page

        return second_step.go_on(services, answer, target)
    return entered(services, request, answer, target)


def _status(answer: Answer) -> int:
    return _SERVICE_UNAVAILABLE if answer.status >= _SERVER_ERROR else answer.status


def _refusal(answer: Answer) -> str:
    if answer.status == _TOO_MANY:
        return refusals.too_many()
    if answer.status >= _SERVER_ERROR:
        return unavailable()
    return _("That e-mail and password don't fit together.")


def entered(services: Services, request: Request, answer: Answer, target: str) -> Response:
    """Hand the browser the token of an answer of `auth`, and what it is known by from now on."""
    response = RedirectResponse(target, status_code=303)
    put_session(services, response, request, answer)
    return response


def put_session(services: Services, response: Response, request: Request, answer: Answer) -> None:
    """The cookies of an answer that carries a token."""
    names = services.cookies
    expires = datetime.fromisoformat(str(answer.body["expires_at"]))
    names.put(response, names.session, str(answer.body["token"]), expires=expires)
    if device := answer.body.get("device"):
        names.put_device(response, str(device))
    names.put(response, names.browser, caller(request).browser or new_browser())


async def leave(services: Services, request: Request) -> Response:
    """End the session at `auth`, then forget it here and in the browser."""
    viewer = viewer_of(request)
    fields = await request.form()
    token = fields.get("form_token")
    if not isinstance(token, str) or not forms.is_form_token(token, services.form_secret, "logout", viewer.token):
        return Response(status_code=_FORBIDDEN)
    try:
        await services.gateway.call("POST", "auth", "/logout", caller(request))
    except Unavailable:
        # The browser forgets its token all the same; the session itself ends by its expiry.
        log.warning("logout_unreachable", user_id=str(viewer.user_id))
    services.sessions.forget(viewer.token)
    response = RedirectResponse("/login", status_code=303)
    services.cookies.drop(response, services.cookies.session)
    return response
