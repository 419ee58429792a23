"""Who is a member of an organisation, as what, and for which accounts.

Nobody gives what they do not have: a role above their own, an account outside of their own scope. Owners are changed by
owners only, nobody changes themselves, and an organisation keeps an owner. Whatever changes, the member's sessions in
this organisation end, so that none goes on with the old rights, and the open invitations of this member too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit
from adloom.db import Database
from adloom.errors import Conflict, Forbidden, NotFound
from adloom.identity import keys, sessions
from adloom.identity.account_scope import is_within
from adloom.identity.principal import Principal
from adloom.identity.roles import Role, includes


@dataclass(frozen=True)
class Membership:
    """A member; `account_scope` as in Principal. `last_active_at`, real time, is in this organisation."""

    user_id: UUID
    email: str
    name: str
    role: Role
    account_scope: str
    second_factor: bool
    last_active_at: datetime | None


_MEMBERS = (
    "select u.user_id, u.email, u.name, m.role, m.account_scope, a.second_factor, a.last_active_at"
    " from memberships m join users u on u.user_id = m.user_id join activity_of_members() a on a.user_id = m.user_id"
    " where m.org_id = :org"
)


def every(database: Database, org_id: UUID) -> list[Membership]:
    """The organisation's members by name."""
    with database.tenant(org_id) as connection:
        rows = connection.execute(text(f"{_MEMBERS} order by u.name, u.user_id"), {"org": org_id}).all()
    return [_membership(row) for row in rows]


def change(database: Database, principal: Principal, user_id: UUID, role: Role | None, scope: str | None) -> Membership:
    """Give a member another role or other accounts; what is None stays. Forbidden, NotFound or Conflict as above."""
    with database.tenant(principal.org_id) as connection:
        before = _changeable(connection, principal, user_id)
        after = replace(
            before, role=role or before.role, account_scope=before.account_scope if scope is None else scope
        )
        if not includes(principal.role, after.role):
            raise Forbidden("You cannot give a role above your own.", code="role_above")
        if not is_within(after.account_scope, principal.account_scope):
            raise Forbidden("You cannot give accounts that you do not have.", code="account_outside")
        if before.role == "owner" and after.role != "owner":
            _keep_an_owner(connection, principal.org_id)
        if after != before:
            connection.execute(
                text(
                    "update memberships set role = :role, account_scope = :scope"
                    " where org_id = :org and user_id = :user"
                ),
                {"role": after.role, "scope": after.account_scope, "org": principal.org_id, "user": user_id},
            )
            sessions.end_here(connection, principal.org_id, user_id, "role")
            old, new = _rights(before), _rights(after)
            target = ("member", user_id)
            audit.record(connection, "member.role_changed", org_id=principal.org_id, target=target, old=old, new=new)
            _take_back_invitations(connection, user_id)
    return after


def remove(database: Database, principal: Principal, user_id: UUID) -> None:
    """Take a member out of the organisation. The person keeps the login and other organisations."""
    with database.tenant(principal.org_id) as connection:
        before = _changeable(connection, principal, user_id)
        if before.role == "owner":
            _keep_an_owner(connection, principal.org_id)
        sessions.end_here(connection, principal.org_id, user_id, "role")
        _take_back_invitations(connection, user_id)
        keys.end_of_maker(connection, principal.org_id, user_id)
        connection.execute(
            text("delete from memberships where org_id = :org and user_id = :user"),
            {"org": principal.org_id, "user": user_id},
        )
        target = ("member", user_id)
        audit.record(connection, "member.removed", org_id=principal.org_id, target=target, old=_rights(before))


def may_change(database: Database, principal: Principal, user_id: UUID) -> None:
    """Raise unless the principal may change this member: Forbidden or NotFound as above."""
    with database.tenant(principal.org_id) as connection:
        _changeable(connection, principal, user_id)


def end_sessions(database: Database, principal: Principal, user_id: UUID) -> int:
    """End a member's sessions in this organisation; how many."""
    with database.tenant(principal.org_id) as connection:
        found = _find(connection, principal.org_id, user_id)
        _allow(principal, found)
        return sessions.end_here(connection, principal.org_id, user_id, "admin")


def _changeable(connection: Connection, principal: Principal, user_id: UUID) -> Membership:
    found = _find(connection, principal.org_id, user_id)
    if user_id == principal.user_id:
        raise Forbidden("Nobody changes the own membership; another administrator can.", code="own_membership")
    _allow(principal, found)
    return found


def _find(connection: Connection, org_id: UUID, user_id: UUID) -> Membership:
    # Two who change members at once wait for each other.
    connection.execute(text("select from organisations where org_id = :org for no key update"), {"org": org_id})
    query = text(f"{_MEMBERS} and m.user_id = :user")
    row = connection.execute(query, {"org": org_id, "user": user_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such member here.")
    return _membership(row)


def _allow(principal: Principal, found: Membership) -> None:
    if not includes(principal.role, found.role):
        raise Forbidden("Only an owner changes an owner.", code="role_above")
    if not is_within(found.account_scope, principal.account_scope):
        raise Forbidden("This member has accounts that you do not have.", code="account_outside")


def _take_back_invitations(connection: Connection, user_id: UUID) -> None:
    """What a member gave while it had more: an invitation to an address of its own would be the way back in."""
    query = (
        "update invitations set revoked_at = now()"
        " where invited_by = :user and accepted_at is null and revoked_at is null"
    )
    connection.execute(text(query), {"user": user_id})


def _keep_an_owner(connection: Connection, org_id: UUID) -> None:
    """Conflict unless another owner is left."""
    query = text("select count(*) from memberships where org_id = :org and role = 'owner'")
    if connection.execute(query, {"org": org_id}).scalar_one() < 2:  # noqa: PLR2004 - who goes and who stays
        raise Conflict("An organisation keeps an owner: make somebody else one first.", code="last_owner")


def _rights(member: Membership) -> dict[str, str]:
    return {"role": member.role, "accounts": member.account_scope}


def _membership(row: Any) -> Membership:
    return Membership(
        row.user_id,
        row.email,
        row.name,
        cast("Role", row.role),
        row.account_scope,
        row.second_factor,
        row.last_active_at,
    )
