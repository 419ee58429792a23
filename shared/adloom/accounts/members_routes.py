"""Members of an organisation: their roles, their accounts and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from adloom.accounts.models import Ended
from adloom.accounts.settings import Auth
from adloom.identity import account_scope, roster
from adloom.identity.principal import ALL_ACCOUNTS
from adloom.identity.roles import Role
from adloom.web import Guard, Id, Principal, RequestModel

# As many as a scope is long enough for; an agency's largest customers have some hundreds.
Accounts = Annotated[list[Id], Field(min_length=1, max_length=1000)]


class MemberChange(RequestModel):
    """What is not said stays as it is."""

    role: Role | None = None
    accounts: Accounts | None = Field(default=None, description="Our ids of the accounts that the member sees")
    all_accounts: bool = Field(default=False, description="The member sees all accounts, also those to come")


class MemberOf(BaseModel):
    user_id: UUID
    email: str
    name: str
    role: Role
    accounts: list[int] | None = Field(description="Null: all of them")
    second_factor: bool
    last_active_at: datetime | None = Field(description="In this organisation; null: not in the last weeks")


class Members(BaseModel):
    members: list[MemberOf]


def add(app: Auth) -> None:
    @app.route_model(
        "GET",
        "/members",
        guard=Guard.role("admin", scope="members:read"),
        summary="The organisation's members",
    )
    def members(principal: Principal) -> Members:
        return Members(members=[_shown(each) for each in roster.every(app.database(), principal.org_id)])

    @app.route_model(
        "PATCH",
        "/members/<user_id>",
        guard=Guard.role("admin", fresh=True),
        summary="Give a member another role or other accounts; the member's sessions end",
        problems=(409,),
    )
    def change_member(user_id: UUID, body: MemberChange, principal: Principal) -> MemberOf:
        return _shown(roster.change(app.database(), principal, user_id, body.role, _scope(body)))

    @app.route_model(
        "DELETE",
        "/members/<user_id>",
        guard=Guard.role("admin", fresh=True),
        summary="Take a member out of the organisation",
        status=204,
        problems=(409,),
    )
    def remove_member(user_id: UUID, principal: Principal) -> None:
        roster.remove(app.database(), principal, user_id)

    @app.route_model(
        "DELETE",
        "/members/<user_id>/sessions",
        guard=Guard.role("admin", fresh=True),
        summary="End a member's sessions in this organisation",
    )
    def end_sessions_of_member(user_id: UUID, principal: Principal) -> Ended:
        return Ended(ended=roster.end_sessions(app.database(), principal, user_id))


def _scope(body: MemberChange) -> str | None:
    if body.all_accounts:
        return ALL_ACCOUNTS
    return account_scope.written(body.accounts) if body.accounts else None


def _shown(each: roster.Membership) -> MemberOf:
    return MemberOf(
        user_id=each.user_id,
        email=each.email,
        name=each.name,
        role=each.role,
        accounts=account_scope.ids(each.account_scope),
        second_factor=each.second_factor,
        last_active_at=each.last_active_at,
    )
