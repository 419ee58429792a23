"""A person's sessions: where they are, ending them, proving again who one is, other organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adloom.accounts import arrivals
from adloom.db import Database
from tests.integration.auth_rig import (
    FIREFOX,
    OPERATOR,
    admin,
    auth,
    client,
    events,
    headers,
    make_stale,
    org_id,
    owner,
    viewer,
)
from tests.integration.cast import PASSWORD, MakeOrganisation, Person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

__all__ = ["admin", "auth", "client", "org_id", "owner", "viewer"]


def log_in(client: FlaskClient, who: Person, agent: str = FIREFOX, device: str | None = None) -> Any:
    answer = client.post(
        "/login",
        json={"email": who.email, "password": PASSWORD, "device": device},
        headers={"User-Agent": agent, "X-Forwarded-For": "203.0.113.20"},
    )
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def works(client: FlaskClient, token: str) -> bool:
    return bool(client.get("/session", headers=headers(token)).status_code == 200)


def test_the_list_says_from_where_and_which_is_this_one(client: FlaskClient, owner: Person, viewer: Person) -> None:
    made = log_in(client, owner)

    listed = client.get("/sessions", headers=headers(made["token"])).get_json()["sessions"]

    assert len(listed) == 2
    [this] = [one for one in listed if one["current"]]
    assert (this["device"], this["address"], this["place"]) == ("Firefox on Linux", "203.0.113.20", "")
    assert this["organisation"] == {"org_id": str(owner.org_id), "name": "Acme"}
    assert made["token"] not in str(listed)


def test_one_is_ended_at_once_and_its_organisation_hears_of_it(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    here, there = log_in(client, owner)["token"], log_in(client, owner)["token"]
    listed = client.get("/sessions", headers=headers(there)).get_json()["sessions"]
    [ended] = [one["session_id"] for one in listed if one["current"]]

    assert client.delete(f"/sessions/{ended}", headers=headers(here)).status_code == 204

    assert (works(client, there), works(client, here)) == (False, True)
    assert events(admin, owner.user_id) == [owner.org_id]
    assert client.delete(f"/sessions/{ended}", headers=headers(here)).status_code == 404


def test_nobody_ends_the_session_of_somebody_else(client: FlaskClient, owner: Person, viewer: Person) -> None:
    [theirs] = client.get("/sessions", headers=owner.headers).get_json()["sessions"]

    for session_id in (theirs["session_id"], uuid4()):
        assert client.delete(f"/sessions/{session_id}", headers=viewer.headers).status_code == 404
    assert works(client, owner.token)


def test_all_others_end_and_other_browsers_are_forgotten(
    client: FlaskClient, owner: Person, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    here, there = log_in(client, owner), log_in(client, owner)

    answer = client.delete("/sessions", headers=headers(here["token"]))

    assert answer.get_json() == {"ended": 2}
    assert [works(client, each) for each in (here["token"], there["token"], owner.token)] == [True, False, False]
    assert works(client, viewer.token)
    assert log_in(client, owner, device=here["device"])["device"] is None
    assert log_in(client, owner, device=there["device"])["device"] is not None


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/sessions"), ("DELETE", f"/sessions/{UUID(int=7)}")])
def test_an_old_proof_does_not_suffice_to_end_sessions(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any], method: str, path: str
) -> None:
    make_stale(admin, owner)

    answer = client.open(path, method=method, headers=owner.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "step_up_needed")
    assert works(client, owner.token)


def test_a_new_proof_gives_a_new_token_for_the_same_session(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    make_stale(admin, owner)
    before = client.get("/session", headers=owner.headers).get_json()

    made = client.post("/session/step-up", json={"password": PASSWORD}, headers=owner.headers).get_json()

    assert (works(client, owner.token), works(client, made["token"])) == (False, True)
    after = client.get("/session", headers=headers(made["token"])).get_json()
    assert after["authenticated_at"] > before["authenticated_at"]
    assert len(client.get("/sessions", headers=headers(made["token"])).get_json()["sessions"]) == 1
    assert events(admin, owner.user_id) == [owner.org_id], "so that nobody believes the old token any longer"
    assert client.delete("/sessions", headers=headers(made["token"])).status_code == 200


def test_a_new_proof_makes_no_session_longer(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    query = "select expires_at from sessions where user_id = %s"
    before = admin.execute(query, (owner.user_id,)).fetchone()

    client.post("/session/step-up", json={"password": PASSWORD}, headers=owner.headers)

    assert admin.execute(query, (owner.user_id,)).fetchone() == before


def test_a_wrong_proof_changes_nothing_and_may_be_tried_five_times(client: FlaskClient, owner: Person) -> None:
    statuses = [
        client.post("/session/step-up", json={"password": "not the password"}, headers=owner.headers).status_code
        for _ in range(6)
    ]

    assert statuses == [403] * 5 + [429]
    assert works(client, owner.token)


def test_a_person_of_two_organisations_switches_between_them(
    client: FlaskClient,
    auth: Database,
    owner: Person,
    make_organisation: MakeOrganisation,
    admin: psycopg.Connection[Any],
) -> None:
    other = make_organisation("Other")
    admin.execute("insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')", (other, owner.user_id))

    listed = client.get("/organisations", headers=owner.headers).get_json()["organisations"]
    assert [(one["name"], one["role"]) for one in listed] == [("Acme", "owner"), ("Other", "viewer")]
    made = client.post("/session/switch", json={"org_id": str(other)}, headers=owner.headers).get_json()

    assert works(client, owner.token) is False
    there = client.get("/session", headers=headers(made["token"])).get_json()
    assert (there["organisation"]["name"], there["role"]) == ("Other", "viewer")
    assert client.get("/members", headers=headers(made["token"])).status_code == 403
    back = client.post("/session/switch", json={"org_id": str(owner.org_id)}, headers=headers(made["token"]))
    assert client.get("/members", headers=headers(back.get_json()["token"])).status_code == 200
    assert events(admin, owner.user_id) == [owner.org_id, other]


def test_nobody_switches_to_an_organisation_of_others(
    client: FlaskClient, owner: Person, make_organisation: MakeOrganisation, admin: psycopg.Connection[Any]
) -> None:
    for other in (make_organisation("Other"), uuid4()):
        answer = client.post("/session/switch", json={"org_id": str(other)}, headers=owner.headers)

        assert (answer.status_code, answer.get_json()["code"]) == (403, "no_member")
    assert works(client, owner.token)
    assert events(admin, owner.user_id) == []


def test_sessions_in_another_organisation_are_listed_and_ended_too(
    client: FlaskClient,
    auth: Database,
    owner: Person,
    make_organisation: MakeOrganisation,
    admin: psycopg.Connection[Any],
) -> None:
    other = make_organisation("Other")
    admin.execute("insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')", (other, owner.user_id))
    there = client.post("/session/switch", json={"org_id": str(other)}, headers=owner.headers).get_json()["token"]
    here = log_in(client, owner)["token"]

    listed = client.get("/sessions", headers=headers(here)).get_json()["sessions"]
    assert {one["organisation"]["name"] for one in listed} == {"Acme", "Other"}
    assert client.delete("/sessions", headers=headers(here)).get_json() == {"ended": 1}

    assert (works(client, there), works(client, here)) == (False, True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/sessions", None),
        ("DELETE", "/sessions", None),
        ("GET", "/organisations", None),
        ("POST", "/session/step-up", {"password": PASSWORD}),
        ("POST", "/session/switch", {"org_id": str(uuid4())}),
        ("POST", "/logout", None),
    ],
)
def test_the_operators_key_is_no_session(client: FlaskClient, method: str, path: str, body: Any) -> None:
    answer = client.open(path, method=method, json=body, headers=OPERATOR)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "no_session")


def mails(admin: psycopg.Connection[Any], user_id: UUID) -> list[dict[str, Any]]:
    rows = admin.execute(
        "select data from mail_outbox where template = 'new_device' and user_id = %s order by created_at", (user_id,)
    )
    return [row[0] for row in rows]


def test_a_mail_tells_of_a_browser_that_is_new(
    client: FlaskClient, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    first = log_in(client, owner)
    assert mails(admin, owner.user_id) == [], "the first browser of all is no news"

    log_in(client, owner, device=first["device"])
    assert mails(admin, owner.user_id) == []

    log_in(client, owner, agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0 Safari/537.36")
    [told] = mails(admin, owner.user_id)
    assert (told["device"], told["address"], told["name"]) == ("Chrome on Windows", "203.0.113.20", "Owner")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        ("<script>alert(1)</script>", "Unknown device"),
        ("x" * 100_000, "Unknown device"),
    ],
)
def test_a_device_in_words(agent: str, name: str) -> None:
    assert arrivals.device_name(agent) == name
