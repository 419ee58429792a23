"""The second step of a log-in, and whoever needs one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel, StringConstraints
from sqlalchemy import Connection

from adloom import audit, logs
from adloom.accounts import logins, post
from adloom.accounts.logins import NewSession
from adloom.accounts.settings import Auth
from adloom.errors import Forbidden, TooManyRequests, Unauthenticated
from adloom.identity import challenges, mfa, people
from adloom.identity.mfa import Outcome
from adloom.identity.people import Person
from adloom.identity.proof import Proven
from adloom.identity.roles import Role
from adloom.keyring import KeyRing
from adloom.mail import enqueue

# An app's six digits or a recovery code, with whatever people put between.
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ChallengeToken = Annotated[str, StringConstraints(min_length=1, max_length=100)]
PRIVILEGED: tuple[Role, ...] = ("owner", "admin")

log = logs.get(__name__)


class LoginChallenge(BaseModel):
    """The first step was right, and something is missing."""

    next: Literal["code", "enrol"] = Field(
        description="code: POST /login/code. enrol: the role asks for a second factor; POST /login/enrol"
    )
    challenge: str = Field(description="Send it with the next step; it is shown this once")
    expires_at: datetime


class LoginAnswer(RootModel[NewSession | LoginChallenge]):
    """A session, or what is missing for one."""


def ring(app: Auth) -> KeyRing:
    return KeyRing(lambda: app.secret("mfa_ring"), "mfa-ring")


def is_required(app: Auth, person: Person) -> bool:
    return person.needs_second_factor(sandbox=bool(app.settings().sandbox_url))


def after_password(app: Auth, who: Proven, device: str | None) -> LoginAnswer:
    """A session for whoever needs no second factor and has none; else the challenge of the next step."""
    missing = _missing(app, who)
    return LoginAnswer(
        _challenge(app, who, missing) if missing else logins.open_session(app, who, device, ["password"])
    )


def after_identity(app: Auth, who: Proven, identity_id: UUID, device_hash: bytes | None) -> NewSession | LoginChallenge:
    """The same for whoever showed an identity of a provider: it stands in for the password and for nothing else."""
    if missing := _missing(app, who):
        return _challenge(app, who, missing, identity_id)
    return logins.open_session(app, who, None, ["sso"], device_hash=device_hash)


def _missing(app: Auth, who: Proven) -> challenges.Purpose | None:
    """What somebody who was right so far has still to do."""
    person = people.by_id(app.database(), who.user_id)
    if person.confirmed_at is not None:
        return "code"
    return "enrol" if is_required(app, person) else None


def _challenge(app: Auth, who: Proven, purpose: challenges.Purpose, identity_id: UUID | None = None) -> LoginChallenge:
    issued = challenges.issue(app.database(), who, purpose, identity_id)
    return LoginChallenge(next=purpose, challenge=issued.token, expires_at=issued.expires_at)


def check(app: Auth, user_id: UUID, code: str) -> Outcome:
    """Look at a code of this person's; what is odd about it is mailed. The count of wrong ones is kept in any case."""
    with people.at_home(app.database(), user_id) as (connection, person):
        outcome = mfa.check(connection, person, ring(app), code)
        if outcome is Outcome.RECOVERED:
            left = mfa.recovery_codes_left(connection, user_id)
            tell = told(app, person) | {"left": str(left)}
            enqueue(connection, person.home, user_id, "recovery_code_used", tell)
            note(connection, person, "mfa.recovery_code_used", codes_left=left)
        if outcome in (Outcome.WRONG, Outcome.LOCKED_NOW, Outcome.LOCKED):
            log.warning("mfa_failed", user_id=str(user_id), outcome=outcome.value)
        if outcome in (Outcome.WRONG, Outcome.LOCKED_NOW):  # no more often than codes are looked at
            note(connection, person, "mfa.failed", locked=outcome is Outcome.LOCKED_NOW)
        if outcome is Outcome.LOCKED_NOW:
            enqueue(connection, person.home, user_id, "wrong_codes", told(app, person))
    return outcome


def note(connection: Connection, person: Person, action: str, **said: object) -> None:
    """An event about a person's second factor, in a transaction of the person's home."""
    who, target = audit.by(person.user_id), ("member", person.user_id)
    if action == "mfa.failed":
        who = audit.actor()  # a wrong code proves nothing of anybody
    audit.record(connection, action, org_id=person.home, target=target, new=said or None, actor=who)


def require(app: Auth, user_id: UUID, code: str) -> str:
    """The method that the code stands for; Unauthenticated when it is wrong, TooManyRequests while it is locked."""
    outcome = check(app, user_id, code)
    if outcome is Outcome.LOCKED:
        raise TooManyRequests(
            "Too many wrong codes. Wait up to an hour, or use a recovery code.", code="codes_locked", retry_after=60
        )
    if outcome not in (Outcome.RIGHT, Outcome.RECOVERED):
        raise Unauthenticated("The code is wrong, or was used already.", code="wrong_code")
    return "recovery" if outcome is Outcome.RECOVERED else "totp"


def require_where_there_is_one(app: Auth, user_id: UUID, code: str | None) -> list[str]:
    """For whoever proves again who it is: the second factor too, if there is one. The methods that it adds."""
    person = people.by_id(app.database(), user_id)
    if person.confirmed_at is None:
        return []
    if code is None:
        raise Forbidden("Give a code of your authenticator app too.", code="code_needed")
    try:
        return [require(app, user_id, code)]
    except Unauthenticated as error:  # the session itself is good
        raise Forbidden(error.detail, code=error.code) from error


def admits(app: Auth, user_id: UUID) -> Callable[[Role], None]:
    """What keeps a person without a second factor from a session in a role that asks for one."""
    person = people.by_id(app.database(), user_id)
    lacks = person.confirmed_at is None and is_required(app, person)

    def admit(role: Role) -> None:
        if lacks and role in PRIVILEGED:
            raise Forbidden("Your role there asks for a second factor; log in again to set one up.", code="mfa_needed")

    return admit


def told(app: Auth, person: Person) -> dict[str, str]:
    """What mails about the security of an account say."""
    return {
        "name": person.name,
        "when": post.when(),
        "address": app.client_address(),
    }
