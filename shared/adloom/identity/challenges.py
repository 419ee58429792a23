"""Between the two steps of a log-in. A challenge says that the first step was right; it opens nothing by itself.

It lives for ten minutes, for five wrong codes, and no longer than the password or the identity it was given for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import text

from adloom import audit
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import Unauthenticated
from adloom.identity.proof import Proven
from adloom.identity.tokens import CHALLENGE_PREFIX, new_token, token_hash

# `code`: give a code. `enrol`: set up an authenticator app first, because the role asks for one.
Purpose = Literal["code", "enrol"]
# What was right: the password, or an identity of a provider.
FirstStep = Literal["password", "sso"]

LIFE = timedelta(minutes=10)
MOST_WRONG = 5


@dataclass(frozen=True)
class Issued:
    """A challenge for its holder; `token` is shown this once."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Challenge:
    """A challenge that is alive."""

    hash: bytes
    who: Proven
    purpose: Purpose
    email: str
    first: FirstStep


def issue(database: Database, who: Proven, purpose: Purpose, identity_id: UUID | None = None) -> Issued:
    """A challenge for somebody who gave the right password, or showed the identity that is named."""
    made = Issued(new_token(CHALLENGE_PREFIX), real_now() + LIFE)
    with database.tenant(who.org_id) as connection:
        connection.execute(
            text(
                "insert into login_challenges (token_hash, org_id, user_id, purpose, password_mark, identity_id,"
                " expires_at) values (:hash, :org, :user, :purpose, case when cast(:identity as uuid) is null then"
                " (select sha256(convert_to(password_hash, 'UTF8')) from password_of_person(:user)) end, :identity,"
                " :expires)"
            ),
            {
                "hash": token_hash(made.token),
                "org": who.org_id,
                "user": who.user_id,
                "purpose": purpose,
                "identity": identity_id,
                "expires": made.expires_at,
            },
        )
        said = {"asked": purpose, "first": "password" if identity_id is None else "sso"}
        who_passed = audit.by(who.user_id)
        target = ("member", who.user_id)
        audit.record(connection, "login.passed", org_id=who.org_id, target=target, new=said, actor=who_passed)
    return made


def look(database: Database, token: str) -> Challenge | None:
    """The challenge of this token; None when there is none that is alive."""
    with database.system() as connection:
        query = text("select * from challenge_by_token(:hash)")
        row = connection.execute(query, {"hash": token_hash(token)}).one_or_none()
    if row is None:
        return None
    who = Proven(row.user_id, row.org_id)
    first: FirstStep = "sso" if row.by_identity else "password"
    return Challenge(token_hash(token), who, cast("Purpose", row.purpose), row.email, first)


def gone() -> Unauthenticated:
    """What whoever has no challenge that is alive is told."""
    return Unauthenticated("This log-in has taken too long; begin again.", code="challenge_gone")


def claim(database: Database, challenge: Challenge) -> None:
    """Use it up; Unauthenticated when another request did before."""
    with database.tenant(challenge.who.org_id) as connection:
        query = text("update login_challenges set used_at = now() where token_hash = :hash and used_at is null")
        if connection.execute(query, {"hash": challenge.hash}).rowcount != 1:
            raise gone()


def count_wrong(database: Database, challenge: Challenge) -> None:
    """One more wrong code; with the fifth it is over."""
    with database.tenant(challenge.who.org_id) as connection:
        connection.execute(
            text(
                "update login_challenges set wrong = wrong + 1,"
                " used_at = case when wrong + 1 >= :most then now() else used_at end where token_hash = :hash"
            ),
            {"hash": challenge.hash, "most": MOST_WRONG},
        )


def purge(database: Database) -> None:
    """Delete challenges, links and invitations that ended long ago."""
    with database.system() as connection:
        connection.execute(text("select purge_links()"))
