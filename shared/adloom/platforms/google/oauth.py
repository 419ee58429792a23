"""Google's log-in: the consent page, and its code against a refresh token that lasts until it is taken back.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from adloom import clock
from adloom.errors import ConnectionBroken
from adloom.platforms import scopes
from adloom.platforms.google import errors
from adloom.platforms.google.client import App
from adloom.platforms.grant import Grant, Inspected

AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
REVOKE_URL = "https://oauth2.googleapis.com/revoke"
PERSON_URL = "https://openidconnect.googleapis.com/v1/userinfo"
SCOPE_ADS = scopes.GOOGLE_ADS
SCOPES = (SCOPE_ADS, "openid", "email")
# Two calls in a row have to end before the request's 60 s.
TIMEOUT_S = 15.0
_SERVER_FAULT = 500

T = TypeVar("T")


class _Token(msgspec.Struct):
    access_token: str
    scope: str = ""
    refresh_token: str = ""
    # Only where the person, or their administrator, gave access for a time.
    refresh_token_expires_in: int | None = None


class _Person(msgspec.Struct):
    sub: str
    email: str = ""


class _Nothing(msgspec.Struct):
    pass


class _Refusal(msgspec.Struct):
    error: str
    error_description: str = ""


class GoogleOAuth:
    """The flow of one OAuth client. Makes no retries: a code is good for one try, and the person is there."""

    has_pkce = True

    def __init__(
        self,
        app: App,
        *,
        authorize_url: str = AUTHORIZE_URL,
        revoke_url: str = REVOKE_URL,
        person_url: str = PERSON_URL,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._app = app
        self._authorize_url = authorize_url
        self._revoke_url = revoke_url
        self._person_url = person_url
        self._timeout_s = timeout_s

    def authorize_url(
        self,
        *,
        state: str,
        redirect_uri: str,
        challenge: str = "",
        extras: Collection[str] = (),  # noqa: ARG002 - nothing more is to be had here
        again: bool = False,  # noqa: ARG002 - Google asks anew each time
    ) -> str:
        """Where the person is sent to agree; `challenge` is PKCE's, by S256."""
        query = {
            "client_id": self._app.id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "state": state,
            # Without these two a person who has agreed before comes back without a refresh token.
            "access_type": "offline",
            "prompt": "consent",
        }
        if challenge:
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{self._authorize_url}?{urlencode(query)}"

    def exchange(self, *, code: str, redirect_uri: str, verifier: str = "") -> Grant:
        """The grant for a code. ConnectionBroken where it does not let us read, or would not last."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._app.id,
            "client_secret": self._app.secret,
        }
        if verifier:
            form["code_verifier"] = verifier
        with httpx.Client(timeout=self._timeout_s, follow_redirects=False) as client:
            given = _read(_sent(client, "POST", self._app.token_url, form), _Token)
            if SCOPE_ADS not in given.scope.split():
                raise ConnectionBroken(
                    "The right to read Google Ads was not given; connect again and leave it ticked.",
                    code="scopes_missing",
                )
            if not given.refresh_token:
                raise ConnectionBroken(
                    "Google gave no lasting access; remove Adloom at myaccount.google.com/connections and try again.",
                    code="grant_refused",
                )
            person = _read(_sent(client, "GET", self._person_url, None, given.access_token), _Person)
        return Grant(
            token=given.refresh_token,
            external_user_id=person.sub,
            name=person.email or person.sub,
            scopes=tuple(given.scope.split()),
            expires_at=_expiry(given),
        )

    def inspect(self, token: str) -> Inspected:
        """What a refresh token still opens: only a new access token tells."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": self._app.id,
            "client_secret": self._app.secret,
        }
        with httpx.Client(timeout=self._timeout_s, follow_redirects=False) as client:
            given = _read(_sent(client, "POST", self._app.token_url, form), _Token)
        return Inspected(tuple(given.scope.split()), _expiry(given))

    def revoke(self, token: str, *, is_shared: bool = False) -> bool:
        """Make a grant worthless at Google, with every token of the person's for our app."""
        if is_shared:
            return False
        with httpx.Client(timeout=self._timeout_s, follow_redirects=False) as client:
            reply = _sent(client, "POST", self._revoke_url, {"token": token})
        if reply.status_code != httpx.codes.BAD_REQUEST:
            _read(reply, _Nothing)
        return True


def _expiry(given: _Token) -> datetime | None:
    """When the grant ends. Google says so of those for a time only, not that one ends that is unused for six months, or
    after seven days of an app in testing.
    """
    seconds = given.refresh_token_expires_in
    return clock.now() + timedelta(seconds=seconds) if seconds else None


def _sent(client: httpx.Client, method: str, url: str, form: dict[str, str] | None, token: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        return client.request(method, url, data=form, headers=headers)
    except httpx.HTTPError as fault:
        raise errors.network_fault(type(fault).__name__) from None


def _read(reply: httpx.Response, shape: type[T]) -> T:
    """The answer, or what its error means."""
    try:
        if reply.is_success:
            return msgspec.json.decode(reply.content, type=shape)
        refusal = msgspec.json.decode(reply.content, type=_Refusal)
    except msgspec.MsgspecError:
        if reply.status_code >= _SERVER_FAULT:
            raise errors.network_fault(f"HTTP {reply.status_code}") from None
        raise errors.unreadable(f"HTTP {reply.status_code} of the log-in") from None
    is_passing = reply.status_code >= _SERVER_FAULT or reply.status_code == httpx.codes.TOO_MANY_REQUESTS
    raise errors.token_refused(refusal.error, refusal.error_description, is_passing=is_passing)
