"""The address of an account: verified by a mailed link, changed by one to the new address."""

from __future__ import annotations

from pydantic import BaseModel
from sqlalchemy import Connection

from adloom import audit
from adloom.accounts import attempts, post
from adloom.accounts.models import Email, LinkToken, person_of
from adloom.accounts.settings import Auth
from adloom.clock import real_now
from adloom.identity import mailed, people
from adloom.identity.people import Person
from adloom.mail import enqueue
from adloom.web import Guard, Principal, RequestModel
from adloom.web.models import Accepted
from adloom.web.public import VERIFY


class ChangeRequest(RequestModel):
    email: Email


class VerifyRequest(RequestModel):
    token: LinkToken


class Verified(BaseModel):
    email: str


def add(app: Auth) -> None:
    _add_verification(app)
    _add_change(app)


def _add_verification(app: Auth) -> None:
    @app.route_model(
        "POST",
        "/email/verification",
        guard=Guard.session(),
        summary="Mail me a link that verifies my address",
        status=202,
        problems=(409,),
    )
    def mail_verification(principal: Principal) -> Accepted:
        post.need_mails(app)
        user_id = person_of(principal)
        app.check_limit(attempts.MAILS, "verify-mail", str(user_id))
        with people.at_home(app.database(), user_id) as (connection, person):
            ask(app, connection, person, person.email)
            target = ("member", user_id)
            audit.record(connection, "email.verification_asked", org_id=person.home, target=target)
        return Accepted()

    @app.public(VERIFY, summary="Verify an address by the mailed link", problems=(404, 409))
    def verify_email(body: VerifyRequest) -> Verified:
        link = mailed.look(app.database(), body.token, "verify")
        with people.at_home(app.database(), link.user_id) as (connection, person):
            mailed.verify(connection, link)
            action = "email.verified" if link.email == person.email else "email.changed"
            old, new = {"email": person.email}, {"email": link.email}
            target, who = ("member", person.user_id), audit.by(person.user_id)
            audit.record(connection, action, org_id=person.home, target=target, old=old, new=new, actor=who)
            if link.email != person.email:
                data = {"name": person.name, "when": post.when()}
                enqueue(connection, person.home, person.user_id, "email_changed", data, address=person.email)
        return Verified(email=link.email)


def _add_change(app: Auth) -> None:
    @app.route_model(
        "POST",
        "/email",
        guard=Guard.session(fresh=True),
        summary="Change my address: it changes when the link that is mailed to it is opened",
        status=202,
        problems=(409,),
    )
    def change_email(body: ChangeRequest, principal: Principal) -> Accepted:
        """Whether the new address has an account already is said to its mailbox only, by nothing coming of it."""
        post.need_mails(app)
        user_id = person_of(principal)
        app.check_limit(attempts.MAILS, "verify-mail", str(user_id))
        with people.at_home(app.database(), user_id) as (connection, person):
            wanted = body.email.strip().lower()
            ask(app, connection, person, wanted)
            old, new = {"email": person.email}, {"email": wanted}
            target = ("member", user_id)
            audit.record(connection, "email.change_asked", org_id=person.home, target=target, old=old, new=new)
        return Accepted()


def ask(app: Auth, connection: Connection, person: Person, email: str) -> None:
    """Mail a link to an address that shall be this person's, in a transaction of the person's home."""
    token = mailed.ask_to_verify(connection, person, email)
    enqueue(
        connection,
        person.home,
        person.user_id,
        "verify_email",
        {"name": person.name, "email": email, "valid": mailed.said(mailed.VERIFY_LIFE)},
        address=email,
        link=post.sealed_link(app, "/verify", token),
        expires_at=real_now() + mailed.VERIFY_LIFE,
    )
