"""A forgotten password, and another one."""

from __future__ import annotations

from adloom import audit
from adloom.accounts import attempts, logins, post, second_step
from adloom.accounts.logins import NewSession
from adloom.accounts.models import DeviceToken, Email, GivenPassword, LinkToken, NewPassword, person_of
from adloom.accounts.settings import Auth
from adloom.identity import devices, mailed, password_rules, passwords, people, proof, sessions
from adloom.identity.tokens import RESET_PREFIX, new_token
from adloom.mail import enqueue
from adloom.web import Guard, Principal, RequestModel
from adloom.web.client_address import limit_key
from adloom.web.models import Accepted
from adloom.web.public import RESET, RESET_ASK


class ForgottenRequest(RequestModel):
    email: Email
    device: DeviceToken | None = None


class ResetRequest(RequestModel):
    token: LinkToken
    password: NewPassword


class ChangeRequest(RequestModel):
    current: GivenPassword
    password: NewPassword


def add(app: Auth) -> None:
    _add_reset(app)

    @app.route_model(
        "POST",
        "/password",
        guard=Guard.session(fresh=True),
        summary="Change my password: all my other sessions end, and the token is a new one",
    )
    def change_password(body: ChangeRequest, principal: Principal) -> NewSession:
        user_id = person_of(principal)
        app.check_limit(attempts.ATTEMPTS, "change", str(user_id))
        proof.check_own_password(app.database(), user_id, body.current.get_secret_value())
        person = people.by_id(app.database(), user_id)
        password = body.password.get_secret_value()
        password_rules.check(password, person.name, person.email)
        new_hash = passwords.hash_password(password)
        with people.at_home(app.database(), user_id) as (connection, person):
            mailed.set_password(connection, user_id, new_hash, but=principal.session_id)
            audit.record(connection, "password.changed", org_id=person.home, target=("member", user_id))
            enqueue(connection, person.home, user_id, "password_changed", second_step.told(app, person))
        with app.database().tenant(principal.org_id) as connection:
            session = sessions.renew(connection, principal, sessions.methods_of(connection, principal))
        return logins.shown(app, session)


def _add_reset(app: Auth) -> None:
    @app.public(RESET_ASK, summary="Ask for a mail with a link to choose another password", status=202, problems=(409,))
    def forgotten(body: ForgottenRequest) -> Accepted:
        """The answer and the work are the same whether there is such an account or not."""
        post.need_mails(app)
        attempts.count(app, "reset", body.email, body.device)
        attempts.count_mail(app, "reset-mail", body.email, body.device)
        token = new_token(RESET_PREFIX)
        mailed.ask_for_reset(app.database(), body.email, token, post.sealed_link(app, "/reset", token))
        # In the deployment's chain and without an address: which organisation it is about would say who exists.
        audit.note_first(app.database(), "password.reset_asked", app.client_address(), org_id=None)
        return Accepted()

    @app.public(RESET, summary="Choose another password: all sessions end; then log in", status=204, problems=(404,))
    def reset(body: ResetRequest) -> None:
        """It logs nobody in, and the second factor stays what it is."""
        app.check_limit("20/minute", "reset-link", limit_key(app.client_address()))
        link = mailed.look(app.database(), body.token, "reset")
        new_hash = mailed.check_new_password(link, body.password.get_secret_value())
        with people.at_home(app.database(), link.user_id) as (connection, person):
            mailed.claim(connection, link, "reset")
            mailed.set_password(connection, link.user_id, new_hash)
            target, who = ("member", link.user_id), audit.by(link.user_id)
            audit.record(connection, "password.reset", org_id=person.home, target=target, actor=who)
            if link.email == person.email:
                mailed.mark_verified(connection, link.user_id)
            devices.forget(connection, link.user_id)
            enqueue(connection, person.home, link.user_id, "password_changed", second_step.told(app, person))
