"""Users and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from adloom.errors import Forbidden
from adloom.identity import members, passwords, sessions
from adloom.identity.members import NewMember
from adloom.identity.principal import Kind
from adloom.identity.roles import Role
from adloom.settings import CoreSettings, DatabaseSettings, EventSettings, OperatorSettings
from adloom.web import Guard, Principal, RequestModel, create_function, openfaas
from adloom.web.public import LOGIN

# One person at one address who mistypes; what guesses passwords is faster.
ATTEMPTS = "5/minute"

# Printable ASCII: what a mail server takes without further agreement, and what every database lowers alike.
Email = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,255}$", max_length=320)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
NewPassword = Annotated[SecretStr, Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH)]


class AuthSettings(CoreSettings, DatabaseSettings, EventSettings, OperatorSettings):
    pass


class SetupRequest(RequestModel):
    email: Email
    password: NewPassword
    name: Name
    organisation: Name


class LoginRequest(RequestModel):
    email: Email
    password: Annotated[SecretStr, Field(min_length=1, max_length=passwords.MAX_LENGTH)]


class UserRequest(RequestModel):
    email: Email
    password: NewPassword
    name: Name
    role: Role


class User(BaseModel):
    user_id: UUID
    email: str
    name: str
    role: Role


class Organisation(BaseModel):
    org_id: UUID
    name: str


class Member(BaseModel):
    user: User
    organisation: Organisation


class NewSession(Member):
    token: str = Field(description="Send it as Authorization: Bearer; it is shown this once")
    expires_at: datetime


class CurrentSession(BaseModel):
    """`user` is null for the operator, `organisation` too where none exists or several do and none is named."""

    kind: Kind
    user: User | None
    organisation: Organisation | None
    role: Role
    account_scope: str = Field(description="* or the internal ids of the accounts that are visible, comma separated")
    expires_at: datetime | None


app = create_function("auth", AuthSettings)


@app.on_start
def accept_operator_key() -> None:
    key = app.settings().operator_key.get_secret_value()
    members.register_operator_key(app.database(), key, "deployment")


@app.route_model(
    "POST",
    "/setup",
    guard=Guard.operator(),
    summary="Make the first organisation and its owner",
    status=201,
    problems=(409,),
)
def set_up(body: SetupRequest) -> Member:
    owner = NewMember(body.email, body.name, body.password.get_secret_value(), "owner")
    org_id, user_id = members.set_up(app.database(), body.organisation, owner)
    return _member(org_id, user_id)


@app.public(LOGIN, summary="Start a session", problems=(401,))
def log_in(body: LoginRequest) -> NewSession:
    app.check_limit(ATTEMPTS, "login", app.client_address(), body.email.lower())
    password = body.password.get_secret_value()
    session = sessions.log_in(app.database(), body.email, password, app.session_policy)
    member = _member(session.org_id, session.user_id)
    return NewSession(
        token=session.token, expires_at=session.expires_at, user=member.user, organisation=member.organisation
    )


@app.route_model("POST", "/logout", guard=Guard.session(), summary="End this session", status=204)
def log_out(principal: Principal) -> None:
    if principal.session_id is None:
        raise Forbidden("The operator key has no session that could end.", code="no_session")
    sessions.log_out(app.database(), principal)


@app.route_model("GET", "/session", guard=Guard.session(), summary="Who I am")
def current_session(principal: Principal) -> CurrentSession:
    user, organisation = None, None
    if principal.user_id is not None:
        member = _member(principal.org_id, principal.user_id)
        user, organisation = member.user, member.organisation
    elif principal.organisation_id is not None:
        name = sessions.organisation_name(app.database(), principal.org_id)
        organisation = Organisation(org_id=principal.org_id, name=name)
    return CurrentSession(
        kind=principal.kind,
        user=user,
        organisation=organisation,
        role=principal.role,
        account_scope=principal.account_scope,
        expires_at=principal.expires_at,
    )


@app.route_model("POST", "/users", guard=Guard.role("owner"), summary="Add a member", status=201, problems=(409,))
def add_user(body: UserRequest, principal: Principal) -> Member:
    member = NewMember(body.email, body.name, body.password.get_secret_value(), body.role)
    user_id = members.create(app.database(), principal.org_id, member)
    return _member(principal.org_id, user_id)


@app.tick
def forget_old_sessions() -> None:
    sessions.purge(app.database())


def _member(org_id: UUID, user_id: UUID) -> Member:
    found = sessions.describe(app.database(), org_id, user_id)
    return Member(
        user=User(user_id=found.user_id, email=found.email, name=found.user_name, role=found.role),
        organisation=Organisation(org_id=found.org_id, name=found.organisation),
    )


handle = openfaas(app)
