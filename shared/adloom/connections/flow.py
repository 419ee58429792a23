"""The log-in at a platform: a person leaves with a state and comes back with it and a code.

The state is what makes the public callback safe: 256 random bits, stored as their hash, bound to the organisation, the
person and the browser that asked, good for one use within ten minutes of real time. A person who has lost the right to
connect meanwhile connects nothing, and a state that is brought by another browser stays unused. Where the platform has
PKCE, the verifier waits here, encrypted, until the state is used up.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit, logs
from adloom.audit import Actor
from adloom.clock import real_now
from adloom.connections import store
from adloom.connections.browser import browser_hash
from adloom.connections.store import AccountChoice, Terms
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import Conflict, Forbidden, InvalidRequest, NotFound
from adloom.events.catalogue import AccountsConnected, Platform
from adloom.events.outbox import publish
from adloom.platforms import scopes
from adloom.platforms.grant import Extra, Grant, OAuth

STATE_LIFE = timedelta(minutes=10)

_STATE_BYTES = 32
# 43 characters; RFC 7636 wants 43 to 128.
_VERIFIER_BYTES = 32
# Google's codes are the longest, some hundreds of characters.
_LONGEST = 4096
_NOTE = """
insert into oauth_states (state_hash, org_id, platform, user_id, redirect_uri, expires_at, browser_hash, verifier,
                          account_choice, extras, mends)
values (:hash, :org, :platform, :user, :redirect, :expires, :browser, :verifier, :choice, :extras, :mends)
"""
_KEPT = "select verifier, account_choice, extras, mends from oauth_states where state_hash = :hash"

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
    """A connection was made or renewed. `is_another_person`: not the one whose connection was to be mended."""

    connection_id: UUID
    platform: Platform
    name: str
    is_another_person: bool


@dataclass(frozen=True)
class Leaving:
    """Who leaves for a platform, and what for. `user_id` is None for the operator, who alone may do without a browser.

    `mends` is the connection that the person wants whole again.
    """

    org_id: UUID
    user_id: UUID | None
    platform: Platform
    redirect_uri: str
    browser: str | None
    choice: AccountChoice = "all"
    extras: tuple[Extra, ...] = ()
    mends: UUID | None = None


@dataclass(frozen=True)
class _Claim:
    org_id: UUID
    platform: Platform
    redirect_uri: str
    verifier: bytes | None = field(repr=False)
    terms: Terms
    mends: UUID | None
    asked_by: UUID | None


def start(database: Database, vault: Vault, oauth: OAuth, leaving: Leaving) -> str:
    """Where to send the person. NotFound for a connection to mend that is not there, or not of the platform."""
    if leaving.user_id is not None and not leaving.browser:
        raise InvalidRequest(
            "A log-in at a platform belongs to the browser it begins in: start it in the dashboard.",
            code="browser_missing",
        )
    state = secrets.token_urlsafe(_STATE_BYTES)
    verifier = secrets.token_urlsafe(_VERIFIER_BYTES) if oauth.has_pkce else ""
    with database.tenant(leaving.org_id) as connection:
        terms, again = _terms(connection, leaving)
        connection.execute(
            text(_NOTE),
            {
                "hash": _hash(state),
                "org": leaving.org_id,
                "platform": leaving.platform,
                "user": leaving.user_id,
                "redirect": leaving.redirect_uri,
                "expires": real_now() + STATE_LIFE,
                "browser": browser_hash(leaving.browser) if leaving.browser else None,
                "verifier": vault.encrypt(verifier) if verifier else None,
                "choice": terms.choice,
                "extras": list(terms.extras),
                "mends": leaving.mends,
            },
        )
        audit.record(connection, "connection.begun", org_id=leaving.org_id, target=("platform", leaving.platform))
    return oauth.authorize_url(
        state=state,
        redirect_uri=leaving.redirect_uri,
        challenge=_challenge(verifier),
        extras=terms.extras,
        again=again,
    )


def _terms(connection: Connection, leaving: Leaving) -> tuple[Terms, bool]:
    """What the log-in is for, and whether the person has to be asked again for a right that was not given."""
    if leaving.mends is None:
        return Terms(leaving.choice, leaving.extras), False
    mended = store.one(connection, leaving.mends)
    if mended.platform != leaving.platform:
        raise NotFound("There is no such connection of this platform.")
    terms = mended.terms.with_extras(leaving.extras)
    return terms, bool(scopes.missing(mended.platform, mended.scopes, terms.extras))


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
    verifier = vault.decrypt(claim.verifier) if claim.verifier else ""
    grant = oauth_of(claim.platform).exchange(code=came.code, redirect_uri=claim.redirect_uri, verifier=verifier)
    with database.tenant(claim.org_id) as connection:
        connection_id = made(
            connection, vault, claim.org_id, claim.platform, grant, terms=claim.terms, who=_who_asked(claim)
        )
    another = claim.mends is not None and claim.mends != connection_id
    return Finished(connection_id, claim.platform, grant.name, is_another_person=another)


def made(
    connection: Connection,
    vault: Vault,
    org_id: UUID,
    platform: Platform,
    grant: Grant,
    *,
    terms: Terms,
    who: Actor | None = None,
) -> UUID:
    """Store a grant and tell of it: whoever syncs the platform looks up its accounts. The connection's id."""
    connection_id = store.save(connection, vault, org_id, platform, grant, terms=terms)
    found = AccountsConnected(org_id=org_id, account_id=None, connection_id=connection_id, platform=platform)
    publish(connection, found)
    said = {"platform": platform, "name": grant.name, "scopes": list(grant.scopes)}
    target = ("connection", connection_id)
    audit.record(connection, "connection.made", org_id=org_id, target=target, new=said, actor=who)
    log.info("connected", platform=platform, org_id=str(org_id), connection_id=str(connection_id))
    return connection_id


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
    with database.tenant(row.org_id) as connection:
        kept = connection.execute(text(_KEPT), {"hash": _hash(state)}).one()
        # Nobody needs the verifier a second time.
        connection.execute(text("update oauth_states set verifier = null where state_hash = :hash"), values)
    return _Claim(
        org_id=row.org_id,
        platform=row.platform,
        redirect_uri=row.redirect_uri,
        verifier=bytes(kept.verifier) if kept.verifier is not None else None,
        terms=Terms(kept.account_choice, tuple(kept.extras)),
        mends=kept.mends,
        asked_by=row.user_id,
    )


def _who_asked(claim: _Claim) -> Actor:
    """Whoever began the log-in: the browser that comes back has no session here. The operator began without one."""
    if claim.asked_by is not None:
        return audit.actor().known_as(claim.asked_by)
    return replace(audit.actor(), kind="operator")


def _challenge(verifier: str) -> str:
    """RFC 7636, 4.2; empty where there is no verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if verifier else ""


def _declined(error: str) -> Exception:
    if error == "access_denied":
        return Forbidden("You did not allow access, so nothing was connected.", code="access_denied")
    return Conflict("The platform ended the log-in with an error. Start again.", code="authorization_failed")


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
