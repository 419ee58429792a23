"""Meta's log-in: dialog, code, short-lived token, long-lived token.

https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
"""

from __future__ import annotations

import hashlib
import hmac
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
from adloom.platforms.grant import Grant

VERSION = "v26.0"

# Reading insights, and those accounts that belong to a business; publishing will ask for ads_management.
SCOPES = ("ads_read", "business_management")
# One of these suffices to read.
READING_SCOPES = frozenset({"ads_read", "ads_management"})

# Four calls in a row have to end before the request's 60 s.
TIMEOUT_S = 12.0

# Too many calls, or a passing fault: the same call works later.
_TRANSIENT_CODES = frozenset({2, 4, 17, 32, 341, 613})
# Client id, client secret or redirect address are not those of the app.
_APP_CODES = frozenset({1, 101, 191})
_INVALID_PARAMETER = 100
_INVALID_TOKEN = 190
_SERVER_ERROR = 500

M = TypeVar("M", bound=BaseModel)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Token(_Reply):
    access_token: str
    expires_in: int | None = None


class _Inspected(_Reply):
    app_id: str
    is_valid: bool
    user_id: str
    scopes: list[str]
    expires_at: int = 0  # unix seconds; 0 never expires


class _Debug(_Reply):
    data: _Inspected


class _Person(_Reply):
    id: str
    name: str = ""


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

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        query = {
            "client_id": self._app_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "response_type": "code",
            "scope": ",".join(SCOPES),
        }
        return f"{self._dialog}?{urlencode(query)}"

    def exchange(self, *, code: str, redirect_uri: str) -> Grant:
        app = {"client_id": self._app_id, "client_secret": self._app_secret}
        with httpx.Client(transport=self._transport, timeout=TIMEOUT_S) as client:
            short = self._get(client, "oauth/access_token", {**app, "redirect_uri": redirect_uri, "code": code}, _Token)
            swap = {**app, "grant_type": "fb_exchange_token", "fb_exchange_token": short.access_token}
            long = self._get(client, "oauth/access_token", swap, _Token)
            token = long.access_token
            inspect = {"input_token": token, "access_token": f"{self._app_id}|{self._app_secret}"}
            about = self._check(self._get(client, "debug_token", inspect, _Debug).data)
            proof = hmac.new(self._app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            me = {"fields": "id,name", "access_token": token, "appsecret_proof": proof}
            person = self._get(client, "me", me, _Person)
        return Grant(
            token=token,
            external_user_id=about.user_id,
            name=person.name or about.user_id,
            scopes=tuple(about.scopes),
            expires_at=_expiry(long, about),
        )

    def _check(self, about: _Inspected) -> _Inspected:
        """The token is ours, good, and lets us read."""
        if about.app_id != self._app_id:
            raise PlatformError("Meta gave out a token of another app; nothing was stored.", code="foreign_token")
        if not about.is_valid:
            raise ConnectionBroken("Meta gave out a token that is not valid; connect again.", code="token_invalid")
        if not READING_SCOPES.intersection(about.scopes):
            raise ConnectionBroken(
                "The right to read ads was not given; connect again and leave it ticked.", code="scopes_missing"
            )
        return about

    def _get(self, client: httpx.Client, path: str, params: dict[str, str], model: type[M]) -> M:
        # An httpx error names no address, but its request does, with our secret in the query: `from None`.
        try:
            response = client.get(f"{self._graph}/{path}", params=params)
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
    """When the token ends. Meta leaves `expires_in` out at times; then the inspected token says it."""
    if token.expires_in:
        return clock.now() + timedelta(seconds=token.expires_in)
    return datetime.fromtimestamp(about.expires_at, UTC) if about.expires_at else None


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
