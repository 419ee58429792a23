"""Log-in, sessions and members."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import argon2
import psycopg
import pytest

from adloom.db import Database
from adloom.identity import naming, operator_keys
from adloom.identity.tokens import token_hash
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings, app
from tests.integration.auth_rig import OPERATOR, OPERATOR_KEY, admin, auth, log_in, org_id, owner, viewer
from tests.integration.cast import PASSWORD, MakeOrganisation, Person, auth_settings, person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "org_id", "owner", "viewer"]


@pytest.fixture
def client(postgres: Postgres, auth: Database) -> FlaskClient:
    """Auth, with hashes as they are: some tests here are about them."""
    settings = AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY))
    app.use(settings, auth)
    app.limiter = MemoryLimiter()
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    return app.test_client()


def test_a_login_gives_a_session(client: FlaskClient, owner: Person) -> None:
    answer = log_in(client, owner.email.upper())

    assert answer.status_code == 200
    made = answer.get_json()
    assert made["user"] == {"user_id": str(owner.user_id), "email": owner.email, "name": "Owner", "role": "owner"}
    session = client.get("/session", headers={"Authorization": f"Bearer {made['token']}"}).get_json()
    assert session["user"] == made["user"]
    assert session["organisation"] == {"org_id": str(owner.org_id), "name": "Acme"}
    assert (session["kind"], session["role"], session["account_scope"]) == ("user", "owner", "*")
    ends = datetime.fromisoformat(session["expires_at"])
    assert timedelta(days=6, hours=23) < ends - datetime.now(UTC) <= timedelta(days=7)


def test_a_member_sees_the_own_role_and_scope(client: FlaskClient, viewer: Person) -> None:
    session = client.get("/session", headers=viewer.headers).get_json()

    assert (session["role"], session["account_scope"]) == ("viewer", "3,17")


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(client: FlaskClient, owner: Person) -> None:
    wrong = log_in(client, owner.email, "not the password").get_json()
    unknown = log_in(client, "nobody@example.com", "not the password").get_json()

    assert wrong["status"] == 401
    assert wrong["code"] == "wrong_login"
    assert wrong | {"request_id": ""} == unknown | {"request_id": ""}


def test_every_login_is_a_session_of_its_own(client: FlaskClient, owner: Person) -> None:
    tokens = {log_in(client, owner.email).get_json()["token"] for _ in range(2)}

    assert len(tokens | {owner.token}) == 3


def test_a_login_ends_the_session_that_the_same_browser_had(client: FlaskClient, owner: Person, viewer: Person) -> None:
    body = {"email": viewer.email, "password": PASSWORD}
    elsewhere = log_in(client, owner.email).get_json()["token"]

    answer = client.post("/login", json=body, headers=owner.headers)

    tokens = owner.token, viewer.token, elsewhere, answer.get_json()["token"]
    asked = [client.get("/session", headers={"Authorization": f"Bearer {token}"}).status_code for token in tokens]
    assert asked == [401, 200, 200, 200]


@pytest.mark.parametrize("header", ["Bearer adl_s_unknown", "Bearer adl_o_x", "Bearer", "Basic eDp5"])
def test_whatever_else_a_login_brings_along_does_not_matter(client: FlaskClient, owner: Person, header: str) -> None:
    body = {"email": owner.email, "password": PASSWORD}

    assert client.post("/login", json=body, headers={"Authorization": header}).status_code == 200
    assert client.get("/session", headers=owner.headers).status_code == 200


def test_a_wrong_password_ends_no_session(client: FlaskClient, owner: Person) -> None:
    body = {"email": owner.email, "password": "another long sentence"}

    assert client.post("/login", json=body, headers=owner.headers).status_code == 401
    assert client.get("/session", headers=owner.headers).status_code == 200


def test_only_the_hash_of_a_token_is_stored(client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]) -> None:
    stored = admin.execute(
        "select row_to_json(s)::text from sessions s where user_id = %s", (owner.user_id,)
    ).fetchall()

    assert owner.token.removeprefix("adl_s_") not in str(stored)
    hashes = admin.execute("select token_hash from sessions where user_id = %s", (owner.user_id,)).fetchall()
    assert [bytes(row[0]) for row in hashes] == [hashlib.sha256(owner.token.encode()).digest()]


def test_a_logout_ends_the_session_at_once(client: FlaskClient, owner: Person) -> None:
    other = {"Authorization": f"Bearer {log_in(client, owner.email).get_json()['token']}"}

    assert client.post("/logout", headers=owner.headers).status_code == 204

    assert client.get("/session", headers=owner.headers).status_code == 401
    assert client.post("/logout", headers=owner.headers).status_code == 401
    assert client.get("/session", headers=other).status_code == 200


@pytest.mark.parametrize("change", ["expires_at = now()", "idle_expires_at = now()", "revoked_at = now()"])
def test_a_session_that_ended_is_no_session(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any], change: str
) -> None:
    admin.execute(f"update sessions set {change} where user_id = %s", (owner.user_id,))

    answer = client.get("/session", headers=owner.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")


def test_use_keeps_a_session_alive_up_to_its_end(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(
        "update sessions set last_used_at = now() - interval '6 days', idle_expires_at = now() + interval '1 day',"
        " expires_at = now() + interval '3 days' where user_id = %s",
        (owner.user_id,),
    )

    session = client.get("/session", headers=owner.headers).get_json()

    ends = datetime.fromisoformat(session["expires_at"])
    assert timedelta(days=2, hours=23) < ends - datetime.now(UTC) <= timedelta(days=3)


def test_a_member_who_was_taken_out_has_no_session(
    client: FlaskClient, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    admin.execute("delete from memberships where user_id = %s", (viewer.user_id,))

    assert client.get("/session", headers=viewer.headers).status_code == 401


def test_a_hash_of_old_parameters_is_replaced_at_login(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    admin.execute("update user_credentials set password_hash = %s where user_id = %s", (old, owner.user_id))

    assert log_in(client, owner.email).status_code == 200

    row = admin.execute("select password_hash from user_credentials where user_id = %s", (owner.user_id,)).fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert log_in(client, owner.email).status_code == 200


def test_an_owner_adds_a_member_who_can_log_in(client: FlaskClient, owner: Person) -> None:
    email = f"new-{uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "New", "role": "editor"}

    made = client.post("/users", json=body, headers=owner.headers)

    assert made.status_code == 201
    assert made.get_json()["organisation"]["org_id"] == str(owner.org_id)
    assert log_in(client, email).get_json()["user"]["role"] == "editor"


def test_a_narrowed_owner_adds_members_of_the_own_accounts_only(
    client: FlaskClient, auth: Database, owner: Person
) -> None:
    narrowed = person(auth, owner.org_id, "narrowed", "owner", "3,17")
    email = f"new-{uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "New", "role": "viewer"}
    assert client.post("/users", json=body, headers=narrowed.headers).status_code == 201

    token = log_in(client, email).get_json()["token"]

    assert client.get("/session", headers={"Authorization": f"Bearer {token}"}).get_json()["account_scope"] == "3,17"


def test_a_viewer_adds_nobody(client: FlaskClient, viewer: Person) -> None:
    email = f"new-{uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "New", "role": "owner"}

    assert client.post("/users", json=body, headers=viewer.headers).status_code == 403
    assert log_in(client, email).status_code == 401


def test_an_address_is_one_persons_in_all_organisations(
    client: FlaskClient, auth: Database, owner: Person, make_organisation: MakeOrganisation
) -> None:
    outsider = person(auth, make_organisation("Other"), "outsider", "owner")
    body = {"email": outsider.email, "password": PASSWORD, "name": "New", "role": "viewer"}

    answer = client.post("/users", json=body, headers=owner.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "email_taken")


def test_a_member_cannot_name_another_organisation(
    client: FlaskClient, owner: Person, make_organisation: MakeOrganisation
) -> None:
    for named, status in ((make_organisation("Other"), 403), (uuid4(), 403), (owner.org_id, 200)):
        answer = client.get("/session", headers=owner.headers | {"X-Adloom-Org": str(named)})

        assert answer.status_code == status
    assert answer.get_json()["organisation"]["org_id"] == str(owner.org_id)


def test_the_operator_names_the_organisation(client: FlaskClient, owner: Person) -> None:
    named = client.get("/session", headers=OPERATOR | {"X-Adloom-Org": str(owner.org_id)}).get_json()

    assert (named["kind"], named["organisation"]["name"]) == ("operator", "Acme")


@pytest.mark.parametrize(("name", "status"), [(str(UUID(int=7)), 404), ("acme", 400)])
def test_the_operator_names_no_organisation_that_is_not_there(client: FlaskClient, name: str, status: int) -> None:
    assert client.get("/session", headers=OPERATOR | {"X-Adloom-Org": name}).status_code == status


def test_a_revoked_operator_key_opens_nothing(
    client: FlaskClient, auth: Database, admin: psycopg.Connection[Any]
) -> None:
    key = f"adl_o_{uuid4().hex}"
    operator_keys.register(auth, key, "old")
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/session", headers=headers).status_code == 200

    admin.execute("update operator_keys set revoked_at = now() where key_hash = %s", (token_hash(key),))
    operator_keys.register(auth, key, "old")

    assert client.get("/session", headers=headers).status_code == 401


def test_the_operator_has_no_session_to_end(client: FlaskClient) -> None:
    assert client.post("/logout", headers=OPERATOR).status_code == 403


def test_a_tick_forgets_sessions_that_ended_long_ago(
    client: FlaskClient, owner: Person, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    admin.execute("update sessions set expires_at = now() - interval '8 days' where user_id = %s", (owner.user_id,))

    answer = client.post("/")

    assert (answer.status_code, answer.get_json()) == (202, {})
    left = admin.execute("select user_id from sessions where user_id = any(%s)", ([owner.user_id, viewer.user_id],))
    assert [row[0] for row in left] == [viewer.user_id]


def test_without_a_database_nobody_gets_in_and_cron_sees_it(client: FlaskClient, owner: Person) -> None:
    gone = Database("postgresql://adloom_auth:x@127.0.0.1:1/adloom", pool_size=1)
    app.use(app.settings(), gone)

    for answer in (
        client.get("/session", headers=owner.headers),
        log_in(client, owner.email),
        client.post("/"),
        client.get("/_/ready"),
    ):
        assert answer.status_code == 503
        assert answer.get_json()["retryable"] is True
    assert client.get("/_/health").status_code == 200


def test_the_login_query_reveals_no_other_organisation(auth: Database, owner: Person) -> None:
    """The function's role sees no row outside of a transaction of the organisation."""
    from sqlalchemy import text

    with auth.system() as connection:
        assert connection.execute(text("select count(*) from users")).scalar_one() == 0
    with auth.tenant(uuid4()) as connection:
        assert connection.execute(text("select count(*) from user_credentials")).scalar_one() == 0
    assert naming.describe(auth, owner.org_id, owner.user_id).email == owner.email
