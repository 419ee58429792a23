"""Registration: an organisation of one's own, where the deployment lets people do that."""

from __future__ import annotations

from pydantic import BaseModel

from adloom import audit
from adloom.accounts import attempts, post
from adloom.accounts.models import Email, LinkToken, Member, Name, NewPassword, member
from adloom.accounts.settings import Auth
from adloom.errors import Forbidden
from adloom.identity import mailed, members
from adloom.identity.tokens import REGISTRATION_PREFIX, new_token
from adloom.web import RequestModel
from adloom.web.models import Accepted
from adloom.web.public import REGISTER, REGISTER_ACCEPT, SETUP_NEEDED


class RegistrationRequest(RequestModel):
    email: Email


class FinishRequest(RequestModel):
    token: LinkToken
    name: Name
    organisation: Name
    password: NewPassword


class Doors(BaseModel):
    """Which ways in there are."""

    needs_setup: bool
    registration: bool
    sends_mails: bool


def add(app: Auth) -> None:
    @app.public(SETUP_NEEDED, summary="Which ways in there are: set-up, registration, a forgotten password")
    def doors() -> Doors:
        return Doors(
            needs_setup=members.needs_setup(app.database()),
            registration=_is_open(app),
            sends_mails=app.settings().sends_mails,
        )

    @app.public(REGISTER, summary="Ask for a mail with a link to register", status=202, problems=(403,))
    def register(body: RegistrationRequest) -> Accepted:
        """The answer and the work are the same whether the address has an account or not."""
        _need_open(app)
        attempts.count(app, "register", body.email, None)
        attempts.count_mail(app, "register-mail", body.email, None)
        token = new_token(REGISTRATION_PREFIX)
        link, login = post.sealed_link(app, "/registration", token), post.seal(app, post.address(app, "/login"))
        mailed.ask_to_register(app.database(), body.email, token, link, login)
        audit.note_first(app.database(), "registration.asked", app.client_address(), org_id=None)
        return Accepted()

    @app.public(
        REGISTER_ACCEPT,
        summary="Make the organisation and its owner; then log in",
        status=201,
        problems=(403, 404, 409),
    )
    def finish(body: FinishRequest) -> Member:
        _need_open(app)
        password = body.password.get_secret_value()
        org_id, user_id = mailed.register(app.database(), body.token, body.organisation, body.name, password)
        return member(app.database(), org_id, user_id)


def _is_open(app: Auth) -> bool:
    return app.settings().registration == "on" and app.settings().sends_mails


def _need_open(app: Auth) -> None:
    if not _is_open(app):
        raise Forbidden("Registration is closed here: ask somebody for an invitation.", code="registration_closed")
