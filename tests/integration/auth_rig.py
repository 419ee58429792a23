"""Auth under test: its client, the database as its administrator, people with sessions of any state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from adloom.db import Database
from adloom.identity import operator_keys
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings, app
from tests.integration.cast import PASSWORD, Connect, MakeOrganisation, Person, auth_settings, cheap_hashes, person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

Admin = psycopg.Connection[Any]
OPERATOR_KEY = "adl_o_the-operators-key-of-this-test"
OPERATOR = {"Authorization": f"Bearer {OPERATOR_KEY}"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def auth(connect: Connect) -> Database:
    return connect("auth")


@pytest.fixture
def client(postgres: Postgres, auth: Database) -> Iterator[FlaskClient]:
    """Auth; hashes cost nothing, and limits are this test's own."""
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY)), auth)
    app.limiter = MemoryLimiter()
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    with cheap_hashes():
        yield app.test_client()


@pytest.fixture
def admin(postgres: Postgres) -> Iterator[Admin]:
    """The database as its administrator, to look at what is stored and to age it."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def org_id(make_organisation: MakeOrganisation) -> UUID:
    return make_organisation("Acme")


@pytest.fixture
def owner(auth: Database, org_id: UUID) -> Person:
    return person(auth, org_id, "owner", "owner")


@pytest.fixture
def viewer(auth: Database, org_id: UUID) -> Person:
    return person(auth, org_id, "viewer", "viewer", "3,17")


@pytest.fixture
def administrator(auth: Database, org_id: UUID) -> Person:
    return person(auth, org_id, "administrator", "admin")


def log_in(client: FlaskClient, email: str, password: str = PASSWORD) -> Any:
    return client.post("/login", json={"email": email, "password": password})


def code(answer: Any) -> tuple[int, str]:
    """The status of a refusal, and its code."""
    return answer.status_code, answer.get_json()["code"]


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def make_stale(admin: Admin, who: Person) -> None:
    """The person's last proof was eleven minutes ago."""
    admin.execute(
        "update sessions set authenticated_at = now() - interval '11 minutes' where user_id = %s", (who.user_id,)
    )


def events(admin: Admin, user_id: UUID) -> list[UUID]:
    """The organisations that heard that sessions of this person ended, in order."""
    rows = admin.execute(
        "select org_id from outbox where subject = 'adloom.auth.sessions_ended'"
        " and envelope->'data'->>'user_id' = %s order by position",
        (str(user_id),),
    )
    return [row[0] for row in rows]
