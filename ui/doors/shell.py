"""What the doors share: the card with a form, and a form that was really ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adloom.errors import Unavailable
from ui import forms, login, refusals
from ui.document import document, door_card
from ui.gateway import Answer
from ui.i18n import _
from ui.markup import Child, h
from ui.security import caller
from ui.services import Services

FORBIDDEN, NOT_FOUND, CONFLICT, WRONG_FIELDS, TOO_MANY = 403, 404, 409, 422, 429
SERVER_ERROR, SERVICE_UNAVAILABLE = 500, 503
# Longer than everything that `auth` accepts in one form.
_LONGEST_FORM = 16_384


class Door:
    """One page with one form: `name` is its path without the slash, and what its form tokens are for."""

    def __init__(self, services: Services, name: str) -> None:
        self.services = services
        self.path = f"/{name}"

    def show(
        self,
        request: Request,
        title: str,
        *body: Child,
        problem: str = "",
        submit: str = "",
        fields: Child = None,
        hidden: Mapping[str, str] | None = None,
        links: Child = None,
        onward: str | None = None,
        status: int = 200,
    ) -> Response:
        """The card; with `submit` a form of these fields in it, with `onward` it goes on to that address by itself."""
        names = self.services.cookies
        nonce = request.cookies.get(names.form) or forms.new_nonce()
        kept = {"form_token": forms.form_token(self.services.form_secret, self.path, nonce), **(hidden or {})}
        shown = h("p", problem, class_="problem", role="alert", id="problem") if problem else None
        form = (
            h(
                "form",
                [h("input", type="hidden", name=name, value=value) for name, value in kept.items()],
                shown,
                fields,
                h("button", submit, type="submit", class_="btn primary"),
                method="post",
                action=self.path,
            )
            if submit
            else shown
        )
        card = door_card(title, body, form, links)
        page = document(title, card, request, sandbox=self.services.sandbox, status=status, onward=onward)
        names.put(page, names.form, nonce, same_site="strict")
        return page

    async def greet(self, request: Request) -> Response:
        """The page."""
        raise NotImplementedError

    async def take(self, request: Request) -> Response:
        """Its form."""
        raise NotImplementedError

    async def fields(self, request: Request) -> dict[str, str] | None:
        """What the form says; None when it is not one of ours, or far too long."""
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _LONGEST_FORM:
            return None
        given = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        nonce = request.cookies.get(self.services.cookies.form, "")
        token = given.pop("form_token", "")
        return given if forms.is_form_token(token, self.services.form_secret, self.path, nonce) else None

    async def call(self, request: Request, path: str, body: dict[str, Any], method: str = "POST") -> Answer | None:
        """Ask `auth`; None when it does not answer."""
        try:
            answer = await self.services.gateway.call(
                method, "auth", path, caller(request), body if method == "POST" else None
            )
        except Unavailable:
            return None
        return None if answer.status >= SERVER_ERROR else answer


def input_(name: str, label: str, complete: str, **how: Any) -> Markup:
    """A labelled field."""
    return login.field(name, label, complete, **({"kind": "text"} | how))


def new_password() -> Markup:
    """The field of a password that is being chosen."""
    hint = h("small", _("At least 12 characters; a sentence is good. Nothing else is asked of it."), class_="muted")
    return h("div", input_("password", _("New password"), "new-password", kind="password"), hint, class_="field-group")


def stale() -> str:
    return _("This form was open for too long. Please try again.")


def why(answer: Answer | None) -> tuple[str, int]:
    """What to say of an answer that was not what we hoped for, and with which status."""
    if answer is None:
        return login.unavailable(), SERVICE_UNAVAILABLE
    if answer.status == TOO_MANY:
        return refusals.too_many(), TOO_MANY
    if answer.code == "mail_off":
        return _(
            "No mails are sent here: the operator has set up none. Ask the person who looks after Adloom."
        ), CONFLICT
    if answer.code == "email_taken":
        return _("There is an account of this address already."), CONFLICT
    if answer.status == WRONG_FIELDS:
        return _field_problem(answer), WRONG_FIELDS
    return answer.detail or login.unavailable(), answer.status


def _field_problem(answer: Answer) -> str:
    """The rule of passwords in the visitor's language; else that something is not right."""
    found = refusals.faults(answer)
    if any(field.endswith("password") for field, _problem in found):
        return refusals.password_rule(" ".join(problem for _field, problem in found))
    return refusals.wrong_fields()


def to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)
