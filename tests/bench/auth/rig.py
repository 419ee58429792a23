"""People who log in, the process of `auth` they log in at, and the bare contestants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import argon2
import httpx
import psycopg

from adloom.db import Database
from adloom.identity import passwords, sessions
from adloom.identity.policy import SessionSettings
from adloom.identity.tokens import new_token, token_hash
from tests.integration.cast import PASSWORD, person
from tests.integration.guess_rig import guess_rig

if TYPE_CHECKING:
    from tests.conftest import Postgres

PEOPLE = 50
# What a check of a session has to find out, asked without anything around it.
BARE_QUERY = """
select s.session_id, s.user_id, s.org_id, m.role, m.account_scope, least(s.expires_at, s.idle_expires_at),
       s.authenticated_at
  from sessions s join memberships m on m.org_id = s.org_id and m.user_id = s.user_id
 where s.token_hash = %s and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
"""
SAME_IN_FUNCTION = "select * from principal_by_token(%s, interval '7 days')"


@dataclass
class Times:
    """Seconds that each doing of a contestant took."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def take(self, contestant: str, do: Callable[[], None], times: int) -> None:
        for _ in range(times):
            began = time.perf_counter()
            do()
            self.of.setdefault(contestant, []).append(time.perf_counter() - began)

    def ms(self, contestant: str, percentile: int) -> float:
        return quantiles(self.of[contestant], n=100, method="inclusive")[percentile - 1] * 1000


@dataclass
class Member:
    """`device` is what the browser was told to keep."""

    email: str
    token: str
    device: str


class Arena:
    """Every contestant is a function without arguments that does the thing once, and fails when it did not."""

    def __init__(
        self, url: str, client: httpx.Client, auth: Database, plain: psycopg.Connection[Any], who: list[Member]
    ):
        self._url, self._client, self._auth, self._plain = url, client, auth, plain
        self._hasher = argon2.PasswordHasher(
            time_cost=passwords.PASSES, memory_cost=passwords.MEMORY_KIB, parallelism=passwords.LANES
        )
        self._hash = self._hasher.hash(PASSWORD)
        self._logging_in, self._looking = cycle(who), cycle(who)
        self._addresses = (f"198.18.{n // 250}.{n % 250}" for n in count())

    def bare_hash(self) -> None:
        self._hasher.verify(self._hash, PASSWORD)

    def log_in(self) -> None:
        who = next(self._logging_in)
        answer = self._client.post(
            f"{self._url}/login",
            json={"email": who.email, "password": PASSWORD, "device": who.device},
            headers={"X-Forwarded-For": next(self._addresses)},
        )
        assert answer.json()["token"], answer.text

    def bare_query(self) -> None:
        self._ask(BARE_QUERY)

    def same_in_function(self) -> None:
        self._ask(SAME_IN_FUNCTION)

    def _ask(self, query: str) -> None:
        found = self._plain.execute(query, (token_hash(next(self._looking).token),), prepare=True).fetchall()
        assert len(found) == 1

    def check(self) -> None:
        assert sessions.principal_by_token(self._auth, next(self._looking).token, None, SessionSettings()) is not None

    def health(self) -> None:
        assert self._client.get(f"{self._url}/_/health").status_code == 200

    def who_am_i(self) -> None:
        headers = {"Authorization": f"Bearer {next(self._looking).token}"}
        assert self._client.get(f"{self._url}/session", headers=headers).status_code == 200


@contextmanager
def arena(postgres: Postgres, folder: Path) -> Iterator[Arena]:
    """One process of `auth` and fifty people who have logged in there before."""
    auth = Database(postgres.url("auth"), pool_size=2)
    with (
        guess_rig(postgres, folder, new_token("adl_o_"), processes=1) as rig,
        httpx.Client(trust_env=False, timeout=60) as client,
        psycopg.connect(postgres.admin_url, autocommit=True) as plain,
    ):
        org_id = uuid4()
        plain.execute("insert into organisations (org_id, name) values (%s, 'Bench')", (org_id,))
        who = []
        for n in range(PEOPLE):
            made = person(auth, org_id, f"person{n}", "viewer")
            answer = client.post(
                f"{rig.auths[0]}/login",
                json={"email": made.email, "password": PASSWORD},
                headers={"X-Forwarded-For": f"192.0.2.{n}"},
            ).json()
            who.append(Member(made.email, answer["token"], answer["device"]))
        yield Arena(rig.auths[0], client, auth, plain, who)
    auth.close()
