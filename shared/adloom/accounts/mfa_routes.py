"""The second step of a log-in, and the second factor of who is logged in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from adloom.accounts import attempts, logins, post, second_step
from adloom.accounts.logins import NewSession
from adloom.accounts.models import DeviceToken, person_of
from adloom.accounts.second_step import ChallengeToken, Code
from adloom.accounts.settings import Auth
from adloom.errors import Conflict, Forbidden, Unauthenticated
from adloom.identity import challenges, mfa, people, roster, sessions
from adloom.identity.challenges import Challenge, Purpose
from adloom.identity.people import Person
from adloom.mail import enqueue
from adloom.web import Guard, Principal, RequestModel
from adloom.web.public import LOGIN_CODE, LOGIN_ENROL, LOGIN_ENROL_CONFIRM


class CodeRequest(RequestModel):
    challenge: ChallengeToken
    code: Code = Field(description="Six digits of the app, or a recovery code")
    device: DeviceToken | None = None


class EnrolRequest(RequestModel):
    challenge: ChallengeToken


class ConfirmRequest(RequestModel):
    code: Code


class Authenticator(BaseModel):
    """What an authenticator app needs. It is shown this once and counts once a code of it was given."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(BaseModel):
    recovery_codes: list[str] = Field(description="Each works once in place of a code; they are shown this once")


class EnrolledSession(NewSession, RecoveryCodes):
    pass


class SecondFactor(BaseModel):
    enabled_at: datetime | None = Field(description="Null: there is none")
    recovery_codes_left: int
    required: bool = Field(description="Whether a role of mine asks for one")
    exempt: bool = Field(description="The demo's owner beside a sandbox: a role asks for one, and none is needed")


def add(app: Auth) -> None:
    _add_login(app)
    _add_own(app)
    _add_recovery(app)
    _add_others(app)


def _challenge(app: Auth, token: str, purpose: Purpose, device: str | None) -> Challenge:
    """The challenge, after counting the attempt; Unauthenticated when it is over."""
    found = challenges.look(app.database(), token)
    attempts.count(app, "code", found.email if found else "", device)
    if found is None or found.purpose != purpose:
        raise challenges.gone()
    return found


def _add_login(app: Auth) -> None:
    @app.public(LOGIN_CODE, summary="The second step of a log-in", problems=(401,))
    def give_code(body: CodeRequest) -> NewSession:
        challenge = _challenge(app, body.challenge, "code", body.device)
        try:
            method = second_step.require(app, challenge.who.user_id, body.code)
        except Unauthenticated:
            challenges.count_wrong(app.database(), challenge)
            raise
        challenges.claim(app.database(), challenge)
        return logins.open_session(app, challenge.who, body.device, [challenge.first, method])

    @app.public(LOGIN_ENROL, summary="Set up the second factor that the role asks for", problems=(401, 409))
    def enrol(body: EnrolRequest) -> Authenticator:
        challenge = challenges.look(app.database(), body.challenge)
        if challenge is None or challenge.purpose != "enrol":
            raise challenges.gone()
        return _begin(app, challenge.who.user_id, first=True)

    @app.public(LOGIN_ENROL_CONFIRM, summary="Take the second factor into use and log in", problems=(401, 409))
    def confirm_enrolment(body: CodeRequest) -> EnrolledSession:
        challenge = _challenge(app, body.challenge, "enrol", body.device)
        codes = _confirm(app, challenge.who.user_id, body.code, first=True)
        challenges.claim(app.database(), challenge)
        session = logins.open_session(app, challenge.who, body.device, [challenge.first, "totp"])
        return EnrolledSession(recovery_codes=codes, **session.model_dump())


def _begin(app: Auth, user_id: UUID, *, first: bool = False) -> Authenticator:
    with people.at_home(app.database(), user_id) as (connection, person):
        if first and person.confirmed_at is not None:
            raise Conflict("There is a second factor already; log in again.", code="mfa_on")
        shown = mfa.begin(connection, person, second_step.ring(app))
        second_step.note(connection, person, "mfa.begun")
    return Authenticator(**vars(shown))


def _confirm(app: Auth, user_id: UUID, code: str, *, first: bool = False) -> list[str]:
    with people.at_home(app.database(), user_id) as (connection, person):
        if first and person.confirmed_at is not None:
            raise Conflict("There is a second factor already; log in again.", code="mfa_on")
        codes = mfa.confirm(connection, person, second_step.ring(app), code)
        enqueue(connection, person.home, user_id, "mfa_on", second_step.told(app, person))
        second_step.note(connection, person, "mfa.enabled")
        # Whoever has a session that knew no second factor starts again.
        if first:
            sessions.end_all(connection, user_id, because="password")
    return codes


def _add_own(app: Auth) -> None:
    @app.route_model("GET", "/mfa", guard=Guard.session(), summary="My second factor")
    def second_factor(principal: Principal) -> SecondFactor:
        with people.at_home(app.database(), person_of(principal)) as (connection, person):
            required = second_step.is_required(app, person)
            return SecondFactor(
                enabled_at=person.confirmed_at,
                recovery_codes_left=mfa.recovery_codes_left(connection, person.user_id),
                required=required,
                exempt=person.privileged and not required,
            )

    @app.route_model(
        "POST",
        "/mfa/authenticator",
        guard=Guard.session(fresh=True),
        summary="Begin with an authenticator app, also with another one",
        status=201,
    )
    def begin(principal: Principal) -> Authenticator:
        return _begin(app, person_of(principal))

    @app.route_model(
        "POST",
        "/mfa/authenticator/confirm",
        guard=Guard.session(fresh=True),
        summary="Take the app into use: new recovery codes, a new token, and all my other sessions end",
        problems=(409,),
    )
    def confirm(body: ConfirmRequest, principal: Principal) -> EnrolledSession:
        user_id = person_of(principal)
        app.check_limit(attempts.ATTEMPTS, "confirm", str(user_id))
        codes = _confirm(app, user_id, body.code)
        with app.database().tenant(principal.org_id) as connection:
            first = [each for each in sessions.methods_of(connection, principal) if each in ("password", "sso")]
            session = sessions.renew(connection, principal, [*first, "totp"])
            sessions.end_all(connection, user_id, but=principal.session_id, because="password")
        return EnrolledSession(recovery_codes=codes, **logins.shown(app, session).model_dump())


def _add_recovery(app: Auth) -> None:
    @app.route_model(
        "POST", "/mfa/recovery-codes", guard=Guard.session(fresh=True), summary="New recovery codes", problems=(409,)
    )
    def recovery_codes(principal: Principal) -> RecoveryCodes:
        with people.at_home(app.database(), person_of(principal)) as (connection, person):
            codes = mfa.new_recovery_codes(connection, person)
            tell = second_step.told(app, person)
            enqueue(connection, person.home, person.user_id, "recovery_codes_new", tell)
            second_step.note(connection, person, "mfa.recovery_codes_made")
        return RecoveryCodes(recovery_codes=codes)

    @app.route_model(
        "DELETE",
        "/mfa/authenticator",
        guard=Guard.session(fresh=True),
        summary="Do without a second factor; all my other sessions end",
        status=204,
        problems=(409,),
    )
    def remove(principal: Principal) -> None:
        with people.at_home(app.database(), person_of(principal)) as (connection, person):
            if second_step.is_required(app, person):
                raise Conflict("Your role asks for a second factor. You can set up another one.", code="mfa_required")
            sessions.end_all(connection, person.user_id, but=principal.session_id, because="password")
            _remove(connection, person, "You turned it off.")


def _remove(connection: Connection, person: Person, reason: str) -> None:
    if mfa.remove(connection, person.user_id):
        tell = {"name": person.name, "when": post.when(), "reason": reason}
        enqueue(connection, person.home, person.user_id, "mfa_off", tell)
        second_step.note(connection, person, "mfa.disabled")


def _add_others(app: Auth) -> None:
    @app.route_model(
        "DELETE",
        "/members/<user_id>/mfa",
        guard=Guard.role("admin", fresh=True),
        summary="Take away a member's lost second factor; all the member's sessions end",
        status=204,
    )
    def reset_mfa(user_id: UUID, principal: Principal) -> None:
        """Only where the person is at home: nobody weakens a log-in that belongs to another organisation."""
        roster.may_change(app.database(), principal, user_id)
        with people.at_home(app.database(), user_id) as (connection, person):
            if person.home != principal.org_id:
                raise Forbidden("This person's log-in belongs to another organisation.", code="not_at_home")
            sessions.end_all(connection, user_id, because="admin")
            _remove(connection, person, "An administrator took it away.")
