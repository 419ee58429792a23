"""Sessions: log in, look, prove again, switch, log out, and end those that are elsewhere."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from adloom.accounts import attempts, logins, second_step
from adloom.accounts.logins import NewSession
from adloom.accounts.models import DeviceToken, Email, Ended, GivenPassword, Organisation, User, member, person_of
from adloom.accounts.second_step import Code, LoginAnswer
from adloom.accounts.settings import Auth
from adloom.errors import NotFound
from adloom.identity import devices, listing, naming, proof, sessions
from adloom.identity.principal import Kind
from adloom.identity.roles import Role
from adloom.web import Guard, Principal, RequestModel
from adloom.web.public import LOGIN


class LoginRequest(RequestModel):
    email: Email
    password: GivenPassword
    device: DeviceToken | None = Field(default=None, description="What an earlier log-in of this browser answered")


class StepUpRequest(RequestModel):
    password: GivenPassword
    code: Code | None = Field(default=None, description="Of the authenticator app, or a recovery code, if there is one")


class SwitchRequest(RequestModel):
    org_id: UUID


class CurrentSession(BaseModel):
    """`user` is null for the operator, `organisation` too where none exists or several do and none is named."""

    kind: Kind
    user: User | None
    organisation: Organisation | None
    role: Role
    account_scope: str = Field(description="* or the internal ids of the accounts that are visible, comma separated")
    expires_at: datetime | None
    authenticated_at: datetime | None = Field(description="When the person last proved who it is")


class KnownSession(BaseModel):
    session_id: UUID
    organisation: Organisation
    device: str
    address: str
    place: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = Field(description="Whether it is the one that asks")


class KnownSessions(BaseModel):
    sessions: list[KnownSession]


class MyOrganisation(Organisation):
    role: Role


class MyOrganisations(BaseModel):
    organisations: list[MyOrganisation]


def add(app: Auth) -> None:
    _add_login(app)
    _add_current(app)
    _add_proofs(app)
    _add_others(app)


def _add_login(app: Auth) -> None:
    @app.public(LOGIN, summary="Start a session", problems=(401,))
    def log_in(body: LoginRequest) -> LoginAnswer:
        attempts.count(app, "login", body.email, body.device)
        who = proof.check_password(app.database(), body.email, body.password.get_secret_value())
        return second_step.after_password(app, who, body.device)

    @app.route_model("POST", "/logout", guard=Guard.session(), summary="End this session", status=204)
    def log_out(principal: Principal) -> None:
        person_of(principal)
        sessions.log_out(app.database(), principal)


def _add_current(app: Auth) -> None:
    @app.route_model("GET", "/session", guard=Guard.session(), summary="Who I am")
    def current_session(principal: Principal) -> CurrentSession:
        user, organisation = _who(app, principal)
        return CurrentSession(
            kind=principal.kind,
            user=user,
            organisation=organisation,
            role=principal.role,
            account_scope=principal.account_scope,
            expires_at=principal.expires_at,
            authenticated_at=principal.authenticated_at,
        )

    @app.route_model("GET", "/organisations", guard=Guard.session(), summary="The organisations I am a member of")
    def organisations(principal: Principal) -> MyOrganisations:
        found = listing.organisations(app.database(), person_of(principal))
        return MyOrganisations(organisations=[MyOrganisation(**vars(each)) for each in found])


def _add_proofs(app: Auth) -> None:
    @app.route_model(
        "POST", "/session/step-up", guard=Guard.session(), summary="Prove again who I am; the token is a new one"
    )
    def step_up(body: StepUpRequest, principal: Principal) -> NewSession:
        user_id = person_of(principal)
        app.check_limit(attempts.ATTEMPTS, "step-up", str(user_id))
        proof.check_own_password(app.database(), user_id, body.password.get_secret_value())
        methods = ["password", *second_step.require_where_there_is_one(app, user_id, body.code)]
        with app.database().tenant(principal.org_id) as connection:
            session = sessions.renew(connection, principal, methods)
        return logins.shown(app, session)

    @app.route_model(
        "POST",
        "/session/switch",
        guard=Guard.session(),
        summary="Go on in another organisation; the token is a new one",
    )
    def switch(body: SwitchRequest, principal: Principal) -> NewSession:
        user_id = person_of(principal)
        session = sessions.switch(app.database(), principal, body.org_id, second_step.admits(app, user_id))
        return logins.shown(app, session)


def _add_others(app: Auth) -> None:
    @app.route_model("GET", "/sessions", guard=Guard.session(), summary="My sessions, in all organisations")
    def my_sessions(principal: Principal) -> KnownSessions:
        found = listing.sessions(app.database(), person_of(principal))
        return KnownSessions(sessions=[_known(each, principal) for each in found])

    @app.route_model(
        "DELETE",
        "/sessions/<session_id>",
        guard=Guard.session(fresh=True),
        summary="End one of my sessions",
        status=204,
    )
    def end_session(session_id: UUID, principal: Principal) -> None:
        user_id = person_of(principal)
        with app.database().tenant(principal.org_id) as connection:
            if not sessions.end_all(connection, user_id, only=session_id, because="revoked"):
                raise NotFound("You have no such session.")

    @app.route_model(
        "DELETE",
        "/sessions",
        guard=Guard.session(fresh=True),
        summary="End all my sessions but this one, and forget all other browsers",
    )
    def end_others(principal: Principal) -> Ended:
        user_id = person_of(principal)
        with app.database().tenant(principal.org_id) as connection:
            ended = sessions.end_all(connection, user_id, but=principal.session_id, because="revoked")
            devices.forget(connection, user_id, but=sessions.device_of(connection, principal))
        return Ended(ended=ended)


def _known(each: listing.KnownSession, principal: Principal) -> KnownSession:
    shown = dict(vars(each))
    organisation = Organisation(org_id=shown.pop("org_id"), name=shown.pop("organisation"))
    return KnownSession(**shown, organisation=organisation, current=each.session_id == principal.session_id)


def _who(app: Auth, principal: Principal) -> tuple[User | None, Organisation | None]:
    if principal.user_id is not None:
        found = member(app.database(), principal.org_id, principal.user_id)
        return found.user, found.organisation
    if principal.organisation_id is not None:
        name = naming.organisation_name(app.database(), principal.org_id)
        return None, Organisation(org_id=principal.org_id, name=name)
    return None, None
