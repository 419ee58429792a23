"""Invitations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from adloom.accounts import post
from adloom.accounts.members_routes import Accounts
from adloom.accounts.models import Email, LinkToken, Member, Name, NewPassword, Organisation, member, person_of
from adloom.accounts.settings import Auth
from adloom.clock import real_now
from adloom.identity import account_scope, invitations, naming, people
from adloom.identity.mailed import said
from adloom.identity.principal import ALL_ACCOUNTS
from adloom.identity.roles import Role
from adloom.mail import enqueue
from adloom.web import Guard, Principal, RequestModel
from adloom.web.public import INVITATION_ACCEPT, INVITATION_LOOK

# An agency that brings in its whole team at once; what writes to strangers is faster.
INVITATIONS = "30/hour"


class InvitationRequest(RequestModel):
    email: Email
    role: Role
    accounts: Accounts | None = Field(default=None, description="Our ids of the accounts to see; null: all of them")


class LinkRequest(RequestModel):
    token: LinkToken


class AcceptRequest(LinkRequest):
    name: Name
    password: NewPassword


class OpenInvitation(BaseModel):
    invitation_id: UUID
    email: str
    role: Role
    accounts: list[int] | None = Field(description="Null: all of them")
    created_at: datetime
    expires_at: datetime


class OpenInvitations(BaseModel):
    invitations: list[OpenInvitation]


class Invited(BaseModel):
    invitation_id: UUID


class InvitationShown(BaseModel):
    organisation: str
    inviter: str
    email: str
    role: Role
    has_account: bool = Field(description="Whether the address has an account, to join with by POST /invitations/join")


def add(app: Auth) -> None:
    _add_inviting(app)
    _add_open_ones(app)
    _add_for_the_invited(app)


def _add_inviting(app: Auth) -> None:
    @app.route_model(
        "POST",
        "/invitations",
        guard=Guard.role("admin", fresh=True),
        summary="Invite somebody by mail",
        status=201,
        problems=(409,),
    )
    def invite(body: InvitationRequest, principal: Principal) -> Invited:
        post.need_mails(app)
        app.check_limit(INVITATIONS, "invite", str(principal.org_id))
        inviter, organisation = _names(app, principal)
        scope = account_scope.written(body.accounts) if body.accounts else ALL_ACCOUNTS
        with app.database().tenant(principal.org_id) as connection:
            invitation_id, token = invitations.invite(connection, principal, body.email, body.role, scope)
            enqueue(
                connection,
                principal.org_id,
                None,
                "invitation",
                {"inviter": inviter, "organisation": organisation, "role": body.role, "valid": said(invitations.LIFE)},
                address=body.email.strip().lower(),
                link=post.sealed_link(app, "/invitation", token),
                expires_at=real_now() + invitations.LIFE,
            )
        return Invited(invitation_id=invitation_id)


def _add_open_ones(app: Auth) -> None:
    @app.route_model("GET", "/invitations", guard=Guard.role("admin"), summary="Open invitations")
    def open_invitations(principal: Principal) -> OpenInvitations:
        found = invitations.every(app.database(), principal.org_id)
        return OpenInvitations(invitations=[_shown(each) for each in found])

    @app.route_model(
        "DELETE",
        "/invitations/<invitation_id>",
        guard=Guard.role("admin", fresh=True),
        summary="Take an invitation back",
        status=204,
    )
    def revoke(invitation_id: UUID, principal: Principal) -> None:
        invitations.revoke(app.database(), principal, invitation_id)


def _add_for_the_invited(app: Auth) -> None:
    @app.public(INVITATION_LOOK, summary="What an invitation is for", problems=(404,))
    def look(body: LinkRequest) -> InvitationShown:
        found = invitations.look(app.database(), body.token)
        return InvitationShown(
            organisation=found.organisation,
            inviter=found.inviter,
            email=found.email,
            role=found.role,
            has_account=found.has_account,
        )

    @app.public(
        INVITATION_ACCEPT,
        summary="Accept an invitation with a new account; then log in",
        status=201,
        problems=(404, 409),
    )
    def accept(body: AcceptRequest) -> Member:
        found = invitations.look(app.database(), body.token)
        user_id = invitations.accept(app.database(), found, body.name, body.password.get_secret_value())
        return member(app.database(), found.org_id, user_id)

    @app.route_model(
        "POST",
        "/invitations/join",
        guard=Guard.session(),
        summary="Accept an invitation with my account; then switch to the organisation",
        problems=(404,),
    )
    def join(body: LinkRequest, principal: Principal) -> Organisation:
        user_id = person_of(principal)
        found = invitations.look(app.database(), body.token)
        invitations.join(app.database(), found, user_id, people.by_id(app.database(), user_id).email)
        return Organisation(org_id=found.org_id, name=found.organisation)


def _names(app: Auth, principal: Principal) -> tuple[str, str]:
    """Who invites, and where to."""
    if principal.user_id is None:
        return "Adloom", naming.organisation_name(app.database(), principal.org_id)
    found = naming.describe(app.database(), principal.org_id, principal.user_id)
    return found.user_name, found.organisation


def _shown(each: invitations.Open) -> OpenInvitation:
    values = dict(vars(each))
    return OpenInvitation(**values, accounts=account_scope.ids(values.pop("account_scope")))
