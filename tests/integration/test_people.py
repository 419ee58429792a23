"""People come by invitation or registration, forget their passwords, and nobody learns who exists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from adloom.db import Database
from adloom.identity import passwords
from adloom.keyring import KeyRing
from adloom.mail.sender import Postbox
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings, app
from tests.integration.auth_rig import (
    OPERATOR,
    OPERATOR_KEY,
    Admin,
    admin,
    auth,
    client,
    headers,
    log_in,
    make_stale,
    org_id,
    owner,
    viewer,
)
from tests.integration.cast import MAIL_RING, PASSWORD, MakeOrganisation, Person, auth_settings, new_address, person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "client", "org_id", "owner", "viewer"]

OTHER = "another long sentence"


@pytest.fixture(autouse=True)
def sends_mails(client: FlaskClient, postgres: Postgres, auth: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are written; what becomes of them then is another test's."""
    monkeypatch.setattr(Postbox, "wake", lambda _self: None)
    use(postgres, auth)


def use(postgres: Postgres, auth: Database, **changes: Any) -> None:
    values = {"mail_key": "re_x", "registration": "on"} | changes
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY, **values)), auth)


def mails(admin: Admin, address: str) -> list[Any]:
    query = "select template, link, data::text, org_id from mail_outbox where address = %s order by created_at"
    return admin.execute(query, (address,)).fetchall()


def token(admin: Admin, address: str) -> str:
    """The token in the newest mail to this address."""
    link = KeyRing(MAIL_RING, "mail-ring").open(bytes(mails(admin, address)[-1][1]))
    return link.partition("?token=")[2]


def invite(client: FlaskClient, by: Person, email: str, role: str = "editor", **more: Any) -> Any:
    return client.post("/invitations", json={"email": email, "role": role, **more}, headers=by.headers)


def accept(client: FlaskClient, link: str, password: str = PASSWORD, name: str = "Nia New") -> Any:
    return client.post("/invitations/accept", json={"token": link, "name": name, "password": password})


def forget(client: FlaskClient, email: str) -> Any:
    return client.post("/password/forgotten", json={"email": email})


def reset(client: FlaskClient, link: str, password: str = OTHER) -> Any:
    return client.post("/password/reset", json={"token": link, "password": password})


def test_somebody_is_invited_accepts_and_logs_in(client: FlaskClient, owner: Person, admin: Admin) -> None:
    email = new_address()
    assert invite(client, owner, email.upper(), accounts=[7, 3, 7]).status_code == 201
    link = token(admin, email)

    shown = client.post("/invitations/look", json={"token": link}).get_json()
    assert shown == {
        "organisation": "Acme",
        "inviter": "Owner",
        "email": email,
        "role": "editor",
        "has_account": False,
    }
    assert accept(client, link).status_code == 201

    session = log_in(client, email).get_json()
    now = client.get("/session", headers=headers(session["token"])).get_json()
    assert (now["role"], now["account_scope"]) == ("editor", "3,7")
    verified = admin.execute("select email_verified_at is not null from users where email = %s", (email,)).fetchone()
    assert verified == (True,)


def test_an_invitation_works_once_even_for_two_at_once(client: FlaskClient, owner: Person, admin: Admin) -> None:
    email = new_address()
    invite(client, owner, email)
    link = token(admin, email)
    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(lambda _: accept(app.test_client(), link).status_code, range(2)))

    assert statuses[0] == 201
    assert statuses[1] in (404, 409)
    assert accept(client, link).get_json()["code"] == "link_gone"
    assert client.post("/invitations/look", json={"token": link}).status_code == 404


def test_who_is_invited_several_times_at_once_has_one_open_invitation(
    client: FlaskClient, owner: Person, admin: Admin
) -> None:
    email = new_address()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: invite(app.test_client(), owner, email), range(4)))

    assert [answer.status_code for answer in answers] == [201] * 4
    query = "select count(*) from invitations where email = %s and revoked_at is null"
    assert admin.execute(query, (email,)).fetchone() == (1,)


@pytest.mark.parametrize("change", ["expires_at = now()", "revoked_at = now()"])
def test_an_invitation_that_ended_is_none(client: FlaskClient, owner: Person, admin: Admin, change: str) -> None:
    email = new_address()
    invite(client, owner, email)
    admin.execute(f"update invitations set {change} where email = %s", (email,))

    assert accept(client, token(admin, email)).status_code == 404
    assert log_in(client, email).status_code == 401


def test_an_invitation_can_be_taken_back_and_written_anew(client: FlaskClient, owner: Person, admin: Admin) -> None:
    email = new_address()
    first = invite(client, owner, email).get_json()["invitation_id"]
    old = token(admin, email)
    invite(client, owner, email, "viewer")

    listed = client.get("/invitations", headers=owner.headers).get_json()["invitations"]
    assert [(each["email"], each["role"]) for each in listed] == [(email, "viewer")]
    assert client.delete(f"/invitations/{first}", headers=owner.headers).status_code == 404
    assert accept(client, old).status_code == 404
    second = listed[0]["invitation_id"]
    assert client.delete(f"/invitations/{second}", headers=owner.headers).status_code == 204
    assert accept(client, token(admin, email)).status_code == 404


def test_nobody_gives_what_they_do_not_have(
    client: FlaskClient, auth: Database, org_id: UUID, owner: Person, viewer: Person, admin: Admin
) -> None:
    boss = person(auth, org_id, "boss", "admin", "3,17")

    assert invite(client, boss, new_address(), "owner", accounts=[3]).get_json()["code"] == "role_above"
    assert invite(client, boss, new_address(), "viewer").get_json()["code"] == "account_outside"
    assert invite(client, boss, new_address(), "viewer", accounts=[4]).get_json()["code"] == "account_outside"
    assert invite(client, boss, new_address(), "admin", accounts=[17]).status_code == 201
    assert invite(client, viewer, new_address(), "viewer").status_code == 403
    assert invite(client, owner, viewer.email).get_json()["code"] == "already_member"
    make_stale(admin, owner)
    assert invite(client, owner, new_address()).status_code == 403
    assert client.get("/invitations", headers=viewer.headers).status_code == 403


def test_who_became_a_member_meanwhile_keeps_the_role_and_the_trail_tells_of_no_other(
    client: FlaskClient, owner: Person, admin: Admin, auth: Database, make_organisation: MakeOrganisation
) -> None:
    guest = person(auth, make_organisation("Other"), "guest", "viewer")
    invite(client, owner, guest.email, "admin")
    values = (owner.org_id, guest.user_id)
    admin.execute("insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')", values)

    joined = client.post("/invitations/join", json={"token": token(admin, guest.email)}, headers=guest.headers)

    assert joined.status_code == 200
    role = admin.execute("select role from memberships where org_id = %s and user_id = %s", values).fetchone()
    assert role == ("viewer",)
    told = "select count(*) from audit_events where org_id = %s and action = 'member.added' and target_id = %s"
    assert admin.execute(told, (owner.org_id, str(guest.user_id))).fetchone() == (0,)


def test_who_has_an_account_joins_with_it(
    client: FlaskClient, owner: Person, admin: Admin, auth: Database, make_organisation: MakeOrganisation
) -> None:
    guest = person(auth, make_organisation("Other"), "guest", "viewer")
    invite(client, owner, guest.email)
    body = {"token": token(admin, guest.email)}
    assert client.post("/invitations/look", json=body).get_json()["has_account"]
    assert accept(client, body["token"]).get_json()["code"] == "email_taken"
    other = client.post("/invitations/join", json=body, headers=owner.headers)
    assert (other.status_code, other.get_json()["code"]) == (403, "other_person")

    joined = client.post("/invitations/join", json=body, headers=guest.headers)

    assert (joined.status_code, joined.get_json()["org_id"]) == (200, str(owner.org_id))
    assert client.post("/invitations/join", json=body, headers=guest.headers).status_code == 404
    switched = client.post("/session/switch", json={"org_id": str(owner.org_id)}, headers=guest.headers).get_json()
    assert switched["user"]["role"] == "editor"


def test_a_reset_sets_another_password_and_ends_every_session(
    client: FlaskClient, viewer: Person, admin: Admin
) -> None:
    assert forget(client, viewer.email.upper()).status_code == 202
    link = token(admin, viewer.email)

    assert reset(client, link).status_code == 204

    assert client.get("/session", headers=viewer.headers).status_code == 401
    assert log_in(client, viewer.email).status_code == 401
    assert log_in(client, viewer.email, OTHER).status_code == 200
    assert reset(client, link).get_json()["code"] == "link_gone"
    assert [mail[0] for mail in mails(admin, viewer.email)][:2] == ["reset_password", "password_changed"]


def test_a_reset_says_nothing_about_who_exists(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    stranger = new_address()
    known, unknown = forget(client, viewer.email), forget(client, stranger)

    assert (known.status_code, known.get_data()) == (unknown.status_code, unknown.get_data())
    assert set(known.headers.keys()) == set(unknown.headers.keys())
    assert [mail[0] for mail in mails(admin, stranger)] == ["no_account"]
    counted = (
        "select (select count(*) from mail_outbox), (select count(*) from mailed_links) + count(*) from registrations"
    )
    before = admin.execute(counted).fetchone()
    forget(client, new_address())
    one = admin.execute(counted).fetchone()
    forget(client, viewer.email)
    two = admin.execute(counted).fetchone()
    assert before is not None
    assert one == (before[0] + 1, before[1] + 1)
    assert two == (before[0] + 2, before[1] + 2), "the same rows are written"


def test_a_reset_link_is_of_its_purpose_and_its_time(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    forget(client, viewer.email)
    link = token(admin, viewer.email)
    assert client.post("/email/verify", json={"token": link}).status_code == 404
    assert client.get("/session", headers=headers(link)).status_code == 401
    assert reset(client, "adl_r_" + "x" * 43).status_code == 404
    admin.execute("update mailed_links set expires_at = now() where user_id = %s", (viewer.user_id,))

    assert reset(client, link).status_code == 404
    assert log_in(client, viewer.email).status_code == 200


def test_one_reset_uses_up_the_other_links(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    forget(client, viewer.email)
    first = token(admin, viewer.email)
    forget(client, viewer.email)
    assert reset(client, token(admin, viewer.email)).status_code == 204

    assert reset(client, first, "yet another sentence").status_code == 404


def test_a_link_with_a_password_that_may_not_be_set_stays_good(
    client: FlaskClient, viewer: Person, admin: Admin
) -> None:
    forget(client, viewer.email)
    link = token(admin, viewer.email)

    for bad in ("qwerty123456", f"i am {viewer.email}"[:60], "too short"):
        assert reset(client, link, bad).status_code == 422
    assert reset(client, link).status_code == 204


def test_links_are_stored_as_hashes_and_ciphertext(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    forget(client, viewer.email)
    secret = token(admin, viewer.email).removeprefix("adl_r_")

    for table in ("mailed_links", "mail_outbox", "outbox"):
        stored = str(admin.execute(f"select row_to_json(t)::text from {table} t").fetchall())
        assert secret not in stored


def test_mails_to_one_address_are_few(client: FlaskClient, viewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adloom.accounts.attempts.ATTEMPTS", "100/minute")

    answers = [forget(client, viewer.email).status_code for _ in range(7)]

    assert answers == [202] * 5 + [429] * 2


def test_strangers_who_use_up_a_persons_mails_leave_the_known_browser_its_own(
    client: FlaskClient, viewer: Person
) -> None:
    device = log_in(client, viewer.email).get_json()["device"]
    stranger = {"X-Forwarded-For": "203.0.113.9"}
    for _ in range(6):
        last = client.post("/password/forgotten", json={"email": viewer.email}, headers=stranger)
    assert last.status_code == 429
    assert forget(client, viewer.email).status_code == 429

    answer = client.post("/password/forgotten", json={"email": viewer.email, "device": device})

    assert answer.status_code == 202


def test_without_mails_nobody_is_promised_one(
    client: FlaskClient, owner: Person, viewer: Person, postgres: Postgres, auth: Database
) -> None:
    use(postgres, auth, mail_key=None)

    for answer in (
        forget(client, viewer.email),
        forget(client, new_address()),
        invite(client, owner, new_address()),
        client.post("/email/verification", headers=owner.headers),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "mail_off")
    doors = client.get("/setup").get_json()
    assert doors == {"needs_setup": False, "registration": False, "sends_mails": False}


def test_a_password_is_changed_by_who_knows_it(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    other = log_in(client, viewer.email).get_json()["token"]
    body = {"current": "not the password", "password": OTHER}
    assert client.post("/password", json=body, headers=viewer.headers).status_code == 403

    changed = client.post("/password", json=body | {"current": PASSWORD}, headers=viewer.headers)

    assert changed.status_code == 200
    new = headers(changed.get_json()["token"])
    assert client.get("/session", headers=viewer.headers).status_code == 401
    assert client.get("/session", headers=headers(other)).status_code == 401
    assert client.get("/session", headers=new).status_code == 200
    assert log_in(client, viewer.email, OTHER).status_code == 200
    bad = client.post("/password", json={"current": OTHER, "password": "viewer and more words"}, headers=new)
    assert bad.status_code == 422, "it contains the name"


def test_an_address_is_verified_and_changed_by_its_mailbox(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    verified = "select email, email_verified_at is not null from users where user_id = %s"
    assert client.post("/email/verification", headers=viewer.headers).status_code == 202
    assert client.post("/email/verify", json={"token": token(admin, viewer.email)}).status_code == 200
    assert admin.execute(verified, (viewer.user_id,)).fetchone() == (viewer.email, True)

    email = new_address()
    assert client.post("/email", json={"email": email.upper()}, headers=viewer.headers).status_code == 202
    assert admin.execute(verified, (viewer.user_id,)).fetchone() == (viewer.email, True), (
        "not before the link is opened"
    )
    link = token(admin, email)
    assert client.post("/email/verify", json={"token": link}).get_json() == {"email": email}

    assert admin.execute(verified, (viewer.user_id,)).fetchone() == (email, True)
    assert mails(admin, viewer.email)[-1][0] == "email_changed"
    assert client.post("/email/verify", json={"token": link}).status_code == 404
    assert log_in(client, email).status_code == 200


def test_another_password_ends_the_links_to_another_address(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    """Whoever had a stolen session and asked for an address of their own does not get the account by it later."""
    email = new_address()
    assert client.post("/email", json={"email": email}, headers=viewer.headers).status_code == 202
    link = token(admin, email)

    body = {"current": PASSWORD, "password": OTHER}
    assert client.post("/password", json=body, headers=viewer.headers).status_code == 200

    assert client.post("/email/verify", json={"token": link}).status_code == 404
    assert log_in(client, viewer.email, OTHER).status_code == 200


def test_another_address_ends_the_resets_mailed_to_the_old_one(
    client: FlaskClient, viewer: Person, admin: Admin
) -> None:
    assert forget(client, viewer.email).status_code == 202
    old, email = token(admin, viewer.email), new_address()
    assert client.post("/email", json={"email": email}, headers=viewer.headers).status_code == 202
    assert client.post("/email/verify", json={"token": token(admin, email)}).status_code == 200

    assert reset(client, old).status_code == 404
    assert forget(client, email).status_code == 202
    assert reset(client, token(admin, email)).status_code == 204


def test_an_address_that_is_only_verified_ends_no_reset(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    assert forget(client, viewer.email).status_code == 202
    link = token(admin, viewer.email)
    assert client.post("/email/verification", headers=viewer.headers).status_code == 202
    assert client.post("/email/verify", json={"token": token(admin, viewer.email)}).status_code == 200

    assert reset(client, link).status_code == 204


def test_where_anybody_may_register_owners_make_no_accounts_of_others(
    client: FlaskClient, postgres: Postgres, auth: Database, owner: Person, viewer: Person
) -> None:
    """They would learn who has an account, and have one in a stranger's name."""

    def add(email: str, by: dict[str, str]) -> Any:
        body = {"email": email, "password": PASSWORD, "name": "New", "role": "viewer"}
        answer = client.post("/users", json=body, headers=by)
        return answer.status_code, answer.get_json().get("code")

    known, unknown = viewer.email, new_address()
    assert add(known, owner.headers) == add(unknown, owner.headers) == (403, "invite_instead")
    assert add(unknown, OPERATOR | {"X-Adloom-Org": str(owner.org_id)})[0] == 201
    use(postgres, auth, registration="off")
    assert add(new_address(), owner.headers)[0] == 201


@pytest.mark.parametrize("how", ["lowered", "removed"])
def test_the_invitations_of_who_lost_rights_are_taken_back(
    client: FlaskClient, auth: Database, org_id: UUID, owner: Person, admin: Admin, how: str
) -> None:
    leaver, theirs, ours = person(auth, org_id, "leaver", "admin"), new_address(), new_address()
    assert invite(client, leaver, theirs, "admin").status_code == 201
    assert invite(client, owner, ours).status_code == 201
    links = token(admin, theirs), token(admin, ours)

    if how == "lowered":
        change = {"role": "viewer"}
        assert client.patch(f"/members/{leaver.user_id}", json=change, headers=owner.headers).status_code == 200
    else:
        assert client.delete(f"/members/{leaver.user_id}", headers=owner.headers).status_code == 204

    assert [accept(client, link).status_code for link in links] == [404, 201]


def test_an_address_of_somebody_else_is_not_taken_and_not_told(
    client: FlaskClient, owner: Person, viewer: Person, admin: Admin
) -> None:
    taken = client.post("/email", json={"email": owner.email}, headers=viewer.headers)
    free = client.post("/email", json={"email": new_address()}, headers=viewer.headers)

    assert (taken.status_code, taken.get_data()) == (free.status_code, free.get_data())
    answer = client.post("/email/verify", json={"token": token(admin, owner.email)})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "email_taken")


def test_somebody_registers_with_an_organisation_of_their_own(client: FlaskClient, admin: Admin) -> None:
    email = new_address()
    assert client.post("/registrations", json={"email": email}).status_code == 202
    body = {"token": token(admin, email), "name": "Rea", "organisation": "Rea's shop", "password": PASSWORD}
    assert admin.execute("select 1 from users where email = %s", (email,)).fetchone() is None, "nobody is made before"

    made = client.post("/registrations/accept", json=body)

    assert made.status_code == 201
    assert made.get_json()["user"]["role"] == "owner"
    assert log_in(client, email).get_json()["next"] == "enrol", "an owner needs a second factor"
    assert client.post("/registrations/accept", json=body).status_code == 404


def test_registration_says_nothing_about_who_exists(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    stranger = new_address()
    known = client.post("/registrations", json={"email": viewer.email})
    unknown = client.post("/registrations", json={"email": stranger})

    assert (known.status_code, known.get_data()) == (unknown.status_code, unknown.get_data())
    assert mails(admin, viewer.email)[-1][0] == "registered_already"
    assert KeyRing(MAIL_RING, "mail-ring").open(bytes(mails(admin, viewer.email)[-1][1])).endswith("/login")
    assert mails(admin, stranger)[-1][0] == "registration"


def test_registration_is_closed_unless_it_was_opened(
    client: FlaskClient, admin: Admin, postgres: Postgres, auth: Database
) -> None:
    email = new_address()
    client.post("/registrations", json={"email": email})
    body = {"token": token(admin, email), "name": "Rea", "organisation": "Rea's shop", "password": PASSWORD}
    use(postgres, auth, registration="off")

    for path, sent in (("/registrations", {"email": email}), ("/registrations/accept", body)):
        answer = client.post(path, json=sent)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "registration_closed")
    assert client.get("/setup").get_json()["registration"] is False


def test_the_second_factor_survives_a_reset(client: FlaskClient, viewer: Person, admin: Admin) -> None:
    admin.execute(
        "insert into authenticators (user_id, org_id, secret, confirmed_at) values (%s, %s, 'sealed', now())",
        (viewer.user_id, viewer.org_id),
    )
    open_challenge = log_in(client, viewer.email).get_json()["challenge"]
    forget(client, viewer.email)
    answer = reset(client, token(admin, viewer.email))

    assert answer.get_data() == b"", "no session comes of it"
    assert log_in(client, viewer.email, OTHER).get_json()["next"] == "code"
    gone = client.post("/login/code", json={"challenge": open_challenge, "code": "123456"})
    assert gone.get_json()["code"] == "challenge_gone"


def test_an_unknown_person_costs_one_verification(
    client: FlaskClient, viewer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    hasher = passwords._hasher()

    class Counting:
        def __getattr__(self, name: str) -> Any:
            def call(*arguments: Any) -> Any:
                verified.append(name)
                return getattr(hasher, name)(*arguments)

            return call

    monkeypatch.setattr(passwords, "_hasher", Counting)
    wrong = log_in(client, viewer.email, "not the password")
    for_wrong = list(verified)
    verified.clear()
    unknown = log_in(client, new_address(), "not the password")

    assert for_wrong == verified == ["verify"]
    assert wrong.get_json() | {"request_id": ""} == unknown.get_json() | {"request_id": ""}


def test_the_operator_invites_too(client: FlaskClient, owner: Person, admin: Admin) -> None:
    email = new_address()
    named = OPERATOR | {"X-Adloom-Org": str(owner.org_id)}

    answer = client.post("/invitations", json={"email": email, "role": "owner"}, headers=named)

    assert answer.status_code == 201
    assert "Adloom" in mails(admin, email)[0][2]
    assert isinstance(app.limiter, MemoryLimiter)
