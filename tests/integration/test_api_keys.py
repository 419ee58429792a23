"""API keys: made once, hashed, limited by scopes, by an end, and by what their maker may do."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adloom.db import Database
from tests.integration.auth_rig import OPERATOR, code
from tests.integration.cast import PASSWORD, Person, person
from tests.integration.keys_rig import (
    admin,
    administrator,
    ask_for_key,
    auth,
    bearer,
    client,
    connections,
    everything,
    functions,
    listed,
    log,
    make_key,
    members,
    org_id,
    outsider,
    owner,
    runs,
    viewer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

__all__ = ["admin", "administrator", "auth", "client", "functions", "log", "org_id", "outsider", "owner", "viewer"]


def test_a_key_is_shown_once_and_stored_as_its_hash(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    key = make_key(client, owner, days=30, per_minute=7)

    assert key["token"] == f"adl_k_{key['prefix']}_{key['token'][15:]}"
    assert key["token"].endswith(key["last_four"])
    shown = listed(client, owner, key)
    assert shown == {name: value for name, value in key.items() if name != "token"}
    assert (shown["maker"], shown["per_minute"], shown["role"], shown["accounts"]) == ("Owner", 7, "admin", None)
    days = admin.execute("select expires_at - created_at from api_keys where key_id = %s", (key["key_id"],)).fetchone()
    assert days is not None
    assert days[0].days == 30
    stored = admin.execute("select encode(sha256(%s), 'hex')", (key["token"].encode(),)).fetchone()
    assert stored is not None
    dump = everything(admin)
    assert stored[0] in dump
    assert key["token"][15:] not in dump


def test_a_token_reaches_no_log_no_event_and_no_audit_record(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any], log: io.StringIO
) -> None:
    key = make_key(client, owner)
    secret = key["token"][15:]
    answers = [
        members(client, key),
        client.get("/session", headers=bearer(key)),
        client.get("/members", headers=bearer(key, **{"X-Adloom-Org": key["token"]})),
        client.get("/members", headers={"Authorization": f"Bearer {key['token']}x"}),
        client.get(f"/members?token={key['token']}", headers=bearer(key)),
        client.get(f"/{key['token']}"),
        client.post("/keys", json={"token": key["token"]}, headers=owner.headers),
        client.delete(f"/keys/{key['key_id']}", headers=owner.headers),
        members(client, key),
    ]

    assert [each.status_code for each in answers] == [200, 403, 400, 401, 200, 404, 422, 204, 401]
    assert all(secret not in each.text for each in answers)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert sum(line["event"] == "request" and line["principal"] == "key" for line in lines) >= 3
    assert secret not in log.getvalue()
    assert secret not in everything(admin)


def test_what_is_made_and_revoked_stands_in_the_audit_trail(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    key = make_key(client, owner, scopes=["members:read"])
    client.delete(f"/keys/{key['key_id']}", headers=owner.headers)

    query = "select action, record from audit_events where org_id = %s and record like %s order by position"
    made, revoked = admin.execute(query, (owner.org_id, f"%{key['key_id']}%")).fetchall()
    assert (made[0], revoked[0]) == ("key.made", "key.revoked")
    told = json.loads(made[1])
    assert told["target"] == {"kind": "key", "id": key["key_id"]}
    shown = client.get("/audit?target=key", headers=owner.headers).get_json()["events"]
    assert key["name"] in {each["target"]["name"] for each in shown}
    assert (told["new"]["name"], told["new"]["prefix"]) == ("Reporting", key["prefix"])
    assert told["new"]["scopes"] == ["members:read"]
    assert json.loads(revoked[1])["new"] == {"because": "revoked"}


@pytest.mark.usefixtures("functions")
def test_a_key_does_what_its_scopes_say_and_nothing_else(
    client: FlaskClient, owner: Person, make_account: Callable[..., int]
) -> None:
    account = make_account(owner.org_id, "1")
    asked = {"connections:read": connections, "runs:write": lambda key: runs(key, account)}
    asked["members:read"] = lambda key: members(client, key)

    for scope in asked:
        key = make_key(client, owner, scopes=[scope], role="owner")
        for other, ask in asked.items():
            answer = ask(key)
            if other == scope:
                assert answer.status_code in (200, 202)
            else:
                assert code(answer) == (403, "scope_missing")


def test_a_key_makes_no_keys_members_or_sessions(client: FlaskClient, owner: Person) -> None:
    key = make_key(client, owner, role="owner")
    person_of_it = {"email": "new@example.com", "name": "New", "password": PASSWORD, "role": "owner"}

    for method, path, body in (
        ("GET", "/keys", None),
        ("POST", "/keys", {"name": "More", "scopes": ["members:read"]}),
        ("DELETE", f"/keys/{key['key_id']}", None),
        ("POST", "/users", person_of_it),
        ("POST", "/invitations", {"email": "new@example.com", "role": "owner"}),
        ("PATCH", f"/members/{owner.user_id}", {"role": "viewer"}),
        ("GET", "/session", None),
        ("POST", "/session/step-up", {"password": PASSWORD}),
        ("GET", "/operator-keys", None),
        ("POST", "/operator-keys", {"name": "More"}),
    ):
        answer = client.open(path, method=method, json=body, headers=bearer(key))
        assert code(answer) == (403, "scope_missing"), path


def test_a_key_ends_when_it_was_to(client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]) -> None:
    key = make_key(client, owner)
    assert members(client, key).status_code == 200

    admin.execute("update api_keys set expires_at = now() where key_id = %s", (key["key_id"],))

    assert code(members(client, key)) == (401, "unauthenticated")
    assert listed(client, owner, key)["ended_because"] == "expired"
    assert client.delete(f"/keys/{key['key_id']}", headers=owner.headers).status_code == 404


def test_a_revoked_key_is_dead_at_once(client: FlaskClient, owner: Person, administrator: Person) -> None:
    key, other = make_key(client, owner), make_key(client, owner)

    assert client.delete(f"/keys/{key['key_id']}", headers=administrator.headers).status_code == 204

    assert code(members(client, key)) == (401, "unauthenticated")
    assert members(client, other).status_code == 200
    assert listed(client, owner, key)["ended_because"] == "revoked"
    assert client.delete(f"/keys/{key['key_id']}", headers=administrator.headers).status_code == 404


def test_the_keys_of_who_leaves_end_for_good(
    client: FlaskClient, owner: Person, administrator: Person, admin: psycopg.Connection[Any]
) -> None:
    key, of_owner = make_key(client, administrator), make_key(client, owner)

    client.delete(f"/members/{administrator.user_id}", headers=owner.headers)

    assert code(members(client, key)) == (401, "unauthenticated")
    assert members(client, of_owner).status_code == 200
    assert listed(client, owner, key)["ended_because"] == "maker_left"
    admin.execute(
        "insert into memberships (org_id, user_id, role) values (%s, %s, 'owner')",
        (owner.org_id, administrator.user_id),
    )
    assert code(members(client, key)) == (401, "unauthenticated")


def test_without_a_membership_of_its_maker_there_is_no_key(
    client: FlaskClient, administrator: Person, admin: psycopg.Connection[Any]
) -> None:
    """However the membership went away."""
    key = make_key(client, administrator)

    admin.execute("delete from memberships where user_id = %s", (administrator.user_id,))

    assert code(members(client, key)) == (401, "unauthenticated")


@pytest.mark.usefixtures("functions")
def test_a_key_may_do_no_more_than_its_maker_may_now(
    client: FlaskClient, owner: Person, administrator: Person, make_account: Callable[..., int]
) -> None:
    account = make_account(owner.org_id, "1")
    key = make_key(client, administrator)

    def may(role: str) -> list[int]:
        answer = client.patch(f"/members/{administrator.user_id}", json={"role": role}, headers=owner.headers)
        assert answer.status_code == 200
        assert listed(client, owner, key)["role"] == role
        return [each.status_code for each in (connections(key), runs(key, account), members(client, key))]

    assert may("editor") == [200, 202, 403]
    assert may("viewer") == [200, 403, 403]
    assert may("admin") == [200, 202, 200]


def test_a_key_stays_below_a_maker_who_rises(client: FlaskClient, owner: Person, administrator: Person) -> None:
    key = make_key(client, administrator, scopes=["members:read"])

    client.patch(f"/members/{administrator.user_id}", json={"role": "owner"}, headers=owner.headers)

    assert listed(client, owner, key)["role"] == "admin"


@pytest.mark.usefixtures("functions")
def test_a_key_sees_the_accounts_that_it_was_given_and_its_maker_has(
    client: FlaskClient, owner: Person, administrator: Person, make_account: Callable[..., int]
) -> None:
    one, two = make_account(owner.org_id, "1"), make_account(owner.org_id, "2")
    narrow = make_key(client, administrator, accounts=[one])
    wide = make_key(client, administrator)

    def reached(key: dict[str, Any]) -> list[int]:
        found = [account for account in (one, two) if runs(key, account).get_json().get("planned") not in (None, [])]
        assert len(connections(key).get_json()["connections"]) == len(found)
        return found

    assert (reached(narrow), reached(wide)) == ([one], [one, two])
    client.patch(f"/members/{administrator.user_id}", json={"accounts": [two]}, headers=owner.headers)
    assert (reached(narrow), reached(wide)) == ([], [two])
    assert (listed(client, owner, narrow)["accounts"], listed(client, owner, wide)["accounts"]) == ([], [two])
    assert client.delete(f"/keys/{narrow['key_id']}", headers=owner.headers).status_code == 204


def test_nobody_gives_a_key_more_than_they_have(client: FlaskClient, auth: Database, owner: Person) -> None:
    narrowed = person(auth, owner.org_id, "narrowed", "admin", "3,17")
    of_all = make_key(client, owner)

    assert code(ask_for_key(client, narrowed, role="owner")) == (403, "role_above")
    assert code(ask_for_key(client, narrowed, accounts=[3, 4])) == (403, "account_outside")
    assert make_key(client, narrowed, accounts=[17])["accounts"] == [17]
    assert make_key(client, narrowed)["accounts"] == [3, 17]
    assert code(client.delete(f"/keys/{of_all['key_id']}", headers=narrowed.headers)) == (403, "account_outside")
    of_owners = make_key(client, owner, role="owner", accounts=[3])
    assert code(client.delete(f"/keys/{of_owners['key_id']}", headers=narrowed.headers)) == (403, "role_above")


def test_a_role_that_is_too_low_for_a_scope_is_refused(client: FlaskClient, owner: Person) -> None:
    assert code(ask_for_key(client, owner, scopes=["runs:write"], role="approver")) == (409, "role_too_low")
    assert make_key(client, owner, scopes=["connections:read", "runs:write", "runs:write"])["role"] == "editor"


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"days": 0},
        {"days": 367},
        {"per_minute": 0},
        {"per_minute": 1001},
        {"accounts": []},
        {"name": ""},
        {"expires_at": "2099-01-01"},
    ],
)
def test_a_key_without_an_end_a_limit_or_a_scope_cannot_be_made(
    client: FlaskClient, owner: Person, wrong: dict[str, Any]
) -> None:
    assert code(ask_for_key(client, owner, **wrong)) == (422, "validation_failed")


def test_a_key_is_of_one_organisation(client: FlaskClient, owner: Person, outsider: Person) -> None:
    key, theirs = make_key(client, owner), make_key(client, outsider)

    assert members(client, key, **{"X-Adloom-Org": str(owner.org_id)}).status_code == 200
    assert code(members(client, key, **{"X-Adloom-Org": str(outsider.org_id)})) == (403, "other_organisation")
    assert code(members(client, key, **{"X-Adloom-Org": str(uuid4())})) == (403, "other_organisation")
    assert code(client.delete(f"/keys/{theirs['key_id']}", headers=owner.headers)) == (404, "not_found")
    assert [each["key_id"] for each in client.get("/keys", headers=owner.headers).get_json()["keys"]] == [key["key_id"]]
    emails = {each["email"] for each in members(client, theirs).get_json()["members"]}
    assert emails == {outsider.email}


def test_only_administrators_see_or_make_keys(client: FlaskClient, owner: Person, viewer: Person) -> None:
    assert code(ask_for_key(client, viewer)) == (403, "forbidden")
    assert code(client.get("/keys", headers=viewer.headers)) == (403, "forbidden")


def test_a_use_is_noted_at_most_once_a_minute(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    key = make_key(client, owner)
    assert listed(client, owner, key)["last_used_at"] is None

    def used() -> str:
        members(client, key)
        return str(listed(client, owner, key)["last_used_at"])

    first = used()
    assert used() == first
    admin.execute(
        "update api_keys set last_used_at = last_used_at - interval '61 seconds' where key_id = %s", (key["key_id"],)
    )
    assert used() > first


def test_the_operators_key_for_an_organisation_has_no_maker(client: FlaskClient, owner: Person, org_id: UUID) -> None:
    body = {"name": "Of the operator", "scopes": ["members:read"]}
    answer = client.post("/keys", json=body, headers=OPERATOR | {"X-Adloom-Org": str(org_id)})

    assert answer.status_code == 201
    key = answer.get_json()
    assert (key["maker"], key["role"], key["accounts"]) == (None, "admin", None)
    assert members(client, key).status_code == 200
    assert client.delete(f"/keys/{key['key_id']}", headers=owner.headers).status_code == 204


def test_keys_that_ended_are_listed_for_three_months(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    ages = {"89": make_key(client, owner), "91": make_key(client, owner)}
    alive = make_key(client, owner)
    for age, key in ages.items():
        admin.execute(
            "update api_keys set expires_at = now() - make_interval(days => %s) where key_id = %s",
            (int(age), key["key_id"]),
        )

    assert client.post("/").status_code == 202

    left = {each["key_id"] for each in client.get("/keys", headers=owner.headers).get_json()["keys"]}
    assert left == {ages["89"]["key_id"], alive["key_id"]}
