"""Meta's log-in: dialog, code, short-lived token, long-lived token.

https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from adloom import clock
from adloom.errors import (
    ConnectionBroken,
    OperatorMustAct,
    PlatformError,
    PlatformProtocolError,
    PlatformTransient,
)
from adloom.platforms import scopes
from adloom.platforms.grant import Grant, Inspected, TokenKind

VERSION = "v26.0"

# Four calls in a row have to end before the request's 60 s.
TIMEOUT_S = 12.0

# Too many calls, or a passing fault: the same call works later.
_TRANSIENT_CODES = frozenset({2, 4, 17, 32, 341, 613})
# Client id, client secret or redirect address are not those of the app.
_APP_CODES = frozenset({1, 101, 191})
_INVALID_PARAMETER = 100
_INVALID_TOKEN = 190
_SERVER_ERROR = 500
_SYSTEM_USER = "SYSTEM_USER"

M = TypeVar("M", bound=BaseModel)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Token(_Reply):
    access_token: str
    expires_in: int | None = None


class _Inspected(_Reply):
    # Of a token that is none, Meta says little more than that.
    app_id: str = ""
    is_valid: bool
    user_id: str = ""
    scopes: list[str] = []
    expires_at: int = 0  # unix seconds; 0 never expires
    # When the person's data is closed to us, whatever the token: 90 days after they were last asked.
    data_access_expires_at: int = 0
    type: str = ""


class _Debug(_Reply):
    data: _Inspected


class _Person(_Reply):
    id: str
    name: str = ""


class _Done(_Reply):
    success: bool


class _Fault(_Reply):
    code: int
    error_subcode: int | None = None


class _Refusal(_Reply):
    error: _Fault


class MetaOAuth:
    """The flow of one Meta app. `graph_url` and `dialog_url` are without the version. Makes no retries: a code is
    good for one try, and the person is there to click again.
    """

    def __init__(
        self,
        *,
        app_id: str,
        app_secret: str,
        graph_url: str,
        dialog_url: str,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._graph = f"{graph_url.rstrip('/')}/{VERSION}"
        self._dialog = f"{dialog_url.rstrip('/')}/{VERSION}/dialog/oauth"
        self._transport = transport

    has_pkce = False

    def authorize_url(
        self,
        *,
        state: str,
        redirect_uri: str,
        challenge: str = "",  # noqa: ARG002 - Meta has no PKCE for apps with a secret
        extras: Collection[str] = (),
        again: bool = False,
    ) -> str:
        query = {
            "client_id": self._app_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "response_type": "code",
            "scope": ",".join((*scopes.META_READ, *(scopes.META_LEADS if "leads" in extras else ()))),
        }
        # What a person once declined is not asked for any more, unless one says so.
        return f"{self._dialog}?{urlencode(query | ({'auth_type': 'rerequest'} if again else {}))}"

    def exchange(self, *, code: str, redirect_uri: str, verifier: str = "") -> Grant:  # noqa: ARG002
        with self._client() as client:
            app = self._app
            short = self._get(client, "oauth/access_token", {**app, "redirect_uri": redirect_uri, "code": code}, _Token)
            long = self._swapped(client, short.access_token, "user")
            about = self._check(self._inspected(client, long.access_token))
            return self._grant(client, long, about)

    def adopt(self, token: str) -> Grant:
        """The grant of a token that was made at Meta itself, by an administrator for a system user."""
        with self._client() as client:
            about = self._check(self._inspected(client, token))
            return self._grant(client, _Token(access_token=token), about)

    def renew(self, token: str, kind: TokenKind) -> Grant:
        """A token that lasts longer, for one that has not ended yet; ConnectionBroken when it has.

        A system user's is a new one. A person's may come back as it was: then only logging in helps.
        """
        with self._client() as client:
            longer = self._swapped(client, token, kind)
            about = self._check(self._inspected(client, longer.access_token))
            return self._grant(client, longer, about)

    def inspect(self, token: str) -> Inspected:
        """What a token is good for now."""
        with self._client() as client:
            about = self._inspected(client, token)
        if not about.is_valid:
            raise ConnectionBroken("Meta says that this access has ended; connect again.", code="token_invalid")
        return Inspected(tuple(about.scopes), _expiry(_Token(access_token=token), about))

    def revoke(self, token: str, *, is_shared: bool) -> bool:
        """End the person's whole grant, or, where others live by it, this one token."""
        path, how = ("oauth/revoke", "GET") if is_shared else ("me/permissions", "DELETE")
        own = {"access_token": token, "appsecret_proof": self._proof(token)}
        one = {**self._app, "revoke_token": token, "access_token": self._app_token}
        with self._client() as client:
            try:
                return self._call(client, how, path, one if is_shared else own, _Done).success
            except ConnectionBroken:
                return True

    @property
    def _app(self) -> dict[str, str]:
        return {"client_id": self._app_id, "client_secret": self._app_secret}

    @property
    def _app_token(self) -> str:
        return f"{self._app_id}|{self._app_secret}"

    def _proof(self, token: str) -> str:
        return hmac.new(self._app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def _client(self) -> httpx.Client:
        return httpx.Client(transport=self._transport, timeout=TIMEOUT_S)

    def _swapped(self, client: httpx.Client, token: str, kind: TokenKind) -> _Token:
        swap = {**self._app, "grant_type": "fb_exchange_token", "fb_exchange_token": token}
        if kind == "system_user":
            swap |= {"set_token_expires_in_60_days": "true"}
        return self._get(client, "oauth/access_token", swap, _Token)

    def _inspected(self, client: httpx.Client, token: str) -> _Inspected:
        asked = {"input_token": token, "access_token": self._app_token}
        return self._get(client, "debug_token", asked, _Debug).data

    def _grant(self, client: httpx.Client, token: _Token, about: _Inspected) -> Grant:
        own = {"access_token": token.access_token, "appsecret_proof": self._proof(token.access_token)}
        person = self._get(client, "me", {"fields": "id,name", **own}, _Person)
        return Grant(
            token=token.access_token,
            external_user_id=about.user_id,
            name=person.name or about.user_id,
            scopes=tuple(about.scopes),
            expires_at=_expiry(token, about),
            kind="system_user" if about.type == _SYSTEM_USER else "user",
        )

    def _check(self, about: _Inspected) -> _Inspected:
        """The token is ours, good, and lets us read."""
        if not about.is_valid:
            raise ConnectionBroken("Meta says that this token is not valid; connect again.", code="token_invalid")
        if about.app_id != self._app_id:
            raise PlatformError("This is a token of another Meta app; nothing was stored.", code="foreign_token")
        if scopes.missing("meta", about.scopes, ()):
            raise ConnectionBroken(
                "The right to read ads was not given; connect again and leave it ticked.", code="scopes_missing"
            )
        return about

    def _get(self, client: httpx.Client, path: str, params: dict[str, str], model: type[M]) -> M:
        return self._call(client, "GET", path, params, model)

    def _call(self, client: httpx.Client, method: str, path: str, params: dict[str, str], model: type[M]) -> M:
        # An httpx error names no address, but its request does, with our secret in the query: `from None`.
        try:
            response = client.request(method, f"{self._graph}/{path}", params=params)
        except httpx.TransportError as error:
            kind = type(error).__name__
            raise PlatformTransient(f"Meta does not answer ({kind}); try again.", code="platform_unreachable") from None
        except httpx.HTTPError as error:
            raise PlatformProtocolError(f"Meta's answer cannot be read ({type(error).__name__}).") from None
        try:
            body = response.json()
        except ValueError:
            raise _not_json(response.status_code) from None
        if isinstance(body, dict) and "error" in body:
            raise _refusal(response.status_code, body)
        try:
            return model.model_validate(body)
        except ValidationError as error:
            raise PlatformProtocolError(
                f"Meta's answer to {path} is not what it documents ({error.error_count()} faults)."
            ) from None


def _expiry(token: _Token, about: _Inspected) -> datetime | None:
    """When the token, or what it opens, ends. Meta leaves `expires_in` out at times; the inspected token says it."""
    ends = [datetime.fromtimestamp(about.data_access_expires_at, UTC)] if about.data_access_expires_at else []
    if token.expires_in:
        ends.append(clock.now() + timedelta(seconds=token.expires_in))
    elif about.expires_at:
        ends.append(datetime.fromtimestamp(about.expires_at, UTC))
    return min(ends, default=None)


def _not_json(status: int) -> PlatformError:
    if status >= _SERVER_ERROR:
        return PlatformTransient(f"Meta answered with an error page ({status}); try again.")
    return PlatformProtocolError(f"Meta answered {status} without JSON.")


def _refusal(status: int, body: dict[str, Any]) -> PlatformError:
    """What the error of a log-in call means: https://developers.facebook.com/docs/graph-api/guides/error-handling"""
    try:
        fault = _Refusal.model_validate(body).error
    except ValidationError:
        return PlatformProtocolError(f"Meta answered {status} with an error it does not document.")
    code = f"{fault.code}/{fault.error_subcode}" if fault.error_subcode else str(fault.code)
    if status >= _SERVER_ERROR or fault.code in _TRANSIENT_CODES:
        return PlatformTransient(f"Meta could not do it now ({code}); try again.", platform_code=code)
    if fault.code in _APP_CODES:
        return OperatorMustAct(
            f"Meta does not accept this installation's app id, app secret or redirect address ({code}).",
            platform_code=code,
        )
    if fault.code in {_INVALID_PARAMETER, _INVALID_TOKEN}:
        return ConnectionBroken(
            f"Meta does not accept this log-in ({code}); connect again.", platform_code=code, code="grant_refused"
        )
    return PlatformError(f"Meta refused the log-in ({code}).", platform_code=code)
