"""Google's token endpoint: codes and refresh tokens against access tokens, revocation, who the person is.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.sandbox.apps import App
from infra.sandbox.google import auth
from infra.sandbox.tokens import Codes, Issued, Tokens

LIFETIME_S = 3600
# What the endpoint below notes as the reason.
_REVOKED = 1
_OFFLINE = "offline"


class OAuthError(Exception):
    """An error answer of the token endpoint."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class OAuth:
    """The endpoints; `params` is a form, with the client's credentials in it or in the Basic header."""

    def __init__(self, app: App, tokens: Tokens, codes: Codes) -> None:
        self.app = app
        self.tokens = tokens
        self.codes = codes

    def token(self, params: Mapping[str, str], basic: str, now: datetime) -> dict[str, Any]:
        """`POST /token`."""
        client_id, secret = _client(params, basic)
        if not self.app.secret or client_id != self.app.id:
            raise OAuthError("invalid_client", "The OAuth client was not found.", 401)
        if not self.app.is_this(client_id, secret):
            raise OAuthError("invalid_client", "Unauthorized", 401)
        kind = params.get("grant_type", "")
        if kind == "authorization_code":
            return self._exchange(params, now)
        if kind == "refresh_token":
            return self._refresh(params, now)
        raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {kind}")

    def _exchange(self, params: Mapping[str, str], now: datetime) -> dict[str, Any]:
        code = self.codes.peek(params.get("code", ""))
        if code is None or not code.is_fresh():
            raise OAuthError("invalid_grant", "Bad Request")
        if params.get("redirect_uri") != code.redirect_uri:
            raise OAuthError("redirect_uri_mismatch", "Bad Request")
        challenge, _, kind = code.note.partition(" ")
        _verify(challenge, params.get("code_verifier", ""))
        self.codes.use(params["code"])
        refresh = self.tokens.issue(auth.PLATFORM, "1//", code, now, None)
        grant = self.tokens.find(refresh)
        if grant is None:
            raise OAuthError("server_error", "Internal error", 500)
        found = self._access(grant, now)
        return {**found, "refresh_token": refresh} if kind == _OFFLINE else found

    def _refresh(self, params: Mapping[str, str], now: datetime) -> dict[str, Any]:
        grant = self.tokens.find(params.get("refresh_token", ""))
        if grant is None or grant.platform != auth.PLATFORM:
            raise OAuthError("invalid_grant", "Bad Request")
        if grant.revoked is not None or (grant.expires_at is not None and grant.expires_at <= now):
            raise OAuthError("invalid_grant", "Token has been expired or revoked.")
        return self._access(grant, now)

    def _access(self, grant: Issued, now: datetime) -> dict[str, Any]:
        lifetime = timedelta(seconds=LIFETIME_S)
        token = self.tokens.issue(auth.ACCESS, "ya29.", grant, now, lifetime, parent=grant.digest)
        return {
            "access_token": token,
            "expires_in": LIFETIME_S - 1,
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
        }

    def revoke(self, params: Mapping[str, str]) -> None:
        """`POST /revoke`: an access or a refresh token; either ends the grant."""
        found = self.tokens.find(params.get("token", ""))
        if found is not None and found.platform == auth.ACCESS:
            found = self.tokens.by_digest(found.parent)
        if found is None or found.platform != auth.PLATFORM or found.revoked is not None:
            raise OAuthError("invalid_token", "Token expired or revoked")
        self.tokens.change(lambda token: token is found, _take_back)

    def person(self, authorization: str, now: datetime) -> dict[str, Any]:
        """`GET /v1/userinfo`: as much as the scopes let one see."""
        issued, grant = auth.find(self.tokens, authorization.partition(" ")[2])
        if issued is None or grant is None or issued.revoked is not None or grant.revoked is not None:
            raise OAuthError("invalid_request", "Invalid Credentials", 401)
        if "openid" not in issued.scopes or (issued.expires_at is not None and issued.expires_at <= now):
            raise OAuthError("invalid_request", "Invalid Credentials", 401)
        found: dict[str, Any] = {"sub": auth.PERSON_ID}
        if "email" in issued.scopes:
            found |= {"email": auth.PERSON_EMAIL, "email_verified": True}
        return {**found, "name": auth.PERSON_NAME} if "profile" in issued.scopes else found


def note(params: Mapping[str, str]) -> str:
    """What the token endpoint must know of the consent page's parameters: the challenge, and whether it is to last."""
    return f"{params.get('code_challenge', '')} {params.get('access_type', '')}"


def _verify(challenge: str, verifier: str) -> None:
    if not challenge:
        return
    if not verifier:
        raise OAuthError("invalid_grant", "Missing code verifier.")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if not hmac.compare_digest(digest, challenge.encode()):
        raise OAuthError("invalid_grant", "Invalid code verifier.")


def _client(params: Mapping[str, str], basic: str) -> tuple[str, str]:
    """The client's id and secret, from the Basic header or from the form."""
    kind, _, encoded = basic.partition(" ")
    if kind.lower() != "basic":
        return params.get("client_id", ""), params.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "Unauthorized", 401) from None
    return client_id, secret


def _take_back(token: Issued) -> None:
    token.revoked = _REVOKED
