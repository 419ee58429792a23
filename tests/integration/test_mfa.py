"""The second factor: setting it up, logging in with it, losing it, and no way around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from adloom.db import Database
from adloom.identity import totp
from functions.auth.handler import AuthSettings, app
from tests.integration.auth_rig import (
    OPERATOR_KEY,
    Admin,
    admin,
    auth,
    client,
    headers,
    log_in,
    org_id,
    owner,
    viewer,
)
from tests.integration.cast import PASSWORD, MakeOrganisation, Person, auth_settings, code_of, person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "client", "org_id", "owner", "viewer"]


@pytest.fixture(autouse=True)
def real_deployment(client: FlaskClient, postgres: Postgres, auth: Database) -> None:
    """No sandbox: nobody is exempt."""
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY, sandbox_url=None)), auth)


def enrol(client: FlaskClient, who: Person) -> tuple[str, list[str]]:
    """Set up an app for somebody with a session; its secret and the recovery codes. `who.token` has ended then."""
    secret = client.post("/mfa/authenticator", headers=who.headers).get_json()["secret"]
    answer = client.post("/mfa/authenticator/confirm", json={"code": code_of(secret, -1)}, headers=who.headers)
    assert answer.status_code == 200, answer.get_json()
    object.__setattr__(who, "token", answer.get_json()["token"])
    return secret, answer.get_json()["recovery_codes"]


def step_two(client: FlaskClient, challenge: str, code: str) -> Any:
    return client.post("/login/code", json={"challenge": challenge, "code": code})


def challenge_of(client: FlaskClient, email: str) -> str:
    answer = log_in(client, email)
    assert answer.get_json()["next"] == "code", answer.get_json()
    return str(answer.get_json()["challenge"])


def mails(admin: Admin, user_id: UUID) -> list[str]:
    rows = admin.execute("select template from mail_outbox where user_id = %s order by created_at", (user_id,))
    return [row[0] for row in rows]


def test_a_viewer_without_a_second_factor_logs_in_with_the_password(client: FlaskClient, viewer: Person) -> None:
    assert "token" in log_in(client, viewer.email).get_json()


def test_the_log_in_becomes_two_steps(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    secret, _codes = enrol(client, viewer)

    first = log_in(client, viewer.email).get_json()
    assert set(first) == {"next", "challenge", "expires_at"}
    second = step_two(client, first["challenge"], code_of(secret))

    assert second.status_code == 200
    token = second.get_json()["token"]
    assert client.get("/session", headers=headers(token)).status_code == 200
    methods = admin.execute(
        "select methods from sessions where user_id = %s order by created_at desc", (viewer.user_id,)
    )
    assert methods.fetchone() == (["password", "totp"],)


def test_a_challenge_opens_nothing(client: FlaskClient, viewer: Person) -> None:
    enrol(client, viewer)

    answer = client.get("/session", headers=headers(challenge_of(client, viewer.email)))

    assert answer.status_code == 401


def test_a_code_works_once(client: FlaskClient, viewer: Person) -> None:
    secret, _codes = enrol(client, viewer)
    code = code_of(secret)
    assert step_two(client, challenge_of(client, viewer.email), code).status_code == 200

    again = step_two(client, challenge_of(client, viewer.email), code)

    assert (again.status_code, again.get_json()["code"]) == (401, "wrong_code")


def test_the_code_that_confirmed_the_app_does_not_log_in(client: FlaskClient, viewer: Person) -> None:
    secret, _codes = enrol(client, viewer)

    assert step_two(client, challenge_of(client, viewer.email), code_of(secret, -1)).status_code == 401


def test_a_challenge_works_once_and_for_its_purpose(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    secret, codes = enrol(client, viewer)
    challenge = challenge_of(client, viewer.email)
    assert client.post("/login/enrol", json={"challenge": challenge}).status_code == 401
    body = {"challenge": challenge, "code": code_of(secret)}
    assert client.post("/login/enrol/confirm", json=body).get_json()["code"] == "challenge_gone"
    assert step_two(client, challenge, code_of(secret)).status_code == 200

    assert step_two(client, challenge, codes[0]).get_json()["code"] == "challenge_gone"
    expired = challenge_of(client, viewer.email)
    admin.execute("update login_challenges set expires_at = now()")
    assert step_two(client, expired, codes[0]).get_json()["code"] == "challenge_gone"
    assert step_two(client, "adl_c_" + "x" * 43, codes[0]).get_json()["code"] == "challenge_gone"


def test_a_challenge_ends_with_the_fifth_wrong_code(
    client: FlaskClient,
    viewer: Person,
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _secret, codes = enrol(client, viewer)
    challenge = challenge_of(client, viewer.email)
    monkeypatch.setattr("adloom.accounts.attempts.ATTEMPTS", "100/minute")

    for _ in range(5):
        assert step_two(client, challenge, "000000").get_json()["code"] == "wrong_code"

    assert step_two(client, challenge, codes[0]).get_json()["code"] == "challenge_gone"


def test_wrong_codes_lock_the_app_for_longer_each_time_and_the_person_hears_of_it(
    client: FlaskClient,
    viewer: Person,
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret, codes = enrol(client, viewer)
    monkeypatch.setattr("adloom.accounts.attempts.ATTEMPTS", "100/minute")
    waits = []
    for _ in range(3):
        challenge = challenge_of(client, viewer.email)
        for _ in range(5):
            assert step_two(client, challenge, "000000").status_code == 401
        waits.append(
            admin.execute(
                "select round(extract(epoch from locked_until - now()) / 60)::int from authenticators"
                " where user_id = %s",
                (viewer.user_id,),
            ).fetchone()
        )
        locked = step_two(client, challenge_of(client, viewer.email), code_of(secret))
        assert (locked.status_code, locked.get_json()["code"]) == (429, "codes_locked")
        admin.execute("update authenticators set locked_until = now()")

    assert waits == [(1,), (2,), (4,)]
    assert mails(admin, viewer.user_id).count("wrong_codes") == 3
    admin.execute("update authenticators set locked_until = now() + interval '1 hour'")
    assert step_two(client, challenge_of(client, viewer.email), codes[0]).status_code == 200, "a recovery code is taken"


def test_code_attempts_are_limited_for_the_account(client: FlaskClient, viewer: Person) -> None:
    enrol(client, viewer)
    challenge = challenge_of(client, viewer.email)

    answers = [step_two(client, challenge, "000000").status_code for _ in range(6)]

    assert answers == [401] * 5 + [429]


def test_a_recovery_code_works_once_and_is_mailed(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    _secret, codes = enrol(client, viewer)
    assert len(set(codes)) == 10
    typed = codes[0].upper().replace("-", " ")

    assert step_two(client, challenge_of(client, viewer.email), typed).status_code == 200
    assert step_two(client, challenge_of(client, viewer.email), codes[0]).status_code == 401

    assert mails(admin, viewer.user_id).count("recovery_code_used") == 1
    assert client.get("/mfa", headers=viewer.headers).get_json()["recovery_codes_left"] == 9
    stored = admin.execute("select row_to_json(r)::text from recovery_codes r").fetchall()
    assert totp.compact(codes[1]) not in str(stored)


def test_new_recovery_codes_take_the_place_of_the_old(client: FlaskClient, viewer: Person) -> None:
    _secret, old = enrol(client, viewer)

    new = client.post("/mfa/recovery-codes", headers=viewer.headers).get_json()["recovery_codes"]

    assert not set(new) & set(old)
    assert step_two(client, challenge_of(client, viewer.email), old[0]).status_code == 401
    assert step_two(client, challenge_of(client, viewer.email), new[0]).status_code == 200


def test_the_secret_is_stored_sealed(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    secret, _codes = enrol(client, viewer)

    row = admin.execute("select secret, pending from authenticators where user_id = %s", (viewer.user_id,)).fetchone()

    assert row is not None
    assert bytes(row[0]).startswith(b"gAAAA")
    assert secret.encode() not in bytes(row[0])
    assert row[1] is None


def test_an_app_that_was_not_confirmed_asks_for_nothing(client: FlaskClient, viewer: Person) -> None:
    client.post("/mfa/authenticator", headers=viewer.headers)

    assert "token" in log_in(client, viewer.email).get_json()
    wrong = client.post("/mfa/authenticator/confirm", json={"code": "000000"}, headers=viewer.headers)
    assert (wrong.status_code, wrong.get_json()["code"]) == (400, "wrong_code")
    assert client.get("/mfa", headers=viewer.headers).get_json()["enabled_at"] is None


def test_another_app_takes_over_once_it_is_confirmed(client: FlaskClient, viewer: Person) -> None:
    old, _codes = enrol(client, viewer)
    client.post("/mfa/authenticator", headers=viewer.headers)
    assert step_two(client, challenge_of(client, viewer.email), code_of(old)).status_code == 200

    new, _codes = enrol(client, viewer)

    assert step_two(client, challenge_of(client, viewer.email), code_of(old, 1)).status_code == 401
    assert step_two(client, challenge_of(client, viewer.email), code_of(new)).status_code == 200


def test_setting_it_up_gives_a_new_token_and_ends_all_other_sessions(client: FlaskClient, viewer: Person) -> None:
    before, other = viewer.token, log_in(client, viewer.email).get_json()["token"]

    enrol(client, viewer)

    assert client.get("/session", headers=headers(before)).status_code == 401
    assert client.get("/session", headers=headers(other)).status_code == 401
    assert client.get("/session", headers=viewer.headers).status_code == 200


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_owners_and_admins_get_no_session_before_they_have_one(
    client: FlaskClient,
    auth: Database,
    org_id: UUID,
    admin: Admin,
    role: Any,
) -> None:
    boss = person(auth, org_id, "boss", role)
    first = log_in(client, boss.email).get_json()
    assert first["next"] == "enrol"

    shown = client.post("/login/enrol", json={"challenge": first["challenge"]}).get_json()
    assert shown["qr_svg"].startswith("<svg")
    body = {"challenge": first["challenge"], "code": "000000"}
    assert client.post("/login/enrol/confirm", json=body).status_code == 400
    answer = client.post("/login/enrol/confirm", json=body | {"code": code_of(shown["secret"])}).get_json()

    assert len(answer["recovery_codes"]) == 10
    assert client.get("/session", headers=headers(answer["token"])).get_json()["role"] == role
    assert client.get("/session", headers=boss.headers).status_code == 401, "sessions of before have ended"
    assert client.post("/login/enrol/confirm", json=body).get_json()["code"] == "challenge_gone"
    assert log_in(client, boss.email).get_json()["next"] == "code"
    assert "mfa_on" in mails(admin, boss.user_id)


def test_an_old_enrolment_cannot_replace_the_app_that_is_in_use(client: FlaskClient, owner: Person) -> None:
    stale = log_in(client, owner.email).get_json()["challenge"]
    shown = client.post("/login/enrol", json={"challenge": stale}).get_json()
    enrol(client, owner)

    assert client.post("/login/enrol", json={"challenge": stale}).status_code == 409
    answer = client.post("/login/enrol/confirm", json={"challenge": stale, "code": code_of(shown["secret"])})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "mfa_on")


def test_the_demos_owner_is_exempt_beside_a_sandbox_only(
    client: FlaskClient,
    owner: Person,
    auth: Database,
    postgres: Postgres,
) -> None:
    assert log_in(client, owner.email).get_json()["next"] == "enrol"

    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY)), auth)

    session = log_in(client, owner.email).get_json()
    shown = client.get("/mfa", headers=headers(session["token"])).get_json()
    assert (shown["required"], shown["exempt"]) == (False, True)


def test_who_needs_it_cannot_do_without(client: FlaskClient, owner: Person, viewer: Person, admin: Admin) -> None:
    enrol(client, owner)
    enrol(client, viewer)

    refused = client.delete("/mfa/authenticator", headers=owner.headers)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "mfa_required")
    assert client.delete("/mfa/authenticator", headers=viewer.headers).status_code == 204

    assert "token" in log_in(client, viewer.email).get_json()
    assert "mfa_off" in mails(admin, viewer.user_id)
    assert admin.execute("select count(*) from recovery_codes where user_id = %s", (viewer.user_id,)).fetchone() == (0,)


def test_an_admin_takes_away_a_lost_factor(
    client: FlaskClient,
    auth: Database,
    org_id: UUID,
    viewer: Person,
    admin: Admin,
) -> None:
    boss = person(auth, org_id, "boss", "admin")
    enrol(client, viewer)

    assert client.delete(f"/members/{viewer.user_id}/mfa", headers=boss.headers).status_code == 204

    assert client.get("/session", headers=viewer.headers).status_code == 401
    assert "token" in log_in(client, viewer.email).get_json()
    assert "mfa_off" in mails(admin, viewer.user_id)


def test_who_may_not_take_a_factor_away(
    client: FlaskClient,
    auth: Database,
    org_id: UUID,
    owner: Person,
    viewer: Person,
    make_organisation: MakeOrganisation,
) -> None:
    boss = person(auth, org_id, "boss", "admin")
    stranger = person(auth, make_organisation("Other"), "stranger", "owner")
    enrol(client, viewer)

    tries = {
        viewer: (viewer.user_id, 403),  # the own one
        boss: (owner.user_id, 403),  # an owner's
        stranger: (viewer.user_id, 404),  # somebody's elsewhere
    }
    for who, (target, status) in tries.items():
        assert client.delete(f"/members/{target}/mfa", headers=who.headers).status_code == status
    assert client.delete(f"/members/{boss.user_id}/mfa", headers=boss.headers).status_code == 403
    assert log_in(client, viewer.email).get_json()["next"] == "code"


def test_an_organisation_elsewhere_does_not_weaken_a_log_in(
    client: FlaskClient,
    auth: Database,
    viewer: Person,
    admin: Admin,
    make_organisation: MakeOrganisation,
) -> None:
    elsewhere = person(auth, make_organisation("Other"), "boss", "owner")
    enrol(client, viewer)
    admin.execute(
        "insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')", (elsewhere.org_id, viewer.user_id)
    )

    answer = client.delete(f"/members/{viewer.user_id}/mfa", headers=elsewhere.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_at_home")


def test_proving_again_asks_for_the_code_too(client: FlaskClient, viewer: Person) -> None:
    secret, codes = enrol(client, viewer)
    url, right = "/session/step-up", {"password": PASSWORD}

    assert client.post(url, json=right, headers=viewer.headers).get_json()["code"] == "code_needed"
    wrong = client.post(url, json=right | {"code": "000000"}, headers=viewer.headers)
    assert (wrong.status_code, wrong.get_json()["code"]) == (403, "wrong_code")
    answer = client.post(url, json=right | {"code": code_of(secret)}, headers=viewer.headers).get_json()
    assert client.post(url, json=right | {"code": codes[0]}, headers=headers(answer["token"])).status_code == 200


def test_an_admins_session_is_not_had_by_switching_to_where_one_is_admin(
    client: FlaskClient,
    viewer: Person,
    admin: Admin,
    make_organisation: MakeOrganisation,
) -> None:
    other = make_organisation("Other")
    admin.execute("insert into memberships (org_id, user_id, role) values (%s, %s, 'admin')", (other, viewer.user_id))

    refused = client.post("/session/switch", json={"org_id": str(other)}, headers=viewer.headers)

    assert (refused.status_code, refused.get_json()["code"]) == (403, "mfa_needed")
    assert log_in(client, viewer.email).get_json()["next"] == "enrol"
    enrol(client, viewer)
    assert client.post("/session/switch", json={"org_id": str(other)}, headers=viewer.headers).status_code == 200


def test_a_challenge_does_not_outlive_the_password(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    secret, _codes = enrol(client, viewer)
    challenge = challenge_of(client, viewer.email)

    admin.execute("update user_credentials set password_hash = 'another' where user_id = %s", (viewer.user_id,))

    assert step_two(client, challenge, code_of(secret)).get_json()["code"] == "challenge_gone"
