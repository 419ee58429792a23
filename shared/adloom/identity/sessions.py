"""Sessions: begin, look up, renew, end. All of it on real time.

A token is new at log-in and whenever its session may do more or something else than before: the old one is dead at
that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import Forbidden, NotFound, Unauthenticated
from adloom.events.catalogue import SessionsEnded
from adloom.events.outbox import publish
from adloom.identity import session_trail
from adloom.identity.policy import SessionSettings
from adloom.identity.principal import Kind, Principal
from adloom.identity.proof import Proven, check_password
from adloom.identity.roles import Role
from adloom.identity.tokens import new_session_token, token_hash

_BY_TOKEN = text("select * from principal_by_token(:hash, :idle)")

Because = Literal["logout", "revoked", "admin", "switched", "role", "password"]


@dataclass(frozen=True)
class Arrival:
    """From where a person logs in: the address, the browser and the place in words, the known browser."""

    address: str = ""
    device: str = ""
    place: str = ""
    device_id: UUID | None = None


@dataclass(frozen=True)
class Session:
    """A new session, or one with a new token; `token` is shown this once."""

    token: str = field(repr=False)
    expires_at: datetime
    user_id: UUID
    org_id: UUID
    session_id: UUID


def begin(
    connection: Connection,
    who: Proven,
    policy: SessionSettings,
    arrival: Arrival,
    methods: Sequence[str],
) -> Session:
    """A new session in a transaction of its organisation; `methods` are how the person proved who it is."""
    now = real_now()
    made = Session(new_session_token(), min(now + policy.idle, now + policy.absolute), who.user_id, who.org_id, uuid4())
    connection.execute(
        text(
            "insert into sessions (session_id, org_id, user_id, token_hash, created_at, last_used_at, authenticated_at,"
            " idle_expires_at, expires_at, methods, device, address, place, device_id) values (:id, :org, :user, :hash,"
            " :now, :now, :now, :idle, :expires, :methods, :device, :address, :place, :device_id)"
        ),
        {
            "id": made.session_id,
            "org": who.org_id,
            "user": who.user_id,
            "hash": token_hash(made.token),
            "now": now,
            "idle": now + policy.idle,
            "expires": now + policy.absolute,
            "methods": list(methods),
            **vars(arrival),
        },
    )
    session_trail.opened(connection, who.org_id, who.user_id, made.session_id, methods=methods, device=arrival.device)
    return made


def log_in(database: Database, email: str, password: str, policy: SessionSettings) -> Session:
    """A new session for the right password alone."""
    who = check_password(database, email, password)
    with database.tenant(who.org_id) as connection:
        return begin(connection, who, policy, Arrival(), ["password"])


def renew(connection: Connection, principal: Principal, methods: Sequence[str]) -> Session:
    """The same session under a new token, after the person proved again who it is. It ends when it would have.

    Open pages hear that the old token is dead.
    """
    token, now = new_session_token(), real_now()
    row = connection.execute(
        text(
            "update sessions set token_hash = :hash, authenticated_at = :now, methods = :methods"
            " where session_id = :id and revoked_at is null returning least(expires_at, idle_expires_at)"
        ),
        {"hash": token_hash(token), "now": now, "methods": list(methods), "id": principal.session_id},
    ).one_or_none()
    if row is None or principal.user_id is None or principal.session_id is None:
        raise Unauthenticated("The session has ended; log in again.")
    publish(connection, SessionsEnded(org_id=principal.org_id, account_id=None, user_id=principal.user_id))
    session_trail.renewed(connection, principal.org_id, principal.session_id, methods)
    return Session(token, row[0], principal.user_id, principal.org_id, principal.session_id)


def methods_of(connection: Connection, principal: Principal) -> list[str]:
    """How the person of this session proved who it is."""
    query = text("select methods from sessions where session_id = :id")
    return list(connection.execute(query, {"id": principal.session_id}).scalar() or ())


def switch(database: Database, principal: Principal, org_id: UUID, admits: Callable[[Role], None]) -> Session:
    """The person's session in another organisation: a new one that lasts as long as the old one, which ends.

    `admits` raises where the role there asks for more than the person has shown.
    """
    made_id, token = uuid4(), new_session_token()
    with database.tenant(principal.org_id) as connection:
        old = connection.execute(
            text("select * from sessions where session_id = :id and revoked_at is null for update"),
            {"id": principal.session_id},
        ).one_or_none()
        if old is None:
            raise Unauthenticated("The session has ended; log in again.")
        end_all(connection, old.user_id, only=old.session_id, because="switched")
        # The same transaction, now of the other organisation.
        connection.execute(text("select set_config('app.org_id', :org, true)"), {"org": str(org_id)})
        member = connection.execute(
            text("select role from memberships where org_id = :org and user_id = :user"),
            {"org": org_id, "user": old.user_id},
        ).one_or_none()
        if member is None:
            raise Forbidden("You are no member of that organisation.", code="no_member")
        admits(cast("Role", member.role))
        values = dict(old._mapping) | {"session_id": made_id, "org_id": org_id, "token_hash": token_hash(token)}  # noqa: SLF001 - SQLAlchemy's public name for it
        columns = ", ".join(values)
        bound = ", ".join(f":{name}" for name in values)
        connection.execute(text(f"insert into sessions ({columns}) values ({bound})"), values)
        session_trail.switched(connection, org_id, made_id, principal.org_id, member.role)
    return Session(token, min(old.expires_at, old.idle_expires_at), old.user_id, org_id, made_id)


def end_all(
    connection: Connection,
    user_id: UUID,
    *,
    because: Because,
    only: UUID | None = None,
    but: UUID | None = None,
) -> int:
    """End a person's sessions at once and everywhere, whatever organisation they are in; how many ended.

    Each organisation where one ended hears of it, so that open pages close. Twice is harmless.
    """
    ended = connection.execute(
        text("select session_id, org_id from end_sessions(:user, :only, :but, :because)"),
        {"user": user_id, "only": only, "but": but, "because": because},
    ).all()
    here = connection.execute(text("select current_setting('app.org_id', true)")).scalar_one()
    for org_id in sorted({row.org_id for row in ended}):
        connection.execute(text("select set_config('app.org_id', :org, true)"), {"org": str(org_id)})
        publish(connection, SessionsEnded(org_id=org_id, account_id=None, user_id=user_id))
        here_ended = [row.session_id for row in ended if row.org_id == org_id]
        session_trail.ended(connection, org_id, user_id, because, here_ended)
    connection.execute(text("select set_config('app.org_id', :org, true)"), {"org": here or ""})
    return len(ended)


def end_here(connection: Connection, org_id: UUID, user_id: UUID, because: Because) -> int:
    """End a member's sessions in the transaction's organisation; the person's others go on. How many ended."""
    ended = connection.execute(
        text(
            "update sessions set revoked_at = now(), ended_because = :because"
            " where org_id = :org and user_id = :user and revoked_at is null returning session_id"
        ),
        {"org": org_id, "user": user_id, "because": because},
    ).all()
    publish(connection, SessionsEnded(org_id=org_id, account_id=None, user_id=user_id))
    session_trail.ended(connection, org_id, user_id, because, [row.session_id for row in ended])
    return len(ended)


def log_out(database: Database, principal: Principal) -> None:
    """End the principal's session at once, everywhere. Twice is harmless."""
    if principal.user_id is not None:
        with database.tenant(principal.org_id) as connection:
            end_all(connection, principal.user_id, only=principal.session_id, because="logout")


def principal_by_token(
    database: Database, token: str, organisation: UUID | None, policy: SessionSettings
) -> Principal | None:
    """Who holds this token; None when it is unknown, expired or revoked. Notes the use of a session.

    `organisation` is the one that the request names. The operator chooses by it; a member's session is of one
    organisation, and naming another is Forbidden.
    """
    # One statement of its own: each request asks this, and a transaction around it would ask twice as often.
    with database.statements() as connection:
        row = connection.execute(_BY_TOKEN, {"hash": token_hash(token), "idle": policy.idle}).one_or_none()
        if row is None:
            return None
        org_id = row.org_id
        if row.kind == "operator":
            org_id = _operators(connection, organisation)
        elif organisation not in (None, org_id):
            raise Forbidden("This session is of another organisation: switch to it first.", code="other_organisation")
    return Principal(
        kind=cast("Kind", row.kind),
        user_id=row.user_id,
        organisation_id=org_id,
        role=cast("Role", row.role),
        account_scope=row.account_scope,
        session_id=row.session_id,
        key_id=row.key_id,
        expires_at=row.expires_at,
        authenticated_at=row.authenticated_at,
    )


def every_organisation(database: Database) -> list[UUID]:
    """The ids of all organisations of the deployment."""
    with database.system() as connection:
        return _organisations(connection)


def _organisations(connection: Connection) -> list[UUID]:
    rows = connection.execute(text("select org_id from all_organisations()")).scalars()
    return [UUID(str(each)) for each in rows]


def _operators(connection: Connection, named: UUID | None) -> UUID | None:
    """The organisation the operator means: the named one, else the only one."""
    known = _organisations(connection)
    if named is not None and named not in known:
        raise NotFound("There is no organisation of that id.", code="organisation_unknown")
    return named or (known[0] if len(known) == 1 else None)


def device_of(connection: Connection, principal: Principal) -> UUID | None:
    """The known browser of the principal's session."""
    query = text("select device_id from sessions where session_id = :id")
    return cast("UUID | None", connection.execute(query, {"id": principal.session_id}).scalar_one_or_none())


def purge(database: Database) -> int:
    """Delete the sessions that ended long enough ago; how many."""
    with database.system() as connection:
        return cast("int", connection.execute(text("select purge_sessions()")).scalar_one())
