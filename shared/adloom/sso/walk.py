"""A browser's way to a provider and back.

The state is 256 random bits, stored as their hash, good for one return within ten minutes, by the browser that left and
by the provider that it was sent to. The nonce in the token and the verifier of the code (PKCE) are made of the state
and of the browser's cookie together: whoever has one of them, or the database, has neither.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from sqlalchemy import text

from adloom.connections.browser import browser_hash
from adloom.db import Database
from adloom.errors import Conflict, Forbidden, InvalidRequest
from adloom.sso import fetch, tokens
from adloom.sso.discovery import Directory, Metadata
from adloom.sso.errors import NotProven
from adloom.sso.fetch import Hurry
from adloom.sso.provider import Provider
from adloom.sso.tokens import Claims

STATE_LIFE = timedelta(minutes=10)
SCOPE = "openid email profile"
_STATE_BYTES = 32
_LONGEST = 4096
_OK = 200


@dataclass(frozen=True)
class Leaving:
    """Who leaves: `user_id` and `session_id` of somebody who links an identity; None for a log-in. `target` is the page
    to go to afterwards; `device` the hash of the token by which the browser is known.
    """

    browser: str = field(repr=False)
    target: str = "/"
    device: bytes | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None


@dataclass(frozen=True)
class Return:
    """What the browser brings back (RFC 6749 4.1.2, RFC 9207), and its cookie."""

    state: str = field(repr=False)
    browser: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None


@dataclass(frozen=True)
class Claimed:
    """What was noted when the browser left."""

    target: str
    device: bytes | None
    user_id: UUID | None


def start(database: Database, directory: Directory, provider: Provider, redirect_uri: str, leaving: Leaving) -> str:
    """Where to send the browser. ProviderSilent when the provider does not say where."""
    metadata = directory.metadata(provider, Hurry())
    state = secrets.token_urlsafe(_STATE_BYTES)
    with database.system() as connection:
        connection.execute(
            text("select begin_sso(:hash, :browser, :provider, :target, :device, :user, :session, :life)"),
            {
                "hash": _hash(state),
                "browser": browser_hash(leaving.browser),
                "provider": provider.key,
                "target": leaving.target,
                "device": leaving.device,
                "user": leaving.user_id,
                "session": leaving.session_id,
                "life": STATE_LIFE,
            },
        )
    url: str = prepare_grant_uri(
        metadata.authorization_endpoint,
        provider.client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=SCOPE,
        state=state,
        nonce=_derived("nonce", state, leaving.browser),
        code_challenge=create_s256_code_challenge(_derived("verifier", state, leaving.browser)),
        code_challenge_method="S256",
        # Whoever has several accounts there is asked which.
        prompt="select_account",
    )
    return url


def claim(database: Database, provider: Provider, came: Return) -> Claimed:
    """Use the state up, whatever follows. Conflict unless it is fresh, unused, this browser's and this provider's."""
    with database.system() as connection:
        row = connection.execute(
            text("select * from claim_sso(:hash, :browser, :provider)"),
            {"hash": _hash(came.state), "browser": browser_hash(came.browser), "provider": provider.key},
        ).one_or_none()
    if row is None:
        raise Conflict(
            "This log-in was used already, is older than ten minutes, or began in another browser. Begin again.",
            code="state_unusable",
        )
    return Claimed(row.target, bytes(row.device_hash) if row.device_hash is not None else None, row.user_id)


def finish(directory: Directory, provider: Provider, redirect_uri: str, came: Return) -> Claims:
    """Who it is, after `claim`. NotProven, ProviderSilent; Forbidden when the person did not want to."""
    hurry = Hurry()
    metadata = directory.metadata(provider, hurry)
    _check_issuer(provider, metadata, came.issuer)
    if came.error is not None:
        raise _declined(provider, came.error)
    if not came.code or len(came.code) > _LONGEST:
        raise InvalidRequest("The provider sent no code along. Begin again.", code="code_missing")
    form = prepare_token_request(
        "authorization_code",
        code=came.code,
        redirect_uri=redirect_uri,
        code_verifier=_derived("verifier", came.state, came.browser),
    )
    return tokens.read(
        _exchange(provider, metadata, hurry, form),
        provider,
        metadata.algorithms,
        lambda header: directory.key(provider, metadata, header, hurry),
        _derived("nonce", came.state, came.browser),
    )


def _check_issuer(provider: Provider, metadata: Metadata, named: str | None) -> None:
    """RFC 9207: another provider's answer is none of this one's."""
    if named is None and not metadata.names_itself:
        return
    if named != provider.issuer:
        raise NotProven(provider.name, "iss of the answer")


def _exchange(provider: Provider, metadata: Metadata, hurry: Hurry, form: str) -> object:
    """The ID token for the code. What else the provider gives is not looked at and not kept."""
    way = "client_secret_post" if metadata.secret_in_body else "client_secret_basic"
    client = ClientAuth(provider.client_id, provider.client_secret.get_secret_value(), way)
    url, headers, body = client.prepare("POST", metadata.token_endpoint, {}, form)
    status, answer = fetch.post(provider, hurry, url, headers, body)
    if status != _OK:
        raise NotProven(provider.name, f"the code was answered {status} {str(answer.get('error'))[:40]!r}")
    return answer.get("id_token")


def _declined(provider: Provider, error: str) -> Exception:
    if error == "access_denied":
        return Forbidden(f"{provider.name} let nobody in: you did not agree there.", code="access_denied")
    return NotProven(provider.name, f"the answer is an error, {error[:40]!r}")


def purge(database: Database) -> None:
    """Delete the states that are long over."""
    with database.system() as connection:
        connection.execute(text("select purge_sso()"))


def _derived(what: str, state: str, browser: str) -> str:
    """43 characters that this state and this browser's cookie give together."""
    made = hmac.new(
        browser.encode("utf-8", "surrogatepass"), f"{what}\0{state}".encode("utf-8", "surrogatepass"), hashlib.sha256
    )
    return base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
