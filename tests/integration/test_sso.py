"""People log in by a provider: new ones as viewers, linked ones as themselves, with their second factor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from adloom.db import Database
from adloom.keyring import KeyRing
from functions.auth.handler import app
from tests.integration.auth_rig import FIREFOX, Admin, admin, auth, client, headers, make_stale, org_id, owner, viewer
from tests.integration.cast import MAIL_RING, PASSWORD, MakeOrganisation, Person, code_of
from tests.integration.sso_rig import Browser, Provider, at_provider, browser, by_sandbox, provider, use
from tests.unit.sandbox.support import Sandbox, sandbox

if TYPE_CHECKING:
    from uuid import UUID

    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "browser", "by_sandbox", "client", "org_id", "owner", "provider", "sandbox", "viewer"]


def mails(admin: Admin, user_id: object) -> list[str]:
    rows = admin.execute("select template from mail_outbox where user_id = %s order by created_at", (str(user_id),))
    return [row[0] for row in rows.fetchall()]


def identities(admin: Admin) -> list[tuple[str, str, str]]:
    rows = admin.execute("select u.email, i.subject, i.issuer from sso_identities i join users u using (user_id)")
    return sorted(rows.fetchall())


def test_somebody_new_of_a_domain_that_is_let_in_becomes_a_viewer(
    client: FlaskClient, browser: Browser, provider: Provider, org_id: UUID, admin: Admin
) -> None:
    answer = browser.log_in("nora")

    assert answer.status_code == 200, answer.text
    login = answer.get_json()["login"]
    assert login["user"] | {"user_id": ""} == {
        "user_id": "",
        "email": "nora@adloom.local",
        "name": "Nora Newman",
        "role": "viewer",
    }
    assert login["organisation"]["org_id"] == str(org_id)
    now = client.get("/session", headers=headers(login["token"])).get_json()
    assert (now["role"], now["account_scope"]) == ("viewer", "*")
    assert identities(admin) == [("nora@adloom.local", "sandbox-nora", provider.issuer)]
    stored = admin.execute(
        "select email_verified_at is not null, (select count(*) from user_credentials c where c.user_id = u.user_id),"
        " (select methods from sessions s where s.user_id = u.user_id) from users u where email = 'nora@adloom.local'"
    ).fetchone()
    assert stored == (True, 0, ["sso"])


def test_who_came_once_is_the_same_person_the_next_time_whatever_became_of_the_address(
    browser: Browser, provider: Provider, admin: Admin
) -> None:
    first = browser.log_in("nora").get_json()["login"]["user"]["user_id"]
    provider.behaves(claims={"email": "married@elsewhere.example", "email_verified": False, "name": "Nora Other"})
    again = browser.log_in("nora").get_json()["login"]

    assert again["user"]["user_id"] == first
    assert (again["user"]["email"], again["user"]["name"]) == ("nora@adloom.local", "Nora Newman")
    assert admin.execute("select last_used_at is not null from sso_identities").fetchall() == [(True,)]


def test_two_first_log_ins_at_once_make_one_person(browser: Browser, provider: Provider, admin: Admin) -> None:
    others = [Browser(app.test_client()) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(answer.status_code for answer in threads.map(lambda one: one.log_in("nora"), others))

    assert statuses[0] == 200
    assert statuses[1] in (200, 403, 409)
    assert len(identities(admin)) == 1
    assert browser.log_in("nora").status_code == 200


def test_a_known_address_is_never_taken_over_but_told_to_link(
    browser: Browser, provider: Provider, owner: Person, admin: Admin
) -> None:
    admin.execute("update users set email = 'nora@adloom.local' where user_id = %s", (owner.user_id,))
    answer = browser.log_in("nora")

    assert (answer.status_code, answer.get_json()["code"]) == (403, "link_first")
    assert "Set-Cookie" not in answer.headers
    assert identities(admin) == []
    count = admin.execute("select count(*) from sessions where user_id = %s", (owner.user_id,)).fetchone()
    assert count == (1,), "only the session that was there"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"email_verified": False}, "email_unverified"),
        ({"email_verified": None}, "email_unverified"),
        ({"email_verified": "true"}, "email_unverified"),
        ({"email_verified": 1}, "email_unverified"),
        ({"email": None}, "email_unverified"),
        ({"email": ["nora@adloom.local"]}, "email_unverified"),
        ({"email": "nora@adloom.local@evil.example"}, "email_unverified"),
        ({"email": "nora@sub.adloom.local"}, "not_invited"),
        ({"email": "nora@adloom.local.evil.example"}, "not_invited"),
        ({"email": "nora@evil-adloom.local"}, "not_invited"),
        ({"email": "nora@adloom.locale"}, "not_invited"),
        ({"email": "nora@adl\u043eom.local"}, "email_unverified"),
        ({"email": "nora@adloom.local\n"}, "email_unverified"),
        ({"email": "nora@adloom.local."}, "not_invited"),
    ],
)
def test_nobody_comes_in_by_an_address_that_is_not_verified_or_of_another_domain(
    browser: Browser, provider: Provider, admin: Admin, claims: dict[str, Any], code: str
) -> None:
    provider.behaves(claims=claims)
    answer = browser.log_in("nora")

    assert (answer.status_code, answer.get_json()["code"]) == (403, code)
    assert identities(admin) == []
    assert admin.execute(
        "select count(*) from users where name = 'Nora Newman' and email like 'nora@%'"
    ).fetchone() == (0,)


def test_an_unverified_address_does_not_say_whether_there_is_an_account(
    browser: Browser, provider: Provider, owner: Person, admin: Admin
) -> None:
    provider.behaves(claims={"email_verified": False})
    unknown = browser.log_in("nora").get_json()
    admin.execute("update users set email = 'nora@adloom.local' where user_id = %s", (owner.user_id,))
    known = browser.log_in("nora").get_json()

    assert known | {"request_id": ""} == unknown | {"request_id": ""}


def test_the_case_of_an_address_makes_no_second_person(browser: Browser, provider: Provider, admin: Admin) -> None:
    provider.behaves(claims={"email": "Nora@ADLOOM.Local"})
    assert browser.log_in("nora").get_json()["login"]["user"]["email"] == "nora@adloom.local"
    provider.behaves(claims={"email": "NORA@adloom.local", "sub": "somebody-else"})
    assert browser.log_in("nora").get_json()["code"] == "link_first"
    assert len(identities(admin)) == 1


def test_an_organisation_that_is_not_there_or_not_settled_lets_nobody_in(
    postgres: Postgres,
    auth: Database,
    sandbox: Sandbox,
    browser: Browser,
    provider: Provider,
    make_organisation: MakeOrganisation,
) -> None:
    make_organisation("Another")
    for domains in ("adloom.local", "adloom.local=00000000-0000-0000-0000-000000000001"):
        use(postgres, auth, sandbox, sso_domains=domains)
        answer = browser.log_in("nora")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "no_organisation"), domains


def test_somebody_who_was_taken_out_does_not_come_back_by_the_provider(
    client: FlaskClient, browser: Browser, provider: Provider, owner: Person, admin: Admin
) -> None:
    user_id = browser.log_in("nora").get_json()["login"]["user"]["user_id"]
    assert client.delete(f"/members/{user_id}", headers=owner.headers).status_code == 204
    answer = browser.log_in("nora")

    assert (answer.status_code, answer.get_json()["code"]) == (403, "no_member")
    assert len(identities(admin)) == 1


def test_an_identity_is_linked_once_and_then_logs_in(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, owner: Person, admin: Admin
) -> None:
    linked = browser.link(viewer.token)
    assert (linked.status_code, linked.get_json()["linked"], linked.get_json()["login"]) == (200, "sandbox", None)
    assert linked.get_json()["target"] == "/settings/security"
    assert browser.link(viewer.token).status_code == 200, "twice is harmless"
    taken = browser.link(owner.token)
    assert (taken.status_code, taken.get_json()["code"]) == (409, "identity_taken")

    login = browser.log_in("nora").get_json()["login"]
    assert (login["user"]["user_id"], login["user"]["email"]) == (str(viewer.user_id), viewer.email)
    shown = client.get("/sso/identities", headers=viewer.headers).get_json()
    assert [(one["provider"], one["name"], one["email"]) for one in shown["identities"]] == [
        ("sandbox", "Sandbox ID", "nora@adloom.local")
    ]
    assert shown["has_password"] is True
    assert "sso_linked" in mails(admin, viewer.user_id)


def test_linking_asks_for_a_fresh_proof_and_for_the_session_it_began_in(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, admin: Admin
) -> None:
    body = {"provider": "sandbox", "browser": browser.cookie}
    started = client.post("/sso/link", json=body, headers=viewer.headers).get_json()
    brought = at_provider(started["authorize_url"])
    client.post("/logout", headers=viewer.headers)
    assert browser.come_back(brought).get_json()["code"] == "state_unusable"
    assert identities(admin) == []

    other = person_like(client, viewer)
    make_stale(admin, other)
    assert client.post("/sso/link", json=body, headers=other.headers).get_json()["code"] == "step_up_needed"
    assert client.post("/sso/link", json=body).status_code == 401


def person_like(client: FlaskClient, who: Person) -> Person:
    """The same person with another session."""
    token = client.post("/login", json={"email": who.email, "password": PASSWORD}).get_json()["token"]
    return Person(who.email, who.user_id, who.org_id, token)


def test_the_state_of_a_log_in_links_nothing_and_that_of_a_link_logs_nobody_in(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, admin: Admin
) -> None:
    body = {"provider": "sandbox", "browser": browser.cookie}
    url = client.post("/sso/link", json=body, headers=viewer.headers).get_json()["authorize_url"]
    outcome = browser.come_back(at_provider(url)).get_json()
    assert (outcome["linked"], outcome["login"]) == ("sandbox", None)

    admin.execute("delete from sso_identities")
    outcome = browser.log_in("nora").get_json()
    assert (outcome["linked"], outcome["login"]["user"]["email"]) == (None, "nora@adloom.local")


def test_an_unlinked_identity_logs_nobody_in_and_the_last_way_stays(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, admin: Admin
) -> None:
    browser.link(viewer.token)
    (one,) = client.get("/sso/identities", headers=viewer.headers).get_json()["identities"]
    path = f"/sso/identities/{one['identity_id']}"
    new = browser.client
    assert new.delete(path, headers=viewer.headers).status_code == 204
    assert new.delete(path, headers=viewer.headers).status_code == 404
    assert mails(admin, viewer.user_id)[-1] == "sso_unlinked"

    token = browser.log_in("nora").get_json()["login"]["token"]
    mine = client.get("/sso/identities", headers=headers(token)).get_json()
    assert mine["has_password"] is False
    path = f"/sso/identities/{mine['identities'][0]['identity_id']}"
    assert client.delete(path, headers=viewer.headers).status_code == 404, "it is somebody else's"
    last = client.delete(path, headers=headers(token))
    assert (last.status_code, last.get_json()["code"]) == (409, "last_way")


def test_the_second_factor_stays_for_whoever_has_one(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, admin: Admin
) -> None:
    browser.link(viewer.token)
    secret = client.post("/mfa/authenticator", headers=viewer.headers).get_json()["secret"]
    confirmed = client.post("/mfa/authenticator/confirm", json={"code": code_of(secret, -1)}, headers=viewer.headers)
    assert confirmed.status_code == 200

    step = browser.log_in("nora").get_json()["login"]
    assert (step["next"], "token" in step) == ("code", False)
    wrong = client.post("/login/code", json={"challenge": step["challenge"], "code": "000000"})
    assert wrong.status_code == 401
    session = client.post("/login/code", json={"challenge": step["challenge"], "code": code_of(secret)}).get_json()
    assert session["user"]["user_id"] == str(viewer.user_id)
    assert methods(admin, viewer) == ["sso", "totp"]


def test_a_challenge_ends_with_the_identity_it_was_given_for(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, admin: Admin
) -> None:
    browser.link(viewer.token)
    secret = client.post("/mfa/authenticator", headers=viewer.headers).get_json()["secret"]
    confirmed = client.post("/mfa/authenticator/confirm", json={"code": code_of(secret, -1)}, headers=viewer.headers)
    step = browser.log_in("nora").get_json()["login"]
    token = headers(confirmed.get_json()["token"])
    (one,) = client.get("/sso/identities", headers=token).get_json()["identities"]
    assert client.delete(f"/sso/identities/{one['identity_id']}", headers=token).status_code == 204
    late = client.post("/login/code", json={"challenge": step["challenge"], "code": code_of(secret)})
    assert (late.status_code, late.get_json()["code"]) == (401, "challenge_gone")


def test_who_becomes_an_administrator_without_a_password_sets_up_a_second_factor_first(
    client: FlaskClient, browser: Browser, provider: Provider, admin: Admin
) -> None:
    user_id = browser.log_in("nora").get_json()["login"]["user"]["user_id"]
    admin.execute("update memberships set role = 'admin' where user_id = %s", (user_id,))
    step = browser.log_in("nora").get_json()["login"]
    assert step["next"] == "enrol"
    secret = client.post("/login/enrol", json={"challenge": step["challenge"]}).get_json()["secret"]
    body = {"challenge": step["challenge"], "code": code_of(secret)}
    session = client.post("/login/enrol/confirm", json=body).get_json()
    assert session["user"]["role"] == "admin"
    assert browser.log_in("nora").get_json()["login"]["next"] == "code"


def test_who_came_by_a_provider_and_takes_an_app_into_use_has_shown_no_password(
    client: FlaskClient, browser: Browser, provider: Provider, admin: Admin
) -> None:
    login = browser.log_in("nora").get_json()["login"]
    own = headers(login["token"])
    secret = client.post("/mfa/authenticator", headers=own).get_json()["secret"]
    assert client.post("/mfa/authenticator/confirm", json={"code": code_of(secret)}, headers=own).status_code == 200
    query = "select methods from sessions where user_id = %s and revoked_at is null"
    assert admin.execute(query, (login["user"]["user_id"],)).fetchall() == [(["sso", "totp"],)]


def test_who_has_no_password_is_told_so_and_gets_one_by_mail(
    client: FlaskClient, browser: Browser, provider: Provider, admin: Admin
) -> None:
    login = browser.log_in("nora").get_json()["login"]
    answer = client.post("/session/step-up", json={"password": PASSWORD}, headers=headers(login["token"]))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "no_password")
    wrong = client.post("/login", json={"email": "nora@adloom.local", "password": PASSWORD})
    assert (wrong.status_code, wrong.get_json()["code"]) == (401, "wrong_login")

    assert client.post("/password/forgotten", json={"email": "nora@adloom.local"}).status_code == 202
    sealed = admin.execute(
        "select link from mail_outbox where template = 'reset_password' order by created_at desc limit 1"
    )
    link = KeyRing(MAIL_RING, "mail-ring").open(bytes(sealed.fetchone()[0])).partition("?token=")[2]
    assert client.post("/password/reset", json={"token": link, "password": PASSWORD}).status_code == 204
    assert client.post("/login", json={"email": "nora@adloom.local", "password": PASSWORD}).status_code == 200


def test_a_known_browser_is_known_by_a_provider_too_and_a_new_one_is_mailed(
    browser: Browser, provider: Provider, admin: Admin
) -> None:
    browser.agent = {"User-Agent": FIREFOX}
    first = browser.log_in("nora").get_json()["login"]
    assert first["device"]
    browser.device = first["device"]
    assert browser.log_in("nora").get_json()["login"]["device"] is None
    assert "new_device" not in mails(admin, first["user"]["user_id"])

    browser.device = None
    assert browser.log_in("nora").get_json()["login"]["device"]
    assert mails(admin, first["user"]["user_id"]).count("new_device") == 1


def test_each_step_leaves_its_event(
    client: FlaskClient, browser: Browser, provider: Provider, viewer: Person, admin: Admin
) -> None:
    browser.link(viewer.token)
    (one,) = client.get("/sso/identities", headers=viewer.headers).get_json()["identities"]
    client.delete(f"/sso/identities/{one['identity_id']}", headers=viewer.headers)
    browser.log_in("nora")
    browser.log_in("guest")
    found = admin.execute("select action from audit_events order by recorded_at, position").fetchall()
    wanted = {"sso.linked", "sso.unlinked", "member.added", "sso.failed"}
    assert wanted <= {row[0] for row in found}
    leaked = admin.execute("select count(*) from audit_events where record::text like '%code_verifier%'").fetchone()
    assert leaked == (0,)


def methods(admin: Admin, who: Person) -> list[str]:
    row = admin.execute(
        "select methods from sessions where user_id = %s order by created_at desc limit 1", (who.user_id,)
    ).fetchone()
    assert row
    return list(row[0])
