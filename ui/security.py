"""What stands before every page: security headers, and a guard that lets nobody in without a session."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import nicegui
from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adloom import logs
from adloom.errors import AdloomError
from adloom.logs import REQUEST_ID_HEADER, accept_request_id
from ui.cookies import Cookies, cookies_of
from ui.forms import same_origin
from ui.gateway import Caller
from ui.i18n import language_for, speaking
from ui.sessions import Sessions, Viewer

log = logs.get(__name__)

Unreachable = Callable[[str], Response]

# Files without anybody's data. Everything that is not listed needs a session.
PUBLIC_PATHS = frozenset(
    {
        *("/login", "/login/code", "/login/enrol", "/setup", "/forgotten", "/reset", "/verify"),
        *("/invitation", "/register", "/registration", "/_/health", "/favicon.ico"),
        *("/sso/start", "/sso/callback/google", "/sso/callback/oidc", "/sso/callback/sandbox"),
    }
)
PUBLIC_PREFIXES = ("/static/", f"/_nicegui/{nicegui.__version__}/")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION = 1008
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_LONGEST_AGENT = 400


def headers(*, https: bool) -> Secure:
    """Vue compiles templates in the browser, hence unsafe-eval; NiceGUI has no nonces, hence unsafe-inline."""
    csp = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .script_src("'self'", "'unsafe-inline'", "'unsafe-eval'")
        .style_src("'self'", "'unsafe-inline'")
        .img_src("'self'", "data:")
        .font_src("'self'", "data:")
        .connect_src("'self'")
        .object_src("'none'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
        .form_action("'self'")
    )
    permissions = PermissionsPolicy().geolocation("").camera("").microphone("").payment("").usb("")
    return Secure(
        csp=csp,
        referrer=ReferrerPolicy().strict_origin_when_cross_origin(),
        xfo=XFrameOptions().deny(),
        xcto=XContentTypeOptions(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=permissions,
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains() if https else None,
    )


def is_public(path: str) -> bool:
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES)


def forwarded_for(connection: HTTPConnection) -> str:
    """The way a request came, with the hop to us: what a proxy passes on."""
    hops = [value.strip() for header in connection.headers.getlist("x-forwarded-for") for value in header.split(",")]
    peer = connection.client.host if connection.client else ""
    return ", ".join(hop for hop in [*hops, peer] if hop)


def caller(connection: HTTPConnection) -> Caller:
    """For whom functions are called on behalf of this request."""
    names, given = cookies_of(connection), connection.cookies
    return Caller(
        token=_token(given.get(names.session, "")),
        forwarded_for=forwarded_for(connection),
        request_id=accept_request_id(connection.headers.get(REQUEST_ID_HEADER)),
        user_agent=_printable(connection.headers.get("user-agent", "")),
        device=_token(given.get(names.device, "")),
        browser=_token(given.get(names.browser, "")),
    )


def _printable(agent: str) -> str:
    """What fits into a header again."""
    return "".join(character for character in agent[:_LONGEST_AGENT] if " " <= character <= "~")


def _token(cookie: str) -> str | None:
    """What can be a token at all: anything else is nobody's and would not fit into a header."""
    return cookie if _TOKEN.fullmatch(cookie) else None


class Speaking:
    """Everything that answers a request speaks the visitor's language."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        chosen = connection.cookies.get(Cookies(https=self._https).language)
        with speaking(language_for(chosen, connection.headers.get("accept-language"))):
            await self._app(scope, receive, send)


class SessionGuard:
    """Denies by default: any path that is not listed as public needs a session, websockets and unknown paths too.

    Fails closed: while `auth` does not answer, a page says so with 503 and nothing is shown.
    """

    def __init__(
        self, app: ASGIApp, *, sessions: Sessions, origins: frozenset[str], https: bool, unreachable: Unreachable
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._origins = origins
        self._https = https
        self._unreachable = unreachable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["https"] = self._https
        connection = HTTPConnection(scope)
        refusal = await self._refusal(scope, connection)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _close(receive, send)
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope, connection: HTTPConnection) -> Response | None:
        path, method = scope["path"], scope.get("method", "GET")
        changes = scope["type"] == "websocket" or method not in _SAFE_METHODS
        if changes and not same_origin(connection.headers.get("origin"), self._origins):
            return JSONResponse({"detail": "Requests from other sites are refused"}, status_code=403)
        if is_public(path):
            return None
        asked = caller(connection)
        try:
            viewer = await self._sessions.viewer(asked)
        except AdloomError as error:
            log.warning("session_unknown", code=error.code, request_id=asked.request_id)
            return self._unreachable(asked.request_id)
        if viewer is None:
            return _to_login(scope, connection)
        scope["state"]["viewer"] = viewer
        return None


def viewer_of(connection: HTTPConnection) -> Viewer:
    """The viewer that the guard let in."""
    viewer: Viewer = connection.state.viewer
    return viewer


def _to_login(scope: Scope, connection: HTTPConnection) -> Response:
    wants_page = "text/html" in connection.headers.get("accept", "") or connection.headers.get("accept", "*/*") == "*/*"
    if scope.get("method") in ("GET", "HEAD") and wants_page and not scope["path"].startswith("/_nicegui"):
        target = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}" if target != "/" else "/login", status_code=303)
    return JSONResponse({"detail": "Log in first"}, status_code=401)


async def _close(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
