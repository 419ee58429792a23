"""The second factor: an authenticator app, and recovery codes for the day it is lost.

Secrets of apps are sealed with the ring `mfa-ring`; recovery codes are stored as hashes and shown once. Every function
works in a transaction of the person's home organisation (`people.at_home`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.clock import real_now
from adloom.errors import Conflict, InvalidRequest
from adloom.identity import totp
from adloom.identity.people import Person
from adloom.identity.tokens import token_hash
from adloom.keyring import KeyRing

# Whoever gives wrong codes has the right password. After each so many in a row the app's codes are not taken for a
# while, twice as long each time: 120 guesses a day of a million codes. Recovery codes are taken all the while.
WRONG_AT_A_TIME = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)


class Outcome(StrEnum):
    """What became of a code."""

    RIGHT = "right"
    RECOVERED = "recovered"  # right, a recovery code, which is used up now
    WRONG = "wrong"
    LOCKED_NOW = "locked_now"  # wrong, and one too many: the person should hear of it
    LOCKED = "locked"  # not looked at


@dataclass(frozen=True)
class Shown:
    """What an authenticator app needs; shown while it is set up and never again."""

    secret: str
    uri: str
    qr_svg: str


def begin(connection: Connection, person: Person, ring: KeyRing) -> Shown:
    """A new secret that waits to be confirmed. One that is in use stays in use until then."""
    secret = totp.new_secret()
    connection.execute(
        text(
            "insert into authenticators (user_id, org_id, pending) values (:user, :org, :pending)"
            " on conflict (user_id) do update set pending = excluded.pending"
        ),
        {"user": person.user_id, "org": person.home, "pending": ring.seal(secret)},
    )
    address = totp.uri(secret, person.email)
    return Shown(secret, address, totp.qr_svg(address))


def confirm(connection: Connection, person: Person, ring: KeyRing, code: str) -> list[str]:
    """Take the pending secret into use, for a code of it: ten new recovery codes, the old ones are gone.

    Conflict when none is pending, InvalidRequest when the code is wrong.
    """
    row = _row(connection, person.user_id)
    if row is None or row.pending is None:
        raise Conflict("Start with a new secret first.", code="nothing_pending")
    step = totp.step_of(ring.open(bytes(row.pending)), totp.compact(code), real_now(), None)
    if step is None:
        raise InvalidRequest(
            "This is not the app's present code. Check that the clock of your phone is right.", code="wrong_code"
        )
    connection.execute(
        text(
            "update authenticators set secret = pending, pending = null, confirmed_at = now(), last_step = :step,"
            " wrong_codes = 0, locked_until = null where user_id = :user"
        ),
        {"step": step, "user": person.user_id},
    )
    return new_recovery_codes(connection, person)


def check(connection: Connection, person: Person, ring: KeyRing, code: str) -> Outcome:
    """Look at a code of the app or a recovery code. Commit whatever comes out: a wrong code of the app was counted.

    Fails closed: without a second factor no code is right.
    """
    row = _row(connection, person.user_id)
    if row is None or row.secret is None:
        return Outcome.WRONG
    if not totp.is_code(code):
        return Outcome.RECOVERED if _use_recovery_code(connection, person.user_id, code) else Outcome.WRONG
    if row.locked_until is not None and row.locked_until > real_now():
        return Outcome.LOCKED
    step = totp.step_of(ring.open(bytes(row.secret)), totp.compact(code), real_now(), row.last_step)
    if step is None:
        return _wrong(connection, person.user_id, row.wrong_codes + 1)
    connection.execute(
        text("update authenticators set last_step = :step, wrong_codes = 0, locked_until = null where user_id = :user"),
        {"step": step, "user": person.user_id},
    )
    return Outcome.RIGHT


def _wrong(connection: Connection, user_id: UUID, wrong: int) -> Outcome:
    locks, rest = divmod(wrong, WRONG_AT_A_TIME)
    until = None
    if rest == 0:
        factor: int = 2 ** min(locks - 1, 10)
        until = real_now() + min(FIRST_LOCK * factor, LONGEST_LOCK)
    connection.execute(
        text("update authenticators set wrong_codes = :wrong, locked_until = :until where user_id = :user"),
        {"wrong": wrong, "until": until, "user": user_id},
    )
    return Outcome.LOCKED_NOW if until is not None else Outcome.WRONG


def new_recovery_codes(connection: Connection, person: Person) -> list[str]:
    """Ten codes in place of those there are. Conflict without a second factor."""
    row = _row(connection, person.user_id)
    if row is None or row.secret is None:
        raise Conflict("There is no second factor; set up an authenticator app first.", code="mfa_off")
    codes = [totp.new_recovery_code() for _ in range(totp.RECOVERY_CODES)]
    connection.execute(text("delete from recovery_codes where user_id = :user"), {"user": person.user_id})
    connection.execute(
        text("insert into recovery_codes (user_id, org_id, code_hash) values (:user, :org, :hash)"),
        [{"user": person.user_id, "org": person.home, "hash": _hash(code)} for code in codes],
    )
    return codes


def recovery_codes_left(connection: Connection, user_id: UUID) -> int:
    """How many of the person's recovery codes were not used yet."""
    query = text("select count(*) from recovery_codes where user_id = :user and used_at is null")
    return int(connection.execute(query, {"user": user_id}).scalar_one())


def remove(connection: Connection, user_id: UUID) -> bool:
    """Take the second factor and its recovery codes away; whether there was one."""
    connection.execute(text("delete from recovery_codes where user_id = :user"), {"user": user_id})
    query = text("delete from authenticators where user_id = :user returning secret is not null")
    return bool(connection.execute(query, {"user": user_id}).scalar())


def _use_recovery_code(connection: Connection, user_id: UUID, code: str) -> bool:
    used = connection.execute(
        text(
            "update recovery_codes set used_at = now() where user_id = :user and code_hash = :hash and used_at is null"
        ),
        {"user": user_id, "hash": _hash(code)},
    )
    return used.rowcount == 1


def _row(connection: Connection, user_id: UUID) -> Any:
    """Two who give a code at once wait for each other: no code is taken twice, and every wrong one is counted."""
    query = text("select * from authenticators where user_id = :user for update")
    return connection.execute(query, {"user": user_id}).one_or_none()


def _hash(code: str) -> bytes:
    return token_hash(totp.compact(code))
