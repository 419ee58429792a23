"""Log-ins by identity providers: to the provider, and back from it.

A browser that comes back brings along no cookie that is strict about where it comes from, and is held to none of our
forms' addresses on its way there. So both ways lead over a page of our own that goes on by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adloom.connections.browser import new_browser
from adloom.errors import Unavailable
from adloom.sso.provider import Key
from ui import forms, login
from ui.doors import second_step
from ui.doors.shell import FORBIDDEN, SERVICE_UNAVAILABLE, Door, stale, to, why
from ui.gateway import Answer
from ui.i18n import _
from ui.markup import h
from ui.security import caller

START, CALLBACK = "sso/start", "sso/callback"
PROVIDERS: tuple[str, ...] = get_args(Key)
# RFC 6749 4.1.2: what a provider may send along; no longer than `auth` reads.
_BROUGHT = {"state": 200, "code": 4096, "error": 4096, "iss": 4096}


class SsoDoor(Door):
    """Both ways, with the page that goes on and the one that says why it does not."""

    def onward(self, request: Request, url: str, title: str) -> Response:
        link = h("a", _("Go on"), href=url, class_="btn primary")
        return self.show(request, title, links=link, onward=url)

    def refused(self, request: Request, problem: str, status: int) -> Response:
        link = h("a", _("Back to the log-in"), href="/login", class_="btn")
        return self.show(request, _("That log-in did not work"), problem=problem, links=link, status=status)


class StartDoor(SsoDoor):
    """`/sso/start`: the button of a provider."""

    async def greet(self, _request: Request) -> Response:
        return to("/login")

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None:
            return self.refused(request, stale(), FORBIDDEN)
        target = forms.safe_next(given.get("next"))
        if (home := self._home(request)) is not None:
            return RedirectResponse(home + forms.with_next("/login", target), status_code=303)
        browser = caller(request).browser or new_browser()
        body = {"provider": given.get("provider", ""), "browser": browser, "target": target}
        answer = await ask(self, request, "/sso/start", {**body, "device": caller(request).device})
        if answer is None or not answer.ok:
            return self.refused(request, *explained(answer))
        page = self.onward(request, str(answer.body["authorize_url"]), _("On to the provider"))
        self.services.cookies.put(page, self.services.cookies.browser, browser)
        return page

    def _home(self, request: Request) -> str | None:
        """The address that the provider sends people back to, for whoever has come by this machine's other name: the
        cookies would stay behind.
        """
        home = urlsplit(self.services.settings.public_url)
        if request.url.hostname == home.hostname or home.hostname != "127.0.0.1":
            return None
        return f"{home.scheme}://{home.netloc}"


class CallbackDoor(SsoDoor):
    """`/sso/callback/<provider>`: back from there."""

    def __init__(self, services: Any, provider: str) -> None:
        super().__init__(services, f"{CALLBACK}/{provider}")
        self.provider = provider

    async def greet(self, request: Request) -> Response:
        if request.method != "GET":  # a mere look, which must not use the state up
            return Response(status_code=405)
        brought = {name: request.query_params.get(name) for name in _BROUGHT}
        if not brought["state"] or any(len(brought[name] or "") > most for name, most in _BROUGHT.items()):
            return to("/login")
        body = {"provider": self.provider, "browser": caller(request).browser or new_browser(), **brought}
        answer = await ask(self, request, "/sso/finish", body)
        if answer is None or not answer.ok:
            return self.refused(request, *explained(answer))
        return self._come(request, answer, forms.safe_next(str(answer.body["target"])))

    def _come(self, request: Request, answer: Answer, target: str) -> Response:
        outcome = answer.body["login"]
        if outcome is None:
            return self.onward(request, target, _("The identity is linked"))
        inner = Answer(answer.status, outcome)
        if "next" in outcome:
            return second_step.keep(
                self.services, self.onward(request, second_step.page_of(inner, target), _("One more step")), inner
            )
        page = self.onward(request, target, _("You are logged in"))
        login.put_session(self.services, page, request, inner)
        return page

    async def take(self, _request: Request) -> Response:
        return to("/login")


async def ask(door: Door, request: Request, path: str, body: Mapping[str, Any]) -> Answer | None:
    """Ask `auth`; None when it does not answer. That a provider does not is an answer too."""
    try:
        return await door.services.gateway.call("POST", "auth", path, caller(request), dict(body))
    except Unavailable:
        return None


def explained(answer: Answer | None) -> tuple[str, int]:
    """Why it did not work, and with which status."""
    if answer is None:
        return why(None)
    known = {
        "sso_unreachable": _("The provider does not answer as it should. Try again in a minute, or log in with your "
                             "password."),
        "sso_refused": _("What came back from the provider cannot be trusted, so nobody was logged in. Please try "
                         "again."),
        "state_unusable": _("This log-in was used already, took too long, or began in another browser. Please begin "
                            "again."),
        "access_denied": _("You did not agree at the provider, so nobody was logged in."),
        "email_unverified": _("The provider does not say that your e-mail address is yours, and nobody here is linked "
                              "with this identity."),
        "link_first": _("There is an account of your address here already. Log in with your password, then link the "
                        "provider under Security."),
        "not_invited": _("Nobody here is linked with this identity. Ask somebody for an invitation."),
        "no_organisation": _("It is not settled which organisation people of your domain belong to. Ask the person who "
                             "looks after Adloom."),
        "no_member": _("You are a member of no organisation here any more. Ask somebody for an invitation."),
        "identity_taken": _("This identity is linked with another account already."),
        "provider_unknown": _("Nobody logs in by this provider here."),
    }  # fmt: skip
    if answer.code in known:
        return known[answer.code], SERVICE_UNAVAILABLE if answer.code == "sso_unreachable" else answer.status
    return why(None if answer.status >= SERVICE_UNAVAILABLE else answer)


def buttons(token: str, providers: Sequence[Mapping[str, str]], target: str) -> Markup | None:
    """A button for each provider; `token` is that of the form `START`."""
    made = [
        h(
            "form",
            h("input", type="hidden", name="form_token", value=token),
            h("input", type="hidden", name="next", value=target),
            h("input", type="hidden", name="provider", value=one["key"]),
            h("button", _("Continue with {name}").format(name=one["name"]), type="submit", class_="btn"),
            method="post",
            action=f"/{START}",
        )
        for one in providers
    ]
    return h("div", h("p", _("or"), class_="login-or"), made, class_="login-sso") if made else None
