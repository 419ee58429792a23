"""Pages that mailed links lead to.

The link's token goes from the address into a cookie at once, so that it stands in no history, no log and no Referer.
Looking at such a page uses nothing up, as mail programs look at links by themselves: a button does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from adloom.errors import Unavailable
from ui import forms
from ui.doors.shell import Door, input_, new_password, stale, to, why
from ui.gateway import Answer
from ui.i18n import _
from ui.markup import Child, h
from ui.security import caller
from ui.sessions import Viewer

_KEPT_FOR = timedelta(hours=1)
_NOT_FOUND = 404


class LinkDoor(Door):
    """A page behind a mailed link; `prefix` tells its tokens from those of other pages."""

    prefix = ""

    async def greet(self, request: Request) -> Response:
        if token := request.query_params.get("token"):
            names, response = self.services.cookies, to(self.path)
            expires = datetime.now(UTC) + _KEPT_FOR
            # Lax: one comes here from a mail program's page.
            names.put(response, names.link, token[:100], expires=expires)
            return response
        return await self.page(request)

    async def page(self, request: Request) -> Response:
        raise NotImplementedError

    def token(self, request: Request) -> str:
        """The token that was mailed; one of another page is none."""
        token = request.cookies.get(self.services.cookies.link, "")
        return token if token.startswith(self.prefix) else "-"

    def gone(self, request: Request) -> Response:
        page = self.show(
            request,
            _("This link does not work any more"),
            h("p", _("It has expired, or was used already. Ask for a new one."), class_="muted"),
            links=h("a", _("To the log-in"), href="/login", class_="btn primary"),
            status=_NOT_FOUND,
        )
        return self.forget(page)

    def forget(self, response: Response) -> Response:
        self.services.cookies.drop(response, self.services.cookies.link)
        return response

    def done(self, request: Request, title: str, text: str) -> Response:
        page = self.show(
            request,
            title,
            h("p", text, class_="muted"),
            links=h("a", _("Log in"), href="/login", class_="btn primary"),
        )
        return self.forget(page)


class ResetDoor(LinkDoor):
    """`/reset`: another password."""

    prefix = "adl_r_"

    async def page(self, request: Request) -> Response:
        return self._form(request)

    def _form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        return self.show(
            request,
            _("Choose a new password"),
            problem=problem,
            submit=_("Set the password"),
            fields=new_password(),
            status=status,
        )

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None:
            return self._form(request, stale(), 403)
        body = {"token": self.token(request), "password": given.get("password", "")}
        answer = await self.call(request, "/password/reset", body)
        if answer is not None and answer.ok:
            text = _("All your sessions have ended. Log in with the new password; your second factor is as it was.")
            return self.done(request, _("The password is set"), text)
        return _refused(self, request, answer) or self._form(request, *why(answer))


class VerifyDoor(LinkDoor):
    """`/verify`: an address is somebody's."""

    prefix = "adl_v_"

    async def page(self, request: Request) -> Response:
        return self._form(request)

    def _form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        text = h("p", _("One click, and mails of Adloom come to this address."), class_="muted")
        title = _("Confirm your e-mail address")
        return self.show(request, title, text, problem=problem, submit=_("Confirm the address"), status=status)

    async def take(self, request: Request) -> Response:
        if await self.fields(request) is None:
            return self._form(request, stale(), 403)
        answer = await self.call(request, "/email/verify", {"token": self.token(request)})
        if answer is not None and answer.ok:
            return self.done(request, _("The address is confirmed"), str(answer.body["email"]))
        return _refused(self, request, answer) or self._form(request, *why(answer))


class RegistrationDoor(LinkDoor):
    """`/registration`: an organisation of one's own."""

    prefix = "adl_n_"

    async def page(self, request: Request) -> Response:
        return self._form(request, {})

    def _form(self, request: Request, given: dict[str, str], problem: str = "", status: int = 200) -> Response:
        return self.show(
            request,
            _("Finish your registration"),
            problem=problem,
            submit=_("Register"),
            fields=[
                input_("organisation", _("Organisation"), "organization", value=given.get("organisation", "")),
                input_("name", _("Your name"), "name", value=given.get("name", "")),
                new_password(),
            ],
            status=status,
        )

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None:
            return self._form(request, {}, stale(), 403)
        names = {name: given.get(name, "").strip()[:200] for name in ("organisation", "name")}
        body = {"token": self.token(request), "password": given.get("password", ""), **names}
        answer = await self.call(request, "/registrations/accept", body)
        if answer is not None and answer.ok:
            return self.done(request, _("You are registered"), _("Log in to go on."))
        return _refused(self, request, answer) or self._form(request, names, *why(answer))


class InvitationDoor(LinkDoor):
    """`/invitation`: a new account, or one that joins."""

    prefix = "adl_i_"

    async def page(self, request: Request) -> Response:
        return await self._look(request, {})

    async def _look(self, request: Request, given: dict[str, str], problem: str = "", status: int = 200) -> Response:
        answer = await self.call(request, "/invitations/look", {"token": self.token(request)})
        if answer is None or not answer.ok:
            if refused := _refused(self, request, answer):
                return refused
            problem, status = why(answer)
            return self.show(request, _("Invitation"), problem=problem, status=status)
        title = _("Join {organisation}").format(organisation=answer.body["organisation"])
        intro = h(
            "p",
            _("{inviter} invites {email}.").format(inviter=answer.body["inviter"], email=answer.body["email"]),
            class_="muted",
        )
        if answer.body["has_account"]:
            return await self._joining(request, title, intro, answer, problem=problem, status=status)
        return self.show(
            request,
            title,
            intro,
            problem=problem,
            submit=_("Join"),
            fields=[input_("name", _("Your name"), "name", value=given.get("name", ""), focus=True), new_password()],
            hidden={"email": str(answer.body["email"])},
            status=status,
        )

    async def _joining(
        self, request: Request, title: str, intro: Child, answer: Answer, *, problem: str, status: int
    ) -> Response:
        """Somebody who has an account joins with a session of it."""
        viewer = await self._viewer(request)
        if viewer is None:
            link = h("a", _("Log in to join"), href=forms.with_next("/login", self.path), class_="btn primary")
            return self.show(request, title, intro, problem=problem, links=link, status=status)
        if viewer.email != answer.body["email"]:
            problem = problem or _("You are logged in as {email}. Log out first, then open the link again.").format(
                email=viewer.email
            )
            return self.show(request, title, intro, problem=problem, status=status)
        return self.show(request, title, intro, problem=problem, submit=_("Join"), status=status)

    async def _viewer(self, request: Request) -> Viewer | None:
        try:
            return await self.services.sessions.viewer(caller(request))
        except Unavailable:
            return None

    async def take(self, request: Request) -> Response:
        given = await self.fields(request)
        if given is None:
            return await self._look(request, {}, stale(), 403)
        token = self.token(request)
        if "password" not in given:
            answer = await self.call(request, "/invitations/join", {"token": token})
            if answer is not None and answer.ok:
                return self.forget(to("/"))
            return _refused(self, request, answer) or await self._look(request, {}, *why(answer))
        name = given.get("name", "").strip()[:200]
        body = {"token": token, "name": name, "password": given["password"]}
        answer = await self.call(request, "/invitations/accept", body)
        if answer is not None and answer.ok:
            return self.done(request, _("Welcome to Adloom"), _("Log in to go on."))
        return _refused(self, request, answer) or await self._look(request, {"name": name}, *why(answer))


def _refused(door: LinkDoor, request: Request, answer: Answer | None) -> Response | None:
    return door.gone(request) if answer is not None and answer.code == "link_gone" else None
