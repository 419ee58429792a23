"""`/confirm`: whoever is about to spend money or to change access says the password again, and goes on."""

from __future__ import annotations

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adloom.errors import Unavailable
from ui import forms, login, refusals
from ui.document import document, door_card
from ui.gateway import Answer
from ui.i18n import _
from ui.markup import h
from ui.security import caller, viewer_of
from ui.services import Services

_UNAUTHENTICATED, _FORBIDDEN, _TOO_MANY, _SERVER_ERROR, _SERVICE_UNAVAILABLE = 401, 403, 429, 500, 503
_LONGEST_FORM = 8_192


def ask(
    services: Services, request: Request, problem: str = "", target: str | None = None, status: int = 200
) -> Response:
    """The form."""
    goes_to = forms.safe_next(request.query_params.get("next")) if target is None else target
    token = forms.form_token(services.form_secret, "confirm", viewer_of(request).token)
    card = door_card(
        _("Confirm that it is you"),
        h("p", _("What comes next changes who or what has access. Please say your password again."), class_="muted"),
        _form(viewer_of(request).email, token, goes_to, problem),
    )
    return document(_("Confirm that it is you"), card, request, sandbox=services.sandbox, status=status)


def _form(email: str, token: str, target: str, problem: str) -> Markup:
    return h(
        "form",
        h("input", type="hidden", name="form_token", value=token),
        h("input", type="hidden", name="next", value=target),
        # For password managers: whose password it is.
        h("input", type="hidden", name="email", value=email, autocomplete="username"),
        h("p", problem, class_="problem", role="alert", id="problem") if problem else None,
        login.field("password", _("Password"), "current-password", kind="password", focus=True),
        h("label", _("Code of your authenticator app, if you have one"), _code(), class_="field"),
        h("button", _("Confirm"), type="submit", class_="btn primary"),
        h("a", _("Back"), href=target, class_="btn"),
        method="post",
        action="/confirm",
    )


def _code() -> Markup:
    return h("input", type="text", name="code", class_="input", autocomplete="one-time-code", spellcheck="false")


async def take(services: Services, request: Request) -> Response:
    """Take the form, and hand the browser the new token of its session."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _LONGEST_FORM:
        return Response(status_code=413)
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    target, viewer = forms.safe_next(fields.get("next")), viewer_of(request)
    if not forms.is_form_token(fields.get("form_token", ""), services.form_secret, "confirm", viewer.token):
        return ask(services, request, _("This form was open for too long. Please try again."), target, _FORBIDDEN)
    body = {"password": fields.get("password", ""), "code": fields.get("code", "").strip() or None}
    try:
        answer = await services.gateway.call("POST", "auth", "/session/step-up", caller(request), body)
    except Unavailable:
        return ask(services, request, login.unavailable(), target, _SERVICE_UNAVAILABLE)
    services.sessions.forget(viewer.token)
    if answer.status == _UNAUTHENTICATED:
        return RedirectResponse(forms.with_next("/login", target), status_code=303)
    if answer.ok:
        return login.entered(services, request, answer, target)
    status = _SERVICE_UNAVAILABLE if answer.status >= _SERVER_ERROR else answer.status
    return ask(services, request, _refusal(answer), target, status)


def _refusal(answer: Answer) -> str:
    if answer.status == _TOO_MANY:
        return refusals.too_many()
    if answer.status >= _SERVER_ERROR:
        return login.unavailable()
    if answer.code == "no_password":
        return refusals.no_password()
    if answer.code in ("code_needed", "wrong_code", "validation_failed"):
        return _("Please give a code that your authenticator app shows now.")
    return _("That is not your password.")
