"""Who is calling: the OAuth client, and the access token of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from infra.sandbox.google import errors
from infra.sandbox.tokens import Issued, Tokens

# What lasts is the grant, of which the client holds the refresh token; access tokens hang on it.
PLATFORM, ACCESS = "google", "google-access"
PERSON_ID = "108204268033311374519"
PERSON_NAME = "Sandbox Person"
PERSON_EMAIL = "person@sandbox.example"
SCOPE = "https://www.googleapis.com/auth/adwords"
SCOPE_NAMES = {
    SCOPE: "See, edit, create, and delete your Google Ads accounts and data",
    "openid": "Associate you with your personal info on Google",
    "email": "See your primary Google Account email address",
    "profile": "See your personal info",
}


@dataclass(frozen=True)
class Caller:
    """A request whose token is good. `withheld` are accounts that the person no longer shares."""

    now: datetime
    withheld: frozenset[str]
    login_customer_id: str


def authorize(tokens: Tokens, metadata: Mapping[str, str], now: datetime) -> Caller:
    """The caller. Fails closed: whatever is wrong with the token is an error."""
    kind, _, text = metadata.get("authorization", "").partition(" ")
    if kind != "Bearer":
        raise errors.no_credentials()
    issued, grant = find(tokens, text)
    if issued is None or grant is None:
        raise errors.no_credentials()
    if issued.revoked is not None or grant.revoked is not None:
        raise errors.revoked()
    if issued.expires_at is not None and issued.expires_at <= now:
        raise errors.no_credentials()
    if SCOPE not in issued.scopes:
        raise errors.no_scope()
    return Caller(now, frozenset(grant.withheld), metadata.get("login-customer-id", ""))


def find(tokens: Tokens, text: str) -> tuple[Issued | None, Issued | None]:
    """An access token and its grant."""
    issued = tokens.find(text)
    if issued is None or issued.platform != ACCESS:
        return None, None
    return issued, tokens.by_digest(issued.parent)
