"""The provider over HTTP: discovery, keys, the page, and the exchange of codes.

https://openid.net/specs/openid-connect-core-1_0.html, -discovery-1_0.html, RFC 6749, 7636, 9207.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.sandbox import forms, scripted, visitors
from infra.sandbox.faults import Script, Seen
from infra.sandbox.oidc import page
from infra.sandbox.oidc.codes import Asked, Behaviour, Codes, Grant
from infra.sandbox.oidc.people import PEOPLE
from infra.sandbox.oidc.signing import Keys
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.settings import Settings
from infra.sandbox.wire import Reply

PATH = "oidc"
CLIENT_ID = "adloom"
_TOKEN_SECONDS = 300
_ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge")
_CONTENT_TYPE = "application/json"

Handler = Callable[[Request], Awaitable[Response | Reply]]


class Provider:
    """One issuer, one client. `behaviour` is replaced through the control API."""

    def __init__(self, settings: Settings, script: Script, requests: RequestLog) -> None:
        self.issuer = f"{settings.url}/{PATH}"
        # A site of its own, as real providers are: to a browser, localhost is another one than 127.0.0.1.
        self._pages = settings.browser_url.replace("//127.0.0.1", "//localhost") + f"/{PATH}"
        self._key = settings.key
        self._secret = settings.client_secret
        self._script = script
        self._requests = requests
        self._keys = Keys()
        self._codes = Codes()
        self._last_token = ""
        self.behaviour = Behaviour()

    def routes(self) -> list[Route]:
        handlers: list[tuple[str, str, Handler]] = [
            ("GET", ".well-known/openid-configuration", self.discovery),
            ("GET", "jwks", self.jwks),
            ("GET", "authorize", self.ask),
            ("POST", "authorize", self.answer),
            ("POST", "token", self.token),
        ]
        return [
            Route(f"/{PATH}/{path}", self._faulty(f"{PATH}/{path}", handler), methods=[method])
            for method, path, handler in handlers
        ]

    def _faulty(self, path: str, handler: Handler) -> Handler:
        """The handler, unless the script says otherwise."""

        async def handle(request: Request) -> Response | Reply:
            entry = self._requests.open(request.method, path, {})
            fault = self._script.take(Seen(path, request.method))
            return await scripted.answer(fault, entry, lambda: handler(request))

        return handle

    async def discovery(self, _request: Request) -> Reply:
        """What the provider says of itself."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self._pages}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "email", "profile"],
            "authorization_response_iss_parameter_supported": True,
        }
        return _json(_over(document, self.behaviour.metadata))

    async def jwks(self, _request: Request) -> Reply:
        """The public keys."""
        return _json(self._keys.jwks())

    async def ask(self, request: Request) -> Response:
        """The page. It lets anybody be anybody, so it is for this machine's people only."""
        fields = {name: request.query_params.get(name, "") for name in _ASKED}
        fields["code_challenge_method"] = request.query_params.get("code_challenge_method", "")
        fault = self._fault(fields)
        return visitors.refusal(request, self._key, "log-in") or (page.refused(fault) if fault else page.choose(fields))

    async def answer(self, request: Request) -> Response:
        """Back to the product with a code, or with a refusal."""
        form = await forms.texts(request)
        if (refusal := visitors.refusal(request, self._key, "log-in")) is not None:
            return refusal
        if fault := self._fault(form):
            return page.refused(fault)
        person = PEOPLE.get(form.get("person", ""))
        asked = Asked(
            *(form[name] for name in ("client_id", "redirect_uri", "state", "nonce", "scope", "code_challenge"))
        )
        answer = {"code": self._codes.issue(asked, person)} if person else {"error": "access_denied"}
        answer |= {"state": asked.state, "iss": self.issuer}
        return RedirectResponse(f"{asked.redirect_uri}?{urlencode(_over(answer, self.behaviour.answer))}", 302)

    def _fault(self, fields: dict[str, str]) -> str:
        """Why a log-in cannot begin; empty when it can."""
        target = urlsplit(fields.get("redirect_uri", ""))
        if fields.get("client_id") != CLIENT_ID or self._secret is None:
            return "No client is registered by this id."
        if target.scheme not in ("http", "https") or not target.netloc or target.fragment or target.query:
            return "The redirect address is not registered."
        if fields.get("response_type") != "code" or "openid" not in fields.get("scope", "").split():
            return "Only response_type=code with the scope openid is supported."
        if not fields.get("code_challenge") or fields.get("code_challenge_method") != "S256":
            return "A code challenge (PKCE, S256) is required."
        return "" if fields.get("state") and fields.get("nonce") else "state and nonce are required."

    async def token(self, request: Request) -> Reply:
        """Tokens for a code: RFC 6749 4.1.3 and 5."""
        form = await forms.texts(request)
        if not self._is_client(request.headers.get("authorization", ""), form):
            return _json({"error": "invalid_client"}, 401)
        if form.get("grant_type") != "authorization_code":
            return _json({"error": "unsupported_grant_type"}, 400)
        grant = self._codes.take(
            form.get("code", ""),
            form.get("redirect_uri", ""),
            form.get("code_verifier", ""),
            keep=self.behaviour.reuses_codes,
        )
        if grant is None:
            return _json({"error": "invalid_grant"}, 400)
        answer = {"access_token": "of-no-use", "token_type": "Bearer", "expires_in": _TOKEN_SECONDS}
        return _json(answer | {"id_token": self._id_token(grant), "scope": grant.asked.scope})

    def _is_client(self, authorization: str, form: dict[str, str]) -> bool:
        """By HTTP Basic, or in the body. Fails closed."""
        given = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.lower().startswith("basic "):
            try:
                name, _, secret = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
            given = unquote_plus(name), unquote_plus(secret)
        right = self._secret is not None and hmac.compare_digest(given[1].encode(), self._secret.encode())
        return right and given[0] == CLIENT_ID

    def _id_token(self, grant: Grant) -> str:
        if self.behaviour.replay:
            return self._last_token
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + _TOKEN_SECONDS}
        claims |= {"nonce": grant.asked.nonce, **grant.person.claims}
        behaviour = self.behaviour
        self._last_token = self._keys.token(_over(claims, behaviour.claims), behaviour.algorithm, behaviour.signature)
        return self._last_token


def _over(document: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """The document with others laid over; null takes one away."""
    return {name: value for name, value in {**document, **more}.items() if value is not None}


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode(value), {"cache-control": "no-store"}, _CONTENT_TYPE)
