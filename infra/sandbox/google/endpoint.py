"""Google's log-in over HTTP: the consent page, the token endpoint and its neighbours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.sandbox import forms, scripted
from infra.sandbox.apps import App
from infra.sandbox.faults import Script, Seen
from infra.sandbox.google import auth, dialog
from infra.sandbox.google.oauth import OAuth, OAuthError
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.tokens import Codes, Tokens
from infra.sandbox.wire import Reply
from infra.sandbox.world import World

Answer = Callable[[dict[str, str], str, datetime], dict[str, Any]]


class Endpoint:
    """Answers what accounts.google.com, oauth2.googleapis.com and openidconnect.googleapis.com would."""

    def __init__(
        self, world: World, app: App, tokens: Tokens, codes: Codes, *, script: Script, requests: RequestLog
    ) -> None:
        self.world = world
        self.app = app
        self.codes = codes
        self.script = script
        self.requests = requests
        self.oauth = OAuth(app, tokens, codes)

    def routes(self) -> list[Route]:
        """The token endpoint answers under its present and its older address."""
        return [
            Route("/o/oauth2/v2/auth", self.dialog, methods=["GET", "POST"]),
            Route("/token", self._serve(self.oauth.token), methods=["POST"]),
            Route("/o/oauth2/token", self._serve(self.oauth.token), methods=["POST"]),
            Route("/revoke", self._serve(self._revoke), methods=["POST"]),
            Route("/v1/userinfo", self._serve(self._person)),
        ]

    def _revoke(self, params: dict[str, str], _authorization: str, _now: datetime) -> dict[str, Any]:
        self.oauth.revoke(params)
        return {}

    def _person(self, _params: dict[str, str], authorization: str, now: datetime) -> dict[str, Any]:
        return self.oauth.person(authorization, now)

    def _serve(self, answer: Answer) -> Callable[[Request], Awaitable[Reply]]:
        async def served(request: Request) -> Reply:
            params = await forms.parameters(request)
            now = await self.world.catch_up()
            authorization = request.headers.get("authorization", "")
            path = request.url.path.lstrip("/")
            shown = {name: value for name, value in params.items() if name not in {"refresh_token", "token"}}
            entry = self.requests.open(request.method, path, shown)
            fault = self.script.take(Seen(path, request.method, params="\n".join(params.values())))

            async def own() -> Reply:
                try:
                    return _json(200, answer(params, authorization, now))
                except OAuthError as error:
                    return _json(error.status, {"error": error.error, "error_description": error.description})

            return await scripted.answer(fault, entry, own)

        return served

    async def dialog(self, request: Request) -> Response:
        """The consent page, and what becomes of it."""
        params = await forms.parameters(request)
        entry = self.requests.open(request.method, "o/oauth2/v2/auth", params)
        answer = dialog.fault(params, self.app)
        if answer is None and request.method == "POST":
            form = await request.form()
            granted = forms.chosen(form, "granted")
            answer = dialog.decide(params, self.codes, allowed=form.get("decision") == "allow", scopes=granted)
        if answer is None:
            answer = dialog.consent(params, self.world.living(auth.PLATFORM, await self.world.catch_up()))
        entry.status = answer.status_code
        return answer


def _json(status: int, value: Any) -> Reply:
    return Reply(status, msgspec.json.encode(value), {"cache-control": "no-store"})
