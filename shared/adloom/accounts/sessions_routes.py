"""Sessions: log in, look, log out."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from adloom.accounts.models import Email, GivenPassword, Member, Organisation, User, member
from adloom.accounts.settings import Auth
from adloom.errors import Forbidden
from adloom.identity import sessions
from adloom.identity.principal import Kind
from adloom.identity.roles import Role
from adloom.web import Guard, Principal, RequestModel
from adloom.web.public import LOGIN

# One person at one address who mistypes; what guesses passwords is faster.
ATTEMPTS = "5/minute"


class LoginRequest(RequestModel):
    email: Email
    password: GivenPassword


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


def add(app: Auth) -> None:
    _add_login(app)

    @app.route_model("POST", "/logout", guard=Guard.session(), summary="End this session", status=204)
    def log_out(principal: Principal) -> None:
        if principal.session_id is None:
            raise Forbidden("The operator key has no session that could end.", code="no_session")
        sessions.log_out(app.database(), principal)

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
        )


def _add_login(app: Auth) -> None:
    @app.public(LOGIN, summary="Start a session", problems=(401,))
    def log_in(body: LoginRequest) -> NewSession:
        app.check_limit(ATTEMPTS, "login", app.client_address(), body.email.lower())
        password = body.password.get_secret_value()
        session = sessions.log_in(app.database(), body.email, password, app.session_policy)
        return _shown(app, session)


def _shown(app: Auth, session: sessions.Session) -> NewSession:
    found = member(app.database(), session.org_id, session.user_id)
    return NewSession(
        token=session.token, expires_at=session.expires_at, user=found.user, organisation=found.organisation
    )


def _who(app: Auth, principal: Principal) -> tuple[User | None, Organisation | None]:
    if principal.user_id is not None:
        found = member(app.database(), principal.org_id, principal.user_id)
        return found.user, found.organisation
    if principal.organisation_id is not None:
        name = sessions.organisation_name(app.database(), principal.org_id)
        return None, Organisation(org_id=principal.org_id, name=name)
    return None, None
