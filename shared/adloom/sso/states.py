"""The states of browsers that are on their way to a provider.

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

from sqlalchemy import text

from adloom.connections.browser import browser_hash
from adloom.db import Database
from adloom.errors import Conflict
from adloom.identity.tokens import token_hash
from adloom.sso.provider import Provider

LIFE = timedelta(minutes=10)
_BYTES = 32


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


def begin(database: Database, provider: Provider, leaving: Leaving) -> str:
    """A new state."""
    state = secrets.token_urlsafe(_BYTES)
    with database.system() as connection:
        connection.execute(
            text("select begin_sso(:hash, :browser, :provider, :target, :device, :user, :session, :life)"),
            {
                "hash": token_hash(state),
                "browser": browser_hash(leaving.browser),
                "provider": provider.key,
                "target": leaving.target,
                "device": leaving.device,
                "user": leaving.user_id,
                "session": leaving.session_id,
                "life": LIFE,
            },
        )
    return state


def claim(database: Database, provider: Provider, came: Return) -> Claimed:
    """Use the state up, whatever follows. Conflict unless it is fresh, unused, this browser's and this provider's."""
    with database.system() as connection:
        row = connection.execute(
            text("select * from claim_sso(:hash, :browser, :provider)"),
            {"hash": token_hash(came.state), "browser": browser_hash(came.browser), "provider": provider.key},
        ).one_or_none()
    if row is None:
        raise Conflict(
            "This log-in was used already, is older than ten minutes, or began in another browser. Begin again.",
            code="state_unusable",
        )
    return Claimed(row.target, bytes(row.device_hash) if row.device_hash is not None else None, row.user_id)


def derived(what: str, state: str, browser: str) -> str:
    """43 characters that this state and this browser's cookie give together."""
    made = hmac.new(
        browser.encode("utf-8", "surrogatepass"), f"{what}\0{state}".encode("utf-8", "surrogatepass"), hashlib.sha256
    )
    return base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()


def purge(database: Database) -> None:
    """Delete the states that are long over."""
    with database.system() as connection:
        connection.execute(text("select purge_sso()"))
