"""The log-in at a platform: a person leaves with a state and comes back with it and a code.

The state is what makes the public callback safe: 256 random bits, stored as their hash, bound to the organisation, the
person and the browser that asked, good for one use within ten minutes of real time. A person who has lost the right to
connect meanwhile connects nothing, and a state that is brought by another browser stays unused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit, logs
from adloom.audit import Actor
from adloom.clock import real_now
from adloom.connections import store
from adloom.connections.browser import browser_hash
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import Conflict, Forbidden, InvalidRequest
from adloom.events.catalogue import AccountsConnected, Platform
from adloom.events.outbox import publish
from adloom.platforms.grant import OAuth

STATE_LIFE = timedelta(minutes=10)

_STATE_BYTES = 32
# Google's codes are the longest, some hundreds of characters.
_LONGEST = 4096

log = logs.get(__name__)


@dataclass(frozen=True)
class Return:
    """What the browser brings back from the platform: RFC 6749, 4.1.2 and 4.1.2.1. `browser` is its cookie."""

    state: str | None
    code: str | None
    error: str | None
    browser: str | None = None


@dataclass(frozen=True)
class Finished:
    """A connection was made or renewed."""

    connection_id: UUID
    platform: Platform
    name: str


@dataclass(frozen=True)
class _Claim:
    org_id: UUID
    platform: Platform
    redirect_uri: str


def start(
    database: Database,
    oauth: OAuth,
    *,
    org_id: UUID,
    user_id: UUID | None,
    platform: Platform,
    redirect_uri: str,
    browser: str | None,
) -> str:
    """Where to send the person. `user_id` is None for the operator, who alone may do without a browser."""
    if user_id is not None and not browser:
        raise InvalidRequest(
            "A log-in at a platform belongs to the browser it begins in: start it in the dashboard.",
            code="browser_missing",
        )
    state = secrets.token_urlsafe(_STATE_BYTES)
    with database.tenant(org_id) as connection:
        connection.execute(
            text(
                "insert into oauth_states (state_hash, org_id, platform, user_id, redirect_uri, expires_at,"
                " browser_hash) values (:hash, :org, :platform, :user, :redirect, :expires, :browser)"
            ),
            {
                "hash": _hash(state),
                "org": org_id,
                "platform": platform,
                "user": user_id,
                "redirect": redirect_uri,
                "expires": real_now() + STATE_LIFE,
                "browser": browser_hash(browser) if browser else None,
            },
        )
        audit.record(connection, "connection.begun", org_id=org_id, target=("platform", platform))
    return oauth.authorize_url(state=state, redirect_uri=redirect_uri)


def finish(database: Database, vault: Vault, oauth_of: Callable[[Platform], OAuth], came: Return) -> Finished:
    """Exchange the code and store the connection with its event, in one transaction.

    The state is used up first, whatever follows. Errors: InvalidRequest (no state, no code), Conflict (unknown, used or
    old state), Forbidden (the person declined), PlatformError (the platform refused or does not answer).
    """
    claim = _claim(database, came.state, came.browser)
    if came.error is not None:
        raise _declined(came.error)
    if not came.code or len(came.code) > _LONGEST:
        raise InvalidRequest("The platform sent no code along. Start again in Adloom.", code="code_missing")
    grant = oauth_of(claim.platform).exchange(code=came.code, redirect_uri=claim.redirect_uri)
    with database.tenant(claim.org_id) as connection:
        connection_id = store.save(connection, vault, claim.org_id, claim.platform, grant)
        event = AccountsConnected(
            org_id=claim.org_id, account_id=None, connection_id=connection_id, platform=claim.platform
        )
        publish(connection, event)
        said = {"platform": claim.platform, "name": grant.name, "scopes": list(grant.scopes)}
        who, target = _who_asked(connection, came.state), ("connection", connection_id)
        audit.record(connection, "connection.made", org_id=claim.org_id, target=target, new=said, actor=who)
    log.info("connected", platform=claim.platform, org_id=str(claim.org_id), connection_id=str(connection_id))
    return Finished(connection_id, claim.platform, grant.name)


def purge(database: Database) -> None:
    """Delete the states that are long over."""
    with database.system() as connection:
        connection.execute(text("select purge_oauth_states()"))


def _claim(database: Database, state: str | None, browser: str | None) -> _Claim:
    """Use the state up. Fails closed: without a row that is fresh, unused and this browser's nothing goes on."""
    if not state or len(state) > _LONGEST:
        raise InvalidRequest("This address is called by the ad platform only. Start in Adloom.", code="state_missing")
    with database.system() as connection:
        query = text("select * from claim_oauth_state(:hash, :browser)")
        values = {"hash": _hash(state), "browser": browser_hash(browser) if browser else None}
        row = connection.execute(query, values).one_or_none()
    if row is None:
        raise Conflict(
            "This log-in was used already, is older than ten minutes, or began in another browser. Start again.",
            code="state_unusable",
        )
    return _Claim(row.org_id, row.platform, row.redirect_uri)


def _who_asked(connection: Connection, state: str | None) -> Actor:
    """Whoever began the log-in: the browser that comes back has no session here. The operator began without one."""
    query = text("select user_id from oauth_states where state_hash = :hash")
    user_id = connection.execute(query, {"hash": _hash(state or "")}).scalar_one_or_none()
    return audit.actor().known_as(user_id) if user_id is not None else replace(audit.actor(), kind="operator")


def _declined(error: str) -> Exception:
    if error == "access_denied":
        return Forbidden("You did not allow access, so nothing was connected.", code="access_denied")
    return Conflict("The platform ended the log-in with an error. Start again.", code="authorization_failed")


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
