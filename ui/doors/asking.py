"""Pages that ask for a mail, and the first set-up."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from adloom.errors import Unavailable
from ui.doors.shell import CONFLICT, Door, input_, new_password, stale, to, why
from ui.gateway import Caller
from ui.i18n import _
from ui.markup import h
from ui.security import caller

_UNAUTHENTICATED, _FORBIDDEN = 401, 403


class MailDoor(Door):
    """An address, and a mail to it. The answer is the same whatever address it is."""

    calls = ""

    def words(self) -> tuple[str, str, str]:
        """The title, a sentence, and what the button says."""
        raise NotImplementedError

    def body(self, _request: Request, email: str) -> dict[str, Any]:
        """What `auth` is asked."""
        return {"email": email}

    async def greet(self, request: Request) -> Response:
        return self._form(request)

    def _form(self, request: Request, email: str = "", problem: str = "", status: int = 200) -> Response:
        title, text, submit = self.words()
        return self.show(
            request,
            title,
            h("p", text, class_="muted"),
            problem=problem,
            submit=submit,
            fields=input_("email", _("E-mail"), "username", kind="email", value=email, focus=True),
            links=h("p", h("a", _("Back to the log-in"), href="/login"), class_="login-links"),
            status=status,
        )

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None:
            return self._form(request, "", stale(), _FORBIDDEN)
        email = given.get("email", "").strip()[:320]
        answer = await self.call(request, self.calls, self.body(request, email))
        if answer is None or not answer.ok:
            return self._form(request, email, *why(answer))
        return self.show(
            request,
            _("Look at your mails"),
            h(
                "p",
                _("A mail to {email} is on its way. What to do next stands in it.").format(email=email),
                class_="muted",
            ),
            links=h("p", h("a", _("Back to the log-in"), href="/login"), class_="login-links"),
        )


class ForgottenDoor(MailDoor):
    """`/forgotten`."""

    calls = "/password/forgotten"

    def body(self, request: Request, email: str) -> dict[str, Any]:
        """With the browser's token: no stranger's attempts keep it from a mail."""
        return {"email": email, "device": caller(request).device}

    def words(self) -> tuple[str, str, str]:
        return (
            _("Forgotten your password?"),
            _("We send a link to your e-mail address. With it you choose another password."),
            _("Send the link"),
        )


class RegisterDoor(MailDoor):
    """`/register`."""

    calls = "/registrations"

    def words(self) -> tuple[str, str, str]:
        return (
            _("Register"),
            _("We send a link to your e-mail address. With it you set up your own organisation."),
            _("Send the link"),
        )


class SetupDoor(Door):
    """`/setup`: the first organisation and its owner, by whoever has the operator key."""

    async def greet(self, request: Request) -> Response:
        try:
            needed = await needs_setup(self, request)
        except Unavailable:
            return self.show(request, _("Set up Adloom"), problem=why(None)[0], status=why(None)[1])
        return self._form(request, {}) if needed else to("/login")

    def _form(self, request: Request, given: dict[str, str], problem: str = "", status: int = 200) -> Response:
        key = h(
            "small",
            _("It lies in the file operator-key among this installation's secrets: it shows that it is yours."),
            class_="muted",
        )
        return self.show(
            request,
            _("Set up Adloom"),
            h(
                "p",
                _("Nobody has used this installation yet. Make the first organisation and its owner."),
                class_="muted",
            ),
            problem=problem,
            submit=_("Set up"),
            fields=[
                h("div", input_("key", _("Operator key"), "off", kind="password"), key, class_="field-group"),
                input_("organisation", _("Organisation"), "organization", value=given.get("organisation", "")),
                input_("name", _("Your name"), "name", value=given.get("name", "")),
                input_("email", _("E-mail"), "username", kind="email", value=given.get("email", "")),
                new_password(),
            ],
            status=status,
        )

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None:
            return self._form(request, {}, stale(), _FORBIDDEN)
        kept = {name: given.get(name, "").strip()[:320] for name in ("organisation", "name", "email")}
        asked = caller(request)
        # The key stands in for a session: nobody has one yet.
        operator = Caller(_header(given.get("key", "")), asked.forwarded_for, asked.request_id, asked.user_agent)
        try:
            body = {**kept, "password": given.get("password", "")}
            answer = await self.services.gateway.call("POST", "auth", "/setup", operator, body)
        except Unavailable:
            return self._form(request, kept, *why(None))
        if answer.ok or answer.status == CONFLICT:
            return to("/login")
        if answer.status in (_UNAUTHENTICATED, _FORBIDDEN):
            return self._form(request, kept, _("That is not the operator key."), _FORBIDDEN)
        return self._form(request, kept, *why(answer))


def _header(key: str) -> str:
    """What fits into a header; anything else is no key."""
    cleaned = key.strip()
    return cleaned if cleaned.isascii() and cleaned.isprintable() and " " not in cleaned and cleaned else "-"


async def needs_setup(door: Door, request: Request) -> bool:
    """Whether nobody has set this installation up; Unavailable when `auth` does not say."""
    answer = await door.call(request, "/setup", {}, "GET")
    if answer is None or not answer.ok:
        raise Unavailable("auth did not say which doors there are")
    return bool(answer.body["needs_setup"])
