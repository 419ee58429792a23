"""TikTok's log-in: the authorization page, and its code against a token that lasts until it is taken back.

https://business-api.tiktok.com/portal/docs?id=1738373164380162
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from adloom.errors import ConnectionBroken, PlatformProtocolError
from adloom.platforms import scopes
from adloom.platforms.grant import Grant, Inspected
from adloom.platforms.retry import Deadline, RetryPolicy
from adloom.platforms.tiktok import entities
from adloom.platforms.tiktok.client import ADVERTISERS, App, Envelope, TikTokClient

AUTHORIZE_URL = "https://business-api.tiktok.com/portal/auth"
# Three calls in a row have to end before the request's 60 s.
TIMEOUT_S = 15.0

# A code is good for one try, and the person is there to click again.
_ONCE = RetryPolicy(tries=1)


class _Token(msgspec.Struct):
    access_token: str
    scope: list[int] = []


class _Person(msgspec.Struct):
    core_user_id: str | int
    display_name: str = ""


class _Revoked(msgspec.Struct):
    app_id: str | int = ""


_token_decoder = msgspec.json.Decoder(Envelope[_Token])
_person_decoder = msgspec.json.Decoder(Envelope[_Person])
_revoked_decoder = msgspec.json.Decoder(Envelope[_Revoked])


class TikTokOAuth:
    """The flow of one app. `authorize_url` may be the one that the portal shows for the app, parameters and all."""

    has_pkce = False

    def __init__(self, app: App, *, authorize_url: str = AUTHORIZE_URL, timeout_s: float = TIMEOUT_S) -> None:
        self._app = app
        self._authorize_url = authorize_url
        self._timeout_s = timeout_s

    def authorize_url(
        self,
        *,
        state: str,
        redirect_uri: str,
        challenge: str = "",  # noqa: ARG002 - TikTok has no PKCE
        extras: Collection[str] = (),  # noqa: ARG002
        again: bool = False,  # noqa: ARG002
    ) -> str:
        """Where the person is sent. Which rights are asked for is part of the app, not of this address."""
        split = urlsplit(self._authorize_url)
        given = dict(parse_qsl(split.query, keep_blank_values=True))
        query = {"app_id": self._app.id, **given, "redirect_uri": redirect_uri, "state": state}
        return urlunsplit(split._replace(query=urlencode(query)))

    def exchange(self, *, code: str, redirect_uri: str, verifier: str = "") -> Grant:  # noqa: ARG002 - not asked for
        """The grant for an `auth_code`. ConnectionBroken where rights are missing or no advertiser was chosen."""
        # Without the list of advertisers, which takes too long where there are thousands.
        body = {"app_id": self._app.id, "secret": self._app.secret, "auth_code": code, "return_advertiser_ids": False}
        client = self._client("")
        try:
            got = client.post("oauth2/access_token/", body, _token_decoder).data
        finally:
            client.close()
        if not got.access_token:
            raise PlatformProtocolError("TikTok gave out an empty token", platform_code="shape")
        _check(got.scope)
        client = self._client(got.access_token)
        try:
            advertisers = client.get(ADVERTISERS, client.credentials(), entities.advertisers_decoder).data.rows
            if not advertisers:
                raise ConnectionBroken(
                    "No ad account was chosen at TikTok; connect again and choose at least one.", code="no_accounts"
                )
            person = client.get("user/info/", {}, _person_decoder).data
        finally:
            client.close()
        return Grant(
            token=got.access_token,
            external_user_id=str(person.core_user_id),
            name=person.display_name or str(person.core_user_id),
            scopes=tuple(str(scope) for scope in got.scope),
            # It never ends by itself.
            expires_at=None,
        )

    def inspect(self, token: str) -> Inspected:
        """Whether a token still works; its rights are told at the log-in only."""
        client = self._client(token)
        try:
            client.get(ADVERTISERS, client.credentials(), entities.advertisers_decoder)
        finally:
            client.close()
        return Inspected(None, None)

    def revoke(self, token: str, *, is_shared: bool = False) -> bool:
        """Make a token worthless at TikTok. Whether another log-in of the person outlives that, TikTok does not say."""
        if is_shared:
            return False
        client = self._client(token)
        try:
            client.post("oauth2/revoke_token/", {**client.credentials(), "access_token": token}, _revoked_decoder)
        except ConnectionBroken:
            return True
        finally:
            client.close()
        return True

    def _client(self, token: str) -> TikTokClient:
        return TikTokClient(
            self._app, token, deadline=Deadline(self._timeout_s), timeout_s=self._timeout_s, retry=_ONCE
        )


def _check(given: list[int]) -> None:
    """The token lets us read: compared with what TikTok returned, not with what was asked for."""
    if scopes.missing("tiktok", [str(scope) for scope in given], ()):
        raise ConnectionBroken(
            "The right to read ads and reports was not given; connect again and leave it ticked.", code="scopes_missing"
        )
