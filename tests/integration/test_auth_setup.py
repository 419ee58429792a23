"""The first organisation and its owner."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from adloom.db import Database, migrate
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings, app
from tests.integration.cast import PASSWORD, auth_settings

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

OPERATOR_KEY = "adl_o_the-operators-key-of-this-test"
OPERATOR = {"Authorization": f"Bearer {OPERATOR_KEY}"}
OWNER = {"email": "Owner@Example.com", "password": PASSWORD, "name": "Olivia Owner", "organisation": "Acme"}


@pytest.fixture
def client(empty_database: Postgres) -> Iterator[FlaskClient]:
    """Auth on a database where nobody is yet."""
    migrate.upgrade(empty_database.admin_url)
    database = Database(empty_database.url("auth"), pool_size=4)
    url = empty_database.url("auth")
    app.use(AuthSettings(**auth_settings(url, OPERATOR_KEY)), database)
    app.limiter = MemoryLimiter()
    accept_key()
    yield app.test_client()
    database.close()


def accept_key() -> None:
    from functions.auth.handler import accept_operator_key

    accept_operator_key()


def test_the_operator_makes_the_first_owner_who_can_log_in(client: FlaskClient) -> None:
    made = client.post("/setup", json=OWNER, headers=OPERATOR)

    assert made.status_code == 201
    assert made.get_json()["user"]["email"] == "owner@example.com"
    assert made.get_json()["user"]["role"] == "owner"
    assert made.get_json()["organisation"]["name"] == "Acme"
    login = client.post("/login", json={"email": "OWNER@example.com", "password": PASSWORD})
    assert login.status_code == 200
    assert login.get_json()["organisation"] == made.get_json()["organisation"]


def test_it_is_made_only_once(client: FlaskClient) -> None:
    client.post("/setup", json=OWNER, headers=OPERATOR)

    again = client.post("/setup", json=OWNER | {"email": "second@example.com"}, headers=OPERATOR)

    assert (again.status_code, again.get_json()["code"]) == (409, "already_set_up")
    assert client.post("/login", json={"email": "second@example.com", "password": PASSWORD}).status_code == 401


def test_of_two_at_once_one_makes_it(client: FlaskClient) -> None:
    statuses: list[int] = []

    def make(n: int) -> None:
        body = OWNER | {"email": f"owner{n}@example.com"}
        statuses.append(app.test_client().post("/setup", json=body, headers=OPERATOR).status_code)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 409, 409]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer adl_o_another-key"}])
def test_nobody_but_the_operator_makes_it(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/setup", json=OWNER, headers=headers).status_code == 401
    assert client.post("/setup", json=OWNER, headers=OPERATOR).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "body.password"),
        ({"password": "x" * 129}, "body.password"),
        ({"email": "nobody"}, "body.email"),
        ({"email": "a b@example.com"}, "body.email"),
        ({"name": ""}, "body.name"),
        ({"organisation": "x" * 201}, "body.organisation"),
        ({"role": "owner"}, "body.role"),
    ],
)
def test_what_cannot_be_an_owner_is_refused(client: FlaskClient, change: dict[str, Any], field: str) -> None:
    answer = client.post("/setup", json=OWNER | change, headers=OPERATOR)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.get_json()["fields"]] == [field]
    assert client.post("/setup", json=OWNER, headers=OPERATOR).status_code == 201


def test_the_operators_session_before_there_is_an_organisation(client: FlaskClient) -> None:
    session = client.get("/session", headers=OPERATOR).get_json()

    assert (session["kind"], session["user"], session["organisation"]) == ("operator", None, None)
    refused = client.post(
        "/users", json={"email": "a@example.com", "password": PASSWORD, "name": "A", "role": "viewer"}, headers=OPERATOR
    )
    assert (refused.status_code, refused.get_json()["code"]) == (400, "organisation_missing")
