"""Invitations: an administrator names an address, a role and accounts; whoever reads mails there accepts, once.

Nobody gives what they do not have. An address that has an account joins with a session of it; one that has none makes
it by accepting, and is verified by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adloom import audit
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import Conflict, Forbidden, NotFound
from adloom.identity import members
from adloom.identity.account_scope import is_within
from adloom.identity.members import NewMember
from adloom.identity.principal import Principal
from adloom.identity.roles import Role, includes
from adloom.identity.tokens import INVITATION_PREFIX, new_token, token_hash

LIFE = timedelta(days=7)


@dataclass(frozen=True)
class Invitation:
    """An open invitation as whoever holds its link sees it."""

    invitation_id: UUID
    org_id: UUID
    organisation: str
    email: str
    role: Role
    account_scope: str
    inviter: str
    has_account: bool


@dataclass(frozen=True)
class Open:
    """An open invitation as administrators see it."""

    invitation_id: UUID
    email: str
    role: Role
    account_scope: str
    created_at: datetime
    expires_at: datetime


def invite(connection: Connection, principal: Principal, email: str, role: Role, scope: str) -> tuple[UUID, str]:
    """Make an invitation in the principal's organisation; its id and its token, which is shown this once.

    An open one of the same address ends. Forbidden for more than the principal has, Conflict for a member.
    """
    address = email.strip().lower()
    _check(connection, principal, address, role, scope)
    _take_back_open_ones(connection, principal.org_id, address)
    invitation_id, token = uuid4(), new_token(INVITATION_PREFIX)
    connection.execute(
        text(
            "insert into invitations (invitation_id, org_id, email, role, account_scope, token_hash, invited_by,"
            " expires_at) values (:id, :org, :email, :role, :scope, :hash, :by, :expires)"
        ),
        {
            "id": invitation_id,
            "org": principal.org_id,
            "email": address,
            "role": role,
            "scope": scope,
            "hash": token_hash(token),
            "by": principal.user_id,
            "expires": real_now() + LIFE,
        },
    )
    said = {"email": address, "role": role, "accounts": scope}
    target = ("invitation", invitation_id)
    audit.record(connection, "invitation.made", org_id=principal.org_id, target=target, new=said)
    return invitation_id, token


def _check(connection: Connection, principal: Principal, address: str, role: Role, scope: str) -> None:
    if not includes(principal.role, role):
        raise Forbidden("You cannot give a role above your own.", code="role_above")
    if not is_within(scope, principal.account_scope):
        raise Forbidden("You cannot give accounts that you do not have.", code="account_outside")
    member = connection.execute(
        text(
            "select 1 from memberships m join users u on u.user_id = m.user_id"
            " where m.org_id = :org and u.email = :email"
        ),
        {"org": principal.org_id, "email": address},
    ).one_or_none()
    if member is not None:
        raise Conflict("This address belongs to a member already.", code="already_member")


def _take_back_open_ones(connection: Connection, org_id: UUID, address: str) -> None:
    """Whoever invites the same address at the same moment waits: one open invitation is left."""
    lock = text("select pg_advisory_xact_lock(hashtextextended(:what, 0))")
    connection.execute(lock, {"what": f"invitation {org_id} {address}"})
    connection.execute(
        text(
            "update invitations set revoked_at = now()"
            " where email = :email and accepted_at is null and revoked_at is null"
        ),
        {"email": address},
    )


def every(database: Database, org_id: UUID) -> list[Open]:
    """The open invitations of an organisation, the newest first."""
    with database.tenant(org_id) as connection:
        rows = connection.execute(
            text(
                "select invitation_id, email, role, account_scope, created_at, expires_at from invitations"
                " where accepted_at is null and revoked_at is null and expires_at > now() order by created_at desc"
            )
        )
        return [Open(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def revoke(database: Database, principal: Principal, invitation_id: UUID) -> None:
    """Take an invitation back; NotFound when there is no open one."""
    with database.tenant(principal.org_id) as connection:
        row = connection.execute(
            text(
                "update invitations set revoked_at = now() where invitation_id = :id and accepted_at is null"
                " and revoked_at is null returning role"
            ),
            {"id": invitation_id},
        ).one_or_none()
        if row is None:
            raise NotFound("There is no open invitation of that id.")
        if not includes(principal.role, row.role):
            raise Forbidden("Only an owner takes back the invitation of an owner.", code="role_above")
        target, old = ("invitation", invitation_id), {"role": row.role}
        audit.record(connection, "invitation.revoked", org_id=principal.org_id, target=target, old=old)


def look(database: Database, token: str) -> Invitation:
    """The open invitation of a token; NotFound when it is used, taken back, expired or none."""
    with database.system() as connection:
        query = text("select * from invitation_by_token(:hash)")
        row: Any = connection.execute(query, {"hash": token_hash(token)}).one_or_none()
    if row is None:
        raise NotFound("This invitation has expired, was used already or was taken back.", code="link_gone")
    return Invitation(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def accept(database: Database, invitation: Invitation, name: str, password: str) -> UUID:
    """Make the person who was invited; the user's id. Conflict when the address has an account."""
    new = NewMember(invitation.email, name, password, invitation.role, invitation.account_scope, verified=True)
    return members.create(database, invitation.org_id, new, first=lambda connection: _claim(connection, invitation))


def join(database: Database, invitation: Invitation, user_id: UUID, email: str) -> None:
    """Make somebody who has an account a member. Forbidden unless it is the account that was invited."""
    if email != invitation.email:
        raise Forbidden(f"This invitation is for {invitation.email}: log in as that.", code="other_person")
    with database.tenant(invitation.org_id) as connection:
        _claim(connection, invitation)
        added = connection.execute(
            text(
                "insert into memberships (org_id, user_id, role, account_scope) values (:org, :user, :role, :scope)"
                " on conflict do nothing"
            ),
            {
                "org": invitation.org_id,
                "user": user_id,
                "role": cast("str", invitation.role),
                "scope": invitation.account_scope,
            },
        )
        if added.rowcount == 1:  # a member already keeps the role and the accounts
            said = {"role": invitation.role, "accounts": invitation.account_scope}
            audit.record(connection, "member.added", org_id=invitation.org_id, target=("member", user_id), new=said)


def _claim(connection: Connection, invitation: Invitation) -> None:
    claimed = connection.execute(
        text(
            "update invitations set accepted_at = now() where invitation_id = :id and accepted_at is null"
            " and revoked_at is null and expires_at > now()"
        ),
        {"id": invitation.invitation_id},
    )
    if claimed.rowcount != 1:
        raise NotFound("This invitation has expired, was used already or was taken back.", code="link_gone")
    target = ("invitation", invitation.invitation_id)
    audit.record(connection, "invitation.accepted", org_id=invitation.org_id, target=target)
