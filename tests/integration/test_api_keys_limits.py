"""The limit of a key over all processes, and keys that are made, used and revoked at the same time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from adloom.db import Database
from adloom.errors import Forbidden
from adloom.identity import keys, sessions
from adloom.identity.policy import SessionSettings
from adloom.web import counting
from functions.auth.handler import app
from tests.integration.auth_rig import OPERATOR_KEY, code
from tests.integration.cast import MFA_RING, Person, auth_settings, common_settings, person
from tests.integration.guess_rig import HOST, ROOT, free_ports, process, wait_for
from tests.integration.keys_rig import (
    admin,
    administrator,
    ask_for_key,
    auth,
    bearer,
    client,
    make_key,
    members,
    org_id,
    owner,
)

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "administrator", "auth", "client", "org_id", "owner"]

WINDOW_S = 60
PROCESSES = ("auth", "auth", "oauth-callback")
ROUTES = {"auth": "/members", "oauth-callback": "/connections"}


@pytest.fixture
def counted(client: FlaskClient, admin: psycopg.Connection[Any]) -> FlaskClient:
    """Auth with its limits in Postgres, nothing counted yet."""
    app.limiter = None
    admin.execute("delete from rate_limits")
    return client


@pytest.fixture
def processes(postgres: Postgres, tmp_path: Path) -> Iterator[list[str]]:
    """Addresses of processes of two functions on one database, each with a route that the key may ask for."""
    base = {name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "PYTEST_"))}
    base |= {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "ADLOOM_SECRETS_DIR": str(tmp_path), "ADLOOM_BIND": HOST}
    base |= {"ADLOOM_LOG_LEVEL": "ERROR", "max_inflight": "32"}
    settings = {
        "auth": auth_settings(postgres.url("auth"), OPERATOR_KEY),
        "oauth-callback": common_settings(
            database_url=postgres.url("oauth-callback"), token_ring=MFA_RING, meta_app_id="1", meta_app_secret="x"
        ),
    }
    ports = free_ports(len(PROCESSES))
    with ExitStack() as running:
        for port, name in zip(ports, PROCESSES, strict=True):
            told = {f"ADLOOM_{setting.upper()}": value for setting, value in settings[name].items()}
            command = [sys.executable, "template/adloom-python/serve.py", f"functions/{name.replace('-', '_')}"]
            running.enter_context(process(command, base | told | {"port": str(port)}))
        for port in ports:
            wait_for(f"http://{HOST}:{port}/_/ready")
        yield [f"http://{HOST}:{port}{ROUTES[name]}" for port, name in zip(ports, PROCESSES, strict=True)]


def test_a_flood_over_several_processes_gets_exactly_as_much_as_the_key_may(
    counted: FlaskClient, owner: Person, processes: list[str]
) -> None:
    per_minute, asked = 60, 180
    key, other = make_key(counted, owner, per_minute=per_minute), make_key(counted, owner, per_minute=per_minute)
    began = time.monotonic()
    with httpx.Client(headers=bearer(key), trust_env=False, timeout=60) as flood, ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda n: flood.get(processes[n % len(processes)]), range(asked)))
    windows = 1 + int((time.monotonic() - began) // WINDOW_S)  # a machine that needs minutes for this lets more through

    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) == {200, 429}
    assert counts.total() == asked
    assert per_minute <= counts[200] <= per_minute * windows
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(0 < int(answer.headers["Retry-After"]) <= WINDOW_S for answer in refused)
    with httpx.Client(headers=bearer(other), trust_env=False, timeout=60) as quiet:
        assert [quiet.get(address).status_code for address in processes] == [200, 200, 200]


def test_a_key_and_the_session_of_its_maker_are_counted_apart(counted: FlaskClient, owner: Person) -> None:
    key = make_key(counted, owner, per_minute=2)

    assert [members(counted, key).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert counted.get("/session", headers=owner.headers).status_code == 200


def test_what_is_refused_for_a_scope_is_counted_too(counted: FlaskClient, owner: Person) -> None:
    key = make_key(counted, owner, per_minute=2, scopes=["members:read"])

    tries = [counted.get("/session", headers=bearer(key)).status_code for _ in range(3)]

    assert tries == [403, 403, 429]
    assert members(counted, key).status_code == 429


def test_without_the_store_no_key_is_let_in_and_none_is_made(counted: FlaskClient, owner: Person) -> None:
    """Fails closed, while sessions go on."""
    key = make_key(counted, owner)
    away = Database("postgresql://adloom_auth:x@127.0.0.1:1/adloom", pool_size=1)
    app.__dict__["_limiters"] = counting.Limiters(away)

    for answer in (members(counted, key), ask_for_key(counted, owner)):
        assert (answer.status_code, answer.get_json()["retryable"]) == (503, True)
    assert counted.get("/keys", headers=owner.headers).status_code == 200


def test_thirty_keys_are_made_in_an_hour(counted: FlaskClient, owner: Person) -> None:
    made = [ask_for_key(counted, owner).status_code for _ in range(32)]

    assert made == [201] * 30 + [429] * 2


def fill(admin: psycopg.Connection[Any], who: Person, count: int, expires: str) -> None:
    admin.execute(
        "insert into api_keys (key_id, org_id, name, token_hash, prefix, last_four, scopes, role, account_scope,"
        " per_minute, expires_at) select gen_random_uuid(), %s, 'one of many', sha256(uuid_send(gen_random_uuid())),"
        " 'ab12cd34', 'wxyz', '{members:read}', 'admin', '*', 100, now() + %s::interval from generate_series(1, %s)",
        (who.org_id, expires, count),
    )


def test_an_organisation_has_a_hundred_keys_however_many_make_one_at_once(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    """Those that ended are not counted."""
    fill(admin, owner, 97, "1 day")
    fill(admin, owner, 20, "-1 day")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask_for_key(app.test_client(), owner), range(8)))

    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 5}
    assert {answer.get_json()["code"] for answer in answers if answer.status_code == 409} == {"too_many_keys"}


def test_nothing_is_done_with_a_key_once_it_is_revoked(client: FlaskClient, owner: Person) -> None:
    """Four use it all the time; whatever they ask for after the answer to the revocation is refused."""
    key = make_key(client, owner, per_minute=1000)
    app.limiter = None
    used, revoked = threading.Semaphore(0), threading.Event()

    def use(_: int) -> list[int]:
        own, late = app.test_client(), []
        while len(late) < 3:
            over = revoked.is_set()
            status = members(own, key).status_code
            late += [status] if over else []
            used.release()
        return late

    with ThreadPoolExecutor(4) as threads:
        users = threads.map(use, range(4))
        for _ in range(8):
            assert used.acquire(timeout=60)
        assert client.delete(f"/keys/{key['key_id']}", headers=owner.headers).status_code == 204
        revoked.set()

    assert list(users) == [[401] * 3] * 4


def test_of_several_who_revoke_a_key_one_does(client: FlaskClient, owner: Person, administrator: Person) -> None:
    key = make_key(client, owner)

    def revoke(who: Person) -> int:
        return app.test_client().delete(f"/keys/{key['key_id']}", headers=who.headers).status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(revoke, [owner, administrator] * 3))

    assert sorted(statuses) == [204] + [404] * 5


def test_who_leaves_while_making_a_key_leaves_none_behind(
    client: FlaskClient, auth: Database, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    """Whichever comes first: the key ends with the membership, or is not made."""
    for n in range(4):
        leaver = person(auth, owner.org_id, f"leaver{n}", "admin")
        together = threading.Barrier(2)

        def make(who: Person = leaver, at: threading.Barrier = together) -> Any:
            own = app.test_client()
            at.wait(60)
            return ask_for_key(own, who)

        def remove(who: Person = leaver, at: threading.Barrier = together) -> Any:
            own = app.test_client()
            at.wait(60)
            return own.delete(f"/members/{who.user_id}", headers=owner.headers)

        with ThreadPoolExecutor(2) as threads:
            made, removed = threads.submit(make), threads.submit(remove)

        assert removed.result().status_code == 204
        assert made.result().status_code in (201, 401, 403)
        alive = admin.execute(
            "select count(*) from api_keys where made_by = %s and revoked_at is null", (leaver.user_id,)
        ).fetchone()
        assert alive == (0,)


def test_a_member_who_was_taken_out_makes_no_key(
    client: FlaskClient, administrator: Person, admin: psycopg.Connection[Any]
) -> None:
    """The session was looked up before; the transaction sees that the membership is gone."""
    principal = sessions.principal_by_token(app.database(), administrator.token, None, SessionSettings())
    assert principal is not None
    admin.execute("delete from memberships where user_id = %s", (administrator.user_id,))
    new = keys.NewKey("Late", ["members:read"], timedelta(days=1), per_minute=1)

    with app.database().tenant(principal.org_id) as connection, pytest.raises(Forbidden) as refused:
        keys.make(connection, principal, new)

    assert refused.value.code == "no_member"
    assert code(ask_for_key(client, administrator)) == (401, "unauthenticated")
