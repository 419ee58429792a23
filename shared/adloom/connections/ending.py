"""The end of a connection: nothing is read by it from the first moment on, then the platform is told, then we forget.

The token is kept until the platform has heard that its grant ended, or has said that it never will: a process that dies
in between leaves work that the next tick goes on with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit, clock, logs
from adloom.connections import store, subscriptions
from adloom.connections.store import Connected
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import AdloomError, Conflict, NotFound, PlatformError
from adloom.events.catalogue import Platform
from adloom.platforms.grant import OAuth

if TYPE_CHECKING:
    from adloom.platforms.meta.hooks import MetaHooks

# A platform that does not answer is asked again for so long.
TELL_FOR = timedelta(days=1)
ASK_AGAIN_AFTER = timedelta(minutes=5)
MOST_PER_TICK = 50

# The grant was ended there; others here live by it; the platform did not do it; it does not answer and is asked again.
AtPlatform = Literal["revoked", "kept_for_others", "refused", "later"]

log = logs.get(__name__)
OAuthOf = Callable[[Platform], OAuth]


@dataclass(frozen=True)
class Ended:
    """What became of the grant at the platform; `detail` is its word where it did not do it."""

    at_platform: AtPlatform
    detail: str | None = None


def end(database: Database, vault: Vault, oauth_of: OAuthOf, org_id: UUID, connection_id: UUID) -> Ended:
    """Disconnect. The accounts and their numbers stay; another connection that reaches them goes on with them.

    NotFound without such a connection, Conflict for one that was ended before.
    """
    with database.tenant(org_id) as connection:
        connected = store.one(connection, connection_id, locked=True)
        if connected.status == "revoked":
            raise Conflict("This connection was ended before.", code="connection_ended")
        connection.execute(
            text(
                "update connections set status = 'revoked', revoked_at = now(), updated_at = now(),"
                " broken_code = null, broken_reason = null, broken_detail = null, broken_at = null"
                " where connection_id = :id"
            ),
            {"id": connection_id},
        )
        connection.execute(text("select hand_over_accounts(:id)"), {"id": connection_id})
        target, old = ("connection", connection_id), {"platform": connected.platform, "name": connected.name}
        audit.record(connection, "connection.removed", org_id=org_id, target=target, old=old)
    log.info("disconnected", platform=connected.platform, org_id=str(org_id), connection_id=str(connection_id))
    return _tell(database, vault, oauth_of, org_id, connection_id)


def go_on(database: Database, vault: Vault, oauth_of: OAuthOf) -> None:
    """The tick's part: tell the platforms what they have not heard yet, first who was told the longest ago.

    A platform that does not answer takes time: what a tick does not come to, the next one begins with.
    """
    for _ in range(MOST_PER_TICK):
        with database.system() as connection:
            query = text("select * from claim_connections_to_forget(:every, 1)")
            row = connection.execute(query, {"every": ASK_AGAIN_AFTER}).one_or_none()
        if row is None:
            return
        try:
            _tell(database, vault, oauth_of, row.org_id, row.connection_id)
        except AdloomError as error:
            # Such as an app that is not set up any more: it waits, and the others go on.
            log.warning("revocation_waits", connection_id=str(row.connection_id), code=error.code, detail=error.detail)


def _tell(database: Database, vault: Vault, oauth_of: OAuthOf, org_id: UUID, connection_id: UUID) -> Ended:
    with database.tenant(org_id) as connection:
        connected = store.one(connection, connection_id)
        if connected.status != "revoked":
            # Connected again meanwhile: the token here is the new one, which is to live.
            return Ended("revoked")
        try:
            token = store.access_token(connection, vault, connection_id)
        except NotFound:
            return Ended("revoked")
        is_shared = bool(connection.execute(text("select is_shared_grant(:id)"), {"id": connection_id}).scalar_one())
    login = oauth_of(connected.platform)
    if connected.platform == "meta":
        subscriptions.undo(database, vault, cast("MetaHooks", login), org_id, connection_id, token=token)
    ended = _revoke(login, connected, token, is_shared=is_shared)
    if ended.at_platform != "later":
        with database.tenant(org_id) as connection:
            _forget(connection, connection_id)
    return ended


def _revoke(login: OAuth, connected: Connected, token: str, *, is_shared: bool) -> Ended:
    """What the platform says. Whatever that is, nothing here uses the token any more."""
    try:
        is_done = login.revoke(token, is_shared=is_shared)
    except PlatformError as error:
        has_time = connected.revoked_at is not None and clock.real_now() - connected.revoked_at < TELL_FOR
        log.warning("revocation_failed", platform=connected.platform, code=error.code, detail=error.detail)
        return Ended("later" if error.retryable and has_time else "refused", error.detail)
    return Ended("revoked" if is_done else "kept_for_others")


def _forget(connection: Connection, connection_id: UUID) -> None:
    """Delete our copy, unless the person has connected again meanwhile."""
    connection.execute(
        text(
            "delete from connection_tokens t using connections c where c.connection_id = t.connection_id"
            " and t.connection_id = :id and c.status = 'revoked'"
        ),
        {"id": connection_id},
    )
