"""`/login/code` and `/login/enrol`: what comes after the password for whoever has or needs a second factor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote, urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from adloom.identity import totp
from ui import forms, login
from ui.doors.shell import Door, input_, stale, to, why
from ui.gateway import Answer
from ui.i18n import _
from ui.markup import h
from ui.security import caller
from ui.services import Services

_SECRET = re.compile(r"^[A-Z2-7]{16,64}$")
_GONE = "challenge_gone"
_BAD_REQUEST, _UNAUTHENTICATED = 400, 401


def go_on(services: Services, answer: Answer, target: str) -> Response:
    """From the first step to the next one. The challenge is kept where no script and no address shows it."""
    return keep(services, to(page_of(answer, target)), answer)


def page_of(answer: Answer, target: str) -> str:
    """The page of the next step."""
    return forms.with_next("/login/code" if answer.body["next"] == "code" else "/login/enrol", target)


def keep(services: Services, response: Response, answer: Answer) -> Response:
    """The challenge, for the browser alone."""
    expires = datetime.fromisoformat(str(answer.body["expires_at"]))
    names = services.cookies
    names.put(response, names.challenge, str(answer.body["challenge"]), expires=expires, same_site="strict")
    return response


class CodeDoor(Door):
    """A code of the app, or a recovery code."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "login/code")

    async def greet(self, request: Request) -> Response:
        if not request.cookies.get(self.services.cookies.challenge):
            return to("/login")
        return self._form(request, forms.safe_next(request.query_params.get("next")))

    def _form(self, request: Request, target: str, problem: str = "", status: int = 200) -> Response:
        return self.show(
            request,
            _("Your code"),
            h("p", _("Type the six digits that your authenticator app shows for Adloom now."), class_="muted"),
            problem=problem,
            submit=_("Log in"),
            fields=input_("code", _("Code"), "one-time-code", focus=True),
            hidden={"next": target},
            links=h(
                "p",
                _("No phone at hand? Type one of your recovery codes instead. None of those either? Another "
                  "administrator can take the lost factor away."),
                class_="muted login-links",
            ),
            status=status,
        )  # fmt: skip

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        target = forms.safe_next((given or {}).get("next"))
        if given is None:
            return self._form(request, target, stale(), 403)
        answer = await self.call(request, "/login/code", _proof(self.services, request, given))
        if answer is not None and answer.ok:
            return _entered(self.services, login.entered(self.services, request, answer, target))
        if answer is not None and answer.code == _GONE:
            return over(self, request, target)
        problem, status = why(answer)
        if answer is not None and answer.status == _UNAUTHENTICATED:
            problem = _("That code is wrong, or was used already. Wait for the next one.")
        if answer is not None and answer.code == "codes_locked":
            problem = _("Too many wrong codes. Use a recovery code, or wait up to an hour.")
        return self._form(request, target, problem, status)


class EnrolDoor(Door):
    """The role asks for a second factor, and there is none yet."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "login/enrol")

    async def greet(self, request: Request) -> Response:
        """Each look makes a new secret: one that somebody else has seen is not taken into use."""
        target = forms.safe_next(request.query_params.get("next"))
        challenge = request.cookies.get(self.services.cookies.challenge)
        if not challenge:
            return to("/login")
        answer = await self.call(request, "/login/enrol", {"challenge": challenge[:100]})
        if answer is None or not answer.ok:
            if answer is not None and answer.code in (_GONE, "mfa_on"):
                return over(self, request, target)
            problem, status = why(answer)
            return self.show(request, _("A second step"), problem=problem, status=status)
        account = unquote(urlsplit(str(answer.body["uri"])).path).rpartition(":")[2]
        return self._form(request, target, str(answer.body["secret"]), account)

    def _form(
        self, request: Request, target: str, secret: str, account: str, *, problem: str = "", status: int = 200
    ) -> Response:
        return self.show(
            request,
            _("A second step"),
            h(
                "p",
                _("Owners and administrators log in with a code of their phone too, so that a stolen password opens "
                  "nothing. Scan this with an authenticator app, then type the code that it shows."),
                class_="muted",
            ),
            qr(secret, account),
            problem=problem,
            submit=_("Turn it on and log in"),
            fields=input_("code", _("Code"), "one-time-code", focus=True),
            hidden={"next": target, "secret": secret, "account": account},
            status=status,
        )  # fmt: skip

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None or not _SECRET.match(given.get("secret", "")):
            return to("/login/enrol")
        target = forms.safe_next(given.get("next"))
        answer = await self.call(request, "/login/enrol/confirm", _proof(self.services, request, given))
        if answer is not None and answer.ok:
            return self._done(request, answer, target)
        if answer is not None and answer.code in (_GONE, "mfa_on"):
            return over(self, request, target)
        problem, status = why(answer)
        if answer is not None and answer.status == _BAD_REQUEST:
            problem = _("That is not the code it shows now. Check that the clock of your phone is right.")
        return self._form(
            request, target, given["secret"], given.get("account", "")[:320], problem=problem, status=status
        )

    def _done(self, request: Request, answer: Answer, target: str) -> Response:
        """The recovery codes, shown this once; the session is there already."""
        page = self.show(
            request,
            _("Keep these recovery codes"),
            h(
                "p",
                _("Each of them logs you in once when your phone is lost. They are not shown again."),
                class_="muted",
            ),
            recovery_codes([str(code) for code in answer.body["recovery_codes"]]),
            links=h("a", _("I have kept them"), href=target, class_="btn primary"),
        )
        login.put_session(self.services, page, request, answer)
        return _entered(self.services, page)


def _proof(services: Services, request: Request, given: Mapping[str, str]) -> dict[str, str | None]:
    """The challenge of the first step and the code for it, no longer than `auth` reads."""
    return {
        "challenge": request.cookies.get(services.cookies.challenge, "-")[:100],
        "code": given.get("code", "")[:64] or "-",
        "device": caller(request).device,
    }


def over(door: Door, request: Request, target: str) -> Response:
    """The time for the second step is over: the password again."""
    link = h("a", _("Log in again"), href=forms.with_next("/login", target), class_="btn primary")
    page = door.show(
        request,
        _("That took too long"),
        h("p", _("For your safety the log-in starts again from the password."), class_="muted"),
        links=link,
        status=_UNAUTHENTICATED,
    )
    return _entered(door.services, page)


def _entered(services: Services, response: Response) -> Response:
    services.cookies.drop(response, services.cookies.challenge)
    return response


def qr(secret: str, account: str) -> Markup:
    """The image to scan, and the same to type."""
    image = Markup(totp.qr_svg(totp.uri(secret, account)))  # noqa: S704 - drawn by us; squares only
    typed = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return h(
        "div",
        h("div", image, class_="qr", role="img", aria_label=_("Image to scan with your authenticator app")),
        h("p", _("Or type this key:"), " ", h("code", typed), class_="muted"),
        class_="enrol",
    )


def recovery_codes(codes: list[str]) -> Markup:
    return h("ul", [h("li", h("code", code)) for code in codes], class_="codes")
