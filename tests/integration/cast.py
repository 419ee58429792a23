"""The people of the tests: an owner, a colleague who may only look, an outsider of another organisation."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import argon2
import pyotp
from cryptography.fernet import Fernet

from adloom.clock import real_now
from adloom.db import Database
from adloom.identity import members, passwords, sessions, totp
from adloom.identity.members import NewMember
from adloom.identity.policy import SessionSettings
from adloom.identity.roles import Role

PASSWORD = "correct horse battery"
# As long as a busy machine takes from a code to its check.
_SPARE_S = 4.0
MAIL_RING, MFA_RING, AUDIT_KEY = (Fernet.generate_key().decode() for _ in range(3))


@dataclass(frozen=True)
class Person:
    email: str
    user_id: UUID
    org_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


_CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def cheap_hashes() -> AbstractContextManager[object]:
    """Other parameters, for people whose passwords no test is about."""
    return patch.object(passwords, "_hasher", lambda: _CHEAP)


def person(auth: Database, org_id: UUID, name: str, role: Role, account_scope: str = "*") -> Person:
    """A member with a session; owners and admins log in without a second factor, as the demo's owner does."""
    email = f"{name}-{str(org_id)[:8]}@example.com"
    member = NewMember(email, name.title(), PASSWORD, role, account_scope, demo=True)
    with cheap_hashes():
        user_id = members.create(auth, org_id, member)
        session = sessions.log_in(auth, email, PASSWORD, SessionSettings())
    return Person(email, user_id, org_id, session.token)


def new_address() -> str:
    return f"new-{uuid4().hex[:12]}@example.com"


def code_of(secret: str, steps: int = 0) -> str:
    """What an authenticator app shows now, or some steps from now. One of the step before is good until this one turns:
    where that is near, it is that of the next.
    """
    now = real_now().timestamp()
    left = totp.STEP_S - now % totp.STEP_S
    if steps < 0 and left < _SPARE_S:
        time.sleep(left)
        now += left
    return pyotp.TOTP(secret).at(int(now) + steps * totp.STEP_S)


MakeOrganisation = Callable[..., UUID]
Connect = Callable[[str], Database]
# What was logged since the last look.
Logged = Callable[[], str]


def common_settings(**more: Any) -> dict[str, Any]:
    return {
        "public_url": "http://127.0.0.1:8080",
        "gateway_url": "http://127.0.0.1:8080",
        "event_secret": "x" * 32,
        "mail_ring": MAIL_RING,
        "mfa_ring": MFA_RING,
        "audit_key": AUDIT_KEY,
        # Nobody listens there: what is about stored objects says so itself.
        "s3_endpoint": "http://127.0.0.1:9",
        "s3_access_key": "access",
        "s3_secret_key": "secret",
        # No test asks the outside for exchange rates.
        "rates_url": "off",
        **more,
    }


def auth_settings(database_url: str, operator_key: str, **more: Any) -> dict[str, Any]:
    """All that `auth` needs to be told. Beside a sandbox, so that the demo's owners log in with a password alone."""
    told = {"sandbox_url": "http://127.0.0.1:9", "database_url": database_url, "operator_key": operator_key}
    return common_settings(**(told | more))
