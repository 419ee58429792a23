"""Set-up and members."""

from __future__ import annotations

from adloom.accounts import email_routes
from adloom.accounts.models import Email, Member, Name, NewPassword, member
from adloom.accounts.settings import Auth
from adloom.errors import Forbidden
from adloom.identity import members, people
from adloom.identity.members import NewMember
from adloom.identity.roles import Role
from adloom.web import Guard, Principal, RequestModel


class SetupRequest(RequestModel):
    email: Email
    password: NewPassword
    name: Name
    organisation: Name


class UserRequest(RequestModel):
    email: Email
    password: NewPassword
    name: Name
    role: Role


def add(app: Auth) -> None:
    @app.route_model(
        "POST",
        "/setup",
        guard=Guard.operator(),
        summary="Make the first organisation and its owner",
        status=201,
        problems=(409,),
    )
    def set_up(body: SetupRequest) -> Member:
        demo = bool(app.settings().sandbox_url)
        owner = NewMember(body.email, body.name, body.password.get_secret_value(), "owner", demo=demo)
        org_id, user_id = members.set_up(app.database(), body.organisation, owner)
        if app.settings().sends_mails and not demo:
            with people.at_home(app.database(), user_id) as (connection, person):
                email_routes.ask(app, connection, person, person.email)
        return member(app.database(), org_id, user_id)

    @app.route_model(
        "POST", "/users", guard=Guard.role("owner", fresh=True), summary="Add a member", status=201, problems=(409,)
    )
    def add_user(body: UserRequest, principal: Principal) -> Member:
        """With the owner's own accounts: nobody gives what they do not have. Where anybody may register as an owner,
        owners invite instead: they would learn who has an account, and make some in the names of strangers.
        """
        if app.settings().registration == "on" and principal.kind == "user":
            raise Forbidden("Invite people here: registration is open.", code="invite_instead")
        password = body.password.get_secret_value()
        new = NewMember(body.email, body.name, password, body.role, principal.account_scope)
        user_id = members.create(app.database(), principal.org_id, new)
        return member(app.database(), principal.org_id, user_id)
