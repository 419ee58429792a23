"""Roles and accounts of members: who may give what to whom, and that old rights end with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adloom.db import Database
from adloom.identity.roles import Role
from tests.integration.auth_rig import (
    OPERATOR,
    admin,
    administrator,
    auth,
    client,
    code,
    events,
    make_stale,
    org_id,
    owner,
    viewer,
)
from tests.integration.cast import MakeOrganisation, Person, person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

__all__ = ["admin", "administrator", "auth", "client", "org_id", "owner", "viewer"]


def change(client: FlaskClient, by: Person, whom: Person, **what: Any) -> Any:
    return client.patch(f"/members/{whom.user_id}", json=what, headers=by.headers)


def works(client: FlaskClient, who: Person) -> bool:
    return bool(client.get("/session", headers=who.headers).status_code == 200)


def test_another_role_ends_the_members_sessions_here(
    client: FlaskClient, administrator: Person, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    made = change(client, administrator, viewer, role="editor")

    assert (made.status_code, made.get_json()["role"], made.get_json()["accounts"]) == (200, "editor", [3, 17])
    assert not works(client, viewer)
    assert events(admin, viewer.user_id) == [viewer.org_id]
    reasons = admin.execute("select distinct ended_because from sessions where user_id = %s", (viewer.user_id,))
    assert reasons.fetchall() == [("role",)]


def test_sessions_in_another_organisation_go_on(
    client: FlaskClient,
    owner: Person,
    viewer: Person,
    make_organisation: MakeOrganisation,
    admin: psycopg.Connection[Any],
) -> None:
    other = make_organisation("Other")
    admin.execute("insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')", (other, viewer.user_id))
    moved = client.post("/session/switch", json={"org_id": str(other)}, headers=viewer.headers).get_json()["token"]

    assert change(client, owner, viewer, role="editor").status_code == 200

    assert client.get("/session", headers={"Authorization": f"Bearer {moved}"}).status_code == 200


@pytest.mark.parametrize(
    ("what", "accounts"), [({"accounts": [17, 3, 3]}, [3, 17]), ({"all_accounts": True}, None), ({}, [3, 17])]
)
def test_accounts_are_given_and_taken(
    client: FlaskClient, owner: Person, viewer: Person, what: dict[str, Any], accounts: list[int] | None
) -> None:
    assert change(client, owner, viewer, **what).get_json()["accounts"] == accounts
    assert works(client, viewer) == (accounts == [3, 17])


@pytest.mark.parametrize("role", ["owner"])
def test_nobody_gives_a_role_above_the_own(
    client: FlaskClient, administrator: Person, viewer: Person, role: Role
) -> None:
    assert code(change(client, administrator, viewer, role=role)) == (403, "role_above")
    assert works(client, viewer)


def test_an_admin_touches_no_owner(client: FlaskClient, administrator: Person, owner: Person) -> None:
    assert code(change(client, administrator, owner, role="viewer")) == (403, "role_above")
    for path in (f"/members/{owner.user_id}", f"/members/{owner.user_id}/sessions"):
        assert code(client.delete(path, headers=administrator.headers)) == (403, "role_above")
    assert works(client, owner)


@pytest.mark.parametrize(
    ("what", "status"), [({"accounts": [3]}, 200), ({"accounts": [5]}, 403), ({"all_accounts": True}, 403)]
)
def test_a_narrowed_admin_gives_no_account_that_the_admin_does_not_have(
    client: FlaskClient, auth: Database, org_id: UUID, viewer: Person, what: dict[str, Any], status: int
) -> None:
    narrowed = person(auth, org_id, "narrowed", "admin", "3,17")

    assert change(client, narrowed, viewer, **what).status_code == status


def test_a_narrowed_admin_does_not_touch_who_has_more(
    client: FlaskClient, auth: Database, org_id: UUID, administrator: Person
) -> None:
    narrowed = person(auth, org_id, "narrowed", "admin", "3,17")

    assert code(change(client, narrowed, administrator, role="viewer")) == (403, "account_outside")


def test_nobody_changes_the_own_membership(client: FlaskClient, owner: Person) -> None:
    assert code(change(client, owner, owner, role="viewer")) == (403, "own_membership")
    assert code(client.delete(f"/members/{owner.user_id}", headers=owner.headers)) == (403, "own_membership")


def test_an_organisation_keeps_an_owner(client: FlaskClient, owner: Person, org_id: UUID) -> None:
    named = OPERATOR | {"X-Adloom-Org": str(org_id)}

    answers = [
        client.patch(f"/members/{owner.user_id}", json={"role": "admin"}, headers=named),
        client.delete(f"/members/{owner.user_id}", headers=named),
    ]

    assert [code(answer) for answer in answers] == [(409, "last_owner")] * 2
    assert works(client, owner)


def test_of_two_owners_who_remove_each_other_one_stays(
    client: FlaskClient, auth: Database, org_id: UUID, owner: Person, admin: psycopg.Connection[Any]
) -> None:
    second = person(auth, org_id, "second", "owner")
    ready = threading.Barrier(2)
    statuses: list[int] = []

    def remove(by: Person, whom: Person) -> None:
        ready.wait()
        statuses.append(
            client.application.test_client().delete(f"/members/{whom.user_id}", headers=by.headers).status_code
        )

    threads = [threading.Thread(target=remove, args=pair) for pair in ((owner, second), (second, owner))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Whoever is second is no member any more, or would leave nobody.
    assert min(statuses) == 204
    assert max(statuses) in (401, 409)
    left = admin.execute("select count(*) from memberships where org_id = %s and role = 'owner'", (org_id,)).fetchone()
    assert left == (1,)


def test_who_was_taken_out_has_no_session_and_keeps_the_login(
    client: FlaskClient, owner: Person, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    assert client.delete(f"/members/{viewer.user_id}", headers=owner.headers).status_code == 204

    assert not works(client, viewer)
    assert client.delete(f"/members/{viewer.user_id}", headers=owner.headers).status_code == 404
    assert admin.execute("select 1 from user_credentials where user_id = %s", (viewer.user_id,)).fetchone() == (1,)


def test_an_administrator_ends_a_members_sessions(
    client: FlaskClient, administrator: Person, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    answer = client.delete(f"/members/{viewer.user_id}/sessions", headers=administrator.headers)

    assert answer.get_json() == {"ended": 1}
    assert not works(client, viewer)
    assert events(admin, viewer.user_id) == [viewer.org_id]


def test_members_of_other_organisations_are_not_there(
    client: FlaskClient, auth: Database, owner: Person, make_organisation: MakeOrganisation
) -> None:
    outsider = person(auth, make_organisation("Other"), "outsider", "viewer")

    for user_id in (outsider.user_id, uuid4()):
        assert client.patch(f"/members/{user_id}", json={"role": "admin"}, headers=owner.headers).status_code == 404
        assert client.delete(f"/members/{user_id}", headers=owner.headers).status_code == 404
        assert client.delete(f"/members/{user_id}/sessions", headers=owner.headers).status_code == 404
    assert works(client, outsider)
    listed = client.get("/members", headers=owner.headers).get_json()["members"]
    assert str(outsider.user_id) not in str(listed)


def test_changes_need_a_proof_that_is_not_old(
    client: FlaskClient, owner: Person, viewer: Person, admin: psycopg.Connection[Any]
) -> None:
    make_stale(admin, owner)

    for answer in (
        change(client, owner, viewer, role="admin"),
        client.delete(f"/members/{viewer.user_id}", headers=owner.headers),
        client.delete(f"/members/{viewer.user_id}/sessions", headers=owner.headers),
    ):
        assert code(answer) == (403, "step_up_needed")
    assert client.get("/members", headers=owner.headers).status_code == 200
    assert works(client, viewer)
