"""How often a password may be tried, from where, and that nobody can lock a person out. Counted in Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adloom.db import Database
from adloom.identity import operator_keys
from adloom.web import counting
from adloom.web.limits import Limit, MemoryLimiter
from adloom.web.shared_limits import OpenLimiter, PostgresLimiter, PostgresStorage
from functions.auth.handler import AuthSettings, app
from functions.oauth_callback import handler as oauth_callback
from tests.integration.auth_rig import OPERATOR_KEY, admin, auth, org_id, owner
from tests.integration.cast import (
    PASSWORD,
    Connect,
    Person,
    auth_settings,
    cheap_hashes,
    common_settings,
    person,
)

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "org_id", "owner"]

FIVE = Limit.parse("5/minute")


@pytest.fixture
def client(postgres: Postgres, auth: Database, admin: psycopg.Connection[Any]) -> Iterator[FlaskClient]:
    """Auth with its limits in Postgres, nothing counted yet; hashes cost nothing."""
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY)), auth)
    app.limiter = None
    admin.execute("delete from rate_limits")
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    with cheap_hashes():
        yield app.test_client()


@pytest.fixture
def colleague(auth: Database, org_id: UUID) -> Person:
    return person(auth, org_id, "colleague", "viewer")


def log_in(
    client: FlaskClient,
    email: str,
    password: str = PASSWORD,
    *,
    address: str = "198.51.100.1",
    device: str | None = None,
) -> Any:
    body = {"email": email, "password": password} | ({"device": device} if device else {})
    return client.post("/login", json=body, headers={"X-Forwarded-For": address})


def guess(client: FlaskClient, email: str, times: int, addresses: str, device: str | None = None) -> list[int]:
    return [
        log_in(client, email, "not the password", address=addresses.format(n=n), device=device).status_code
        for n in range(1, times + 1)
    ]


def test_a_sixth_attempt_within_a_minute_is_refused_even_if_right(client: FlaskClient, owner: Person) -> None:
    assert guess(client, owner.email, 5, "203.0.113.7") == [401] * 5

    answer = log_in(client, owner.email.upper(), address="203.0.113.7")

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_the_window_moves(client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]) -> None:
    guess(client, owner.email, 5, "203.0.113.7")

    # Two of the five were 61 seconds ago, the others just now.
    admin.execute(
        "update rate_limits set hits = array(select case when n <= 2 then h - interval '61 seconds' else h end"
        " from unnest(hits) with ordinality as u(h, n))"
    )

    assert guess(client, owner.email, 4, "203.0.113.7") == [401, 401, 429, 429]


def test_an_address_is_counted_over_all_accounts(client: FlaskClient) -> None:
    statuses = [log_in(client, f"nobody{n}@example.com", address="203.0.113.8").status_code for n in range(8)]

    assert statuses == [401] * 5 + [429] * 3


def test_an_account_is_counted_over_all_addresses(client: FlaskClient, owner: Person, colleague: Person) -> None:
    assert guess(client, owner.email, 8, "203.0.113.{n}") == [401] * 5 + [429] * 3

    assert log_in(client, owner.email).status_code == 429
    assert log_in(client, colleague.email).status_code == 200


def test_what_an_address_may_no_longer_do_is_not_counted_against_the_account(
    client: FlaskClient, owner: Person
) -> None:
    for n in range(5):
        log_in(client, f"nobody{n}@example.com", address="203.0.113.9")

    assert guess(client, owner.email, 20, "203.0.113.9") == [429] * 20
    assert log_in(client, owner.email).status_code == 200


def test_the_addresses_of_one_ipv6_network_are_one(client: FlaskClient) -> None:
    statuses = [log_in(client, f"n{n}@example.com", address=f"2001:db8:1:2::{n}").status_code for n in range(1, 8)]

    assert statuses == [401] * 5 + [429] * 2
    assert log_in(client, "other@example.com", address="2001:db8:1:3::1").status_code == 401


def test_nobody_locks_out_an_owner_who_has_logged_in_with_this_browser_before(
    client: FlaskClient, owner: Person
) -> None:
    device = log_in(client, owner.email).get_json()["device"]
    guess(client, owner.email, 60, "203.0.113.{n}")
    guess(client, owner.email, 10, "198.51.100.1")

    assert log_in(client, owner.email).status_code == 429
    assert log_in(client, owner.email, device=device).status_code == 200


def test_a_known_browser_is_counted_for_itself(client: FlaskClient, owner: Person) -> None:
    """A stolen one helps a thief to five attempts a minute, and costs its owner no other browser."""
    stolen = log_in(client, owner.email).get_json()["device"]
    other = log_in(client, owner.email).get_json()["device"]

    assert guess(client, owner.email, 8, "203.0.113.{n}", device=stolen) == [401] * 5 + [429] * 3

    assert log_in(client, owner.email, device=other).status_code == 200


@pytest.mark.parametrize("whose", ["colleague", "nobody"])
def test_a_browser_that_the_person_never_used_helps_nobody(
    client: FlaskClient, owner: Person, colleague: Person, whose: str
) -> None:
    device = log_in(client, colleague.email).get_json()["device"] if whose == "colleague" else "adl_d_" + "A" * 43
    guess(client, owner.email, 5, "203.0.113.{n}")

    assert log_in(client, owner.email, device=device).status_code == 429


def test_a_browser_keeps_its_token_and_never_takes_one_that_was_planted(
    client: FlaskClient, owner: Person, colleague: Person
) -> None:
    device = log_in(client, owner.email).get_json()["device"]

    assert log_in(client, owner.email, device=device).get_json()["device"] is None
    for planted in ("adl_d_" + "A" * 43, device):
        fresh = log_in(client, colleague.email, device=planted).get_json()["device"]
        assert fresh not in (None, planted)


def test_a_browser_is_forgotten_after_a_year(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    device = log_in(client, owner.email).get_json()["device"]
    admin.execute("update known_devices set expires_at = now() where user_id = %s", (owner.user_id,))
    guess(client, owner.email, 5, "203.0.113.{n}")

    assert log_in(client, owner.email, device=device).status_code == 429


def test_neither_address_nor_account_can_be_read_from_what_is_counted(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    device = log_in(client, owner.email, address="203.0.113.10").get_json()["device"]

    stored = str(admin.execute("select row_to_json(r)::text from rate_limits r").fetchall())
    stored += str(admin.execute("select row_to_json(d)::text from known_devices d").fetchall())

    assert stored
    for secret in (owner.email, "203.0.113.10", device):
        assert secret not in stored
        assert secret.encode().hex() not in stored


def test_a_hundred_requests_a_minute_of_a_session_over_all_functions(
    client: FlaskClient, postgres: Postgres, connect: Connect, owner: Person, colleague: Person
) -> None:
    other = oauth_callback.app
    settings = common_settings(
        database_url=postgres.url("oauth-callback"), token_ring="", meta_app_id="1", meta_app_secret="x"
    )
    other.use(oauth_callback.OAuthCallbackSettings(**settings), connect("oauth-callback"))
    other.limiter = None
    other._steps = []

    here = [client.get("/session", headers=owner.headers).status_code for _ in range(60)]
    there = [other.test_client().get("/connections", headers=owner.headers).status_code for _ in range(60)]

    assert here == [200] * 60
    assert there == [200] * 40 + [429] * 20
    assert client.get("/session", headers=owner.headers).status_code == 429
    assert client.get("/session", headers=colleague.headers).status_code == 200


def test_whoever_tries_tokens_is_slowed_down(client: FlaskClient) -> None:
    headers = {"X-Forwarded-For": "203.0.113.11"}
    statuses = [
        client.get("/session", headers=headers | {"Authorization": f"Bearer adl_s_{uuid4().hex}"}).status_code
        for _ in range(103)
    ]

    assert statuses == [401] * 100 + [429] * 3


@pytest.fixture
def store_away(client: FlaskClient) -> None:
    """Everything but the counting of limits works."""
    away = Database("postgresql://adloom_auth:x@127.0.0.1:1/adloom", pool_size=1)
    app.__dict__["_limiters"] = counting.Limiters(away)


@pytest.mark.usefixtures("store_away")
def test_without_the_store_no_password_is_tried(client: FlaskClient, owner: Person) -> None:
    """Fails closed: a limit that cannot be counted lets nobody through, not even with the right password."""
    tries = [
        log_in(client, owner.email),
        client.post("/session/step-up", json={"password": PASSWORD}, headers=owner.headers),
    ]

    for answer in tries:
        assert (answer.status_code, answer.get_json()["retryable"]) == (503, True)


@pytest.mark.usefixtures("store_away")
def test_without_the_store_other_routes_go_on_and_are_counted_here(client: FlaskClient, owner: Person) -> None:
    """Fails open, to a count of this process."""
    statuses = [client.get("/session", headers=owner.headers).status_code for _ in range(102)]

    assert statuses == [200] * 100 + [429] * 2


def test_other_limits_are_counted_in_the_process_while_the_store_is_away() -> None:
    away = PostgresLimiter(Database("postgresql://adloom_auth:x@127.0.0.1:1/adloom", pool_size=1))
    limiter = OpenLimiter(away, MemoryLimiter())

    waits = [limiter.hit("key", FIVE) for _ in range(7)]

    assert [wait is None for wait in waits] == [True] * 5 + [False] * 2


def test_the_count_is_exact_over_processes_and_outlives_them(postgres: Postgres) -> None:
    key = uuid4().hex
    databases = [Database(postgres.url("auth"), pool_size=4) for _ in range(4)]
    limiters = [PostgresLimiter(database) for database in databases]

    with ThreadPoolExecutor(16) as threads:
        waits = list(threads.map(lambda n: limiters[n % 4].hit(key, FIVE), range(200)))
    for database in databases:
        database.close()

    assert sum(wait is None for wait in waits) == 5
    later = Database(postgres.url("auth"), pool_size=1)
    wait = PostgresLimiter(later).hit(key, FIVE)
    later.close()
    assert wait is not None
    assert 0 < wait <= 60


def test_a_hit_waits_for_the_disk_only_where_it_must_last(auth: Database) -> None:
    from sqlalchemy import text

    call = text("select take_rate_limit(:key, 5, interval '1 minute', 1, :lasting)")
    for lasting, expected in ((True, "on"), (False, "off")):
        with auth.system() as connection:
            connection.execute(call, {"key": uuid4().bytes * 2, "lasting": lasting})
            assert connection.execute(text("show synchronous_commit")).scalar_one() == expected


def test_fixed_windows_are_not_to_be_had(auth: Database) -> None:
    storage = PostgresStorage(auth, lasting=True)

    assert storage.check()
    for unsupported in (lambda: storage.incr("k", 60), lambda: storage.get("k"), storage.reset):
        with pytest.raises(NotImplementedError):
            unsupported()


def test_a_tick_clears_what_is_over(client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]) -> None:
    log_in(client, owner.email)
    admin.execute("update rate_limits set expires_at = now() - interval '1 second'")
    admin.execute("update known_devices set expires_at = now() - interval '1 second'")

    assert client.post("/").status_code == 202

    left = admin.execute("select (select count(*) from rate_limits), (select count(*) from known_devices)").fetchone()
    assert left == (0, 0)
