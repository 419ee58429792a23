"""Events are written with the change or not at all, by whomever at once, one after the other."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from adloom import audit
from adloom.audit import administration, strangers
from adloom.audit.chain import Walk
from adloom.audit.store import events
from adloom.backup import target
from adloom.cli.__main__ import adloom
from adloom.db import Database, migrate
from adloom.errors import Unauthenticated
from adloom.identity import proof
from adloom.settings import CoreSettings
from adloom.web import create_function
from tests.integration.auth_rig import OPERATOR, Admin, admin, auth, client, org_id, owner, viewer
from tests.integration.cast import Connect, Logged, MakeOrganisation, Person

if TYPE_CHECKING:
    from uuid import UUID

    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "client", "org_id", "owner", "viewer"]


@pytest.fixture(autouse=True)
def nothing_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "_repeats", strangers.Repeats())


def records(admin: Admin, org_id: UUID | None) -> list[dict[str, Any]]:
    query = "select record from audit_events where org_id is not distinct from %s order by position"
    return [json.loads(row[0]) for row in admin.execute(query, (org_id,))]


def holds(database: Database, chain: str) -> int:
    """The number of events of a chain that has no fault."""
    walk = Walk(chain, {})
    for event in events(database, chain):
        walk.stored(event)
    assert walk.faults == []
    return walk.position


def test_an_event_is_rolled_back_with_its_transaction_and_leaves_no_gap(auth: Database, org_id: UUID) -> None:
    def write(*, fails: bool = False) -> None:
        with auth.tenant(org_id) as connection:
            audit.record(connection, "session.opened", org_id=org_id)
            if fails:
                raise ZeroDivisionError

    write()
    with pytest.raises(ZeroDivisionError):
        write(fails=True)
    write()
    assert holds(auth, str(org_id)) == 2


def test_an_event_outside_of_a_transaction_is_refused_and_not_lost(auth: Database) -> None:
    with auth.statements() as connection, pytest.raises(ValueError, match="no transaction"):
        audit.record(connection, "session.opened", org_id=None)


@pytest.mark.parametrize("body", ["[]", "{}", '{"v":1,"action":"x","actor":{"kind":"y"}}', '{"action":"x"}', "no json"])
def test_the_database_refuses_what_is_no_event(auth: Database, body: str) -> None:
    with pytest.raises(Exception, match=r"no audit event|invalid input"), auth.system() as connection:
        connection.execute(text("select audit_append(null, :body)"), {"body": body})


def test_a_flood_of_writers_makes_one_chain_without_gaps_and_without_waiting_for_each_other_forever(
    connect: Connect, make_organisation: MakeOrganisation, admin: Admin
) -> None:
    """Each changes a row that all want, in either order of the two rows and chains, as two routes might."""
    first, second = sorted([make_organisation("A"), make_organisation("B")])
    database = connect("auth", pool_size=8)

    def write(number: int) -> None:
        here, there = (first, second) if number % 2 else (second, first)
        with database.tenant(here) as connection:
            audit.record(connection, "profile.changed", org_id=here, new={"number": number})
            audit.record(connection, "profile.changed", org_id=None)
            audit.record(connection, "profile.changed", org_id=there)
            # Taken after the event was recorded: were the chain locked by then, these would wait in a circle.
            query = text("update organisations set name = :name where org_id = :org")
            connection.execute(query, {"name": f"n{number}", "org": here})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(80)))
    assert (holds(database, str(first)), holds(database, str(second))) == (80, 80)
    times = [record["at"] for record in records(admin, first)]
    assert all(before <= after for before, after in pairwise(times))


def test_what_an_event_costs_is_said(auth: Database, org_id: UUID, record_property: Any) -> None:
    """No bound: a busy machine is no fault. The figure stands in the report of the run."""

    def took(write: bool, count: int = 200) -> float:
        began = time.perf_counter()
        for _ in range(count):
            with auth.tenant(org_id) as connection:
                connection.execute(text("select 1"))
                if write:
                    audit.record(connection, "profile.changed", org_id=org_id, old={"name": "a"}, new={"name": "b"})
        return (time.perf_counter() - began) / count * 1000

    bare, audited = took(False), took(True)
    record_property("audit_ms_per_event", round(audited - bare, 2))
    assert holds(auth, str(org_id)) == 200


def test_odd_and_huge_values_are_stored_and_verify(auth: Database, org_id: UUID, admin: Admin) -> None:
    odd = {"text": '\x00\x1b[31m\u202e\ud800 " \\ \n\t\x7f\x9b ü 🦊', "big": "x" * 1_000_000}
    with auth.tenant(org_id) as connection:
        audit.record(connection, "profile.changed", org_id=org_id, target=("x" * 99, "\x00" * 9999), old=odd, new=odd)
        audit.record(connection, "profile.changed", org_id=org_id, old={"text": odd["text"]})
    assert holds(auth, str(org_id)) == 2
    cut, whole = records(admin, org_id)
    assert (cut["old"]["cut"], cut["old"]["bytes"] > 1_000_000, len(cut["old"]["sha256"])) == (True, True, 64)
    assert whole["old"]["text"].endswith("ü 🦊")


def test_a_wrong_password_is_in_the_chain_of_the_organisation_and_an_unknown_address_is_kept_nowhere(
    client: FlaskClient, auth: Database, viewer: Person, admin: Admin, logged: Logged
) -> None:
    before = len(records(admin, None))
    for email, password in ((viewer.email, "no such password"), ("my-Password!@example.com", "x")):
        for _ in range(2):
            assert client.post("/login", json={"email": email, "password": password}).status_code == 401
    [known] = [one for one in records(admin, viewer.org_id) if one["action"] == "login.failed"]
    assert (known["target"]["id"], known["actor"]["kind"]) == (str(viewer.user_id), "anonymous")
    assert known["new"] == {"reason": "wrong_password", "times": 1}
    [unknown] = records(admin, None)[before:]
    assert (unknown["action"], unknown["target"]["id"]) == ("login.failed", "unknown")
    assert "my-password" not in json.dumps(unknown).lower()
    printed = logged()
    assert printed.count("login_failed") == 4, "the log has each"
    assert "my-password" not in printed.lower()


def test_a_trail_that_cannot_be_written_to_does_not_turn_a_refusal_into_something_else(
    auth: Database, viewer: Person, admin: Admin
) -> None:
    admin.execute("alter function audit_append(uuid, text) rename to audit_away")
    try:
        with pytest.raises(Exception, match="audit_append"):
            proof.check_password(auth, viewer.email, "no such password")
    finally:
        admin.execute("alter function audit_away(uuid, text) rename to audit_append")
    with pytest.raises(Unauthenticated):
        proof.check_password(auth, viewer.email, "no such password")


def test_refusals_are_in_the_trail_once_and_in_the_log_each_time(
    client: FlaskClient, viewer: Person, admin: Admin, logged: Logged
) -> None:
    for _ in range(4):
        assert client.get("/members", headers=viewer.headers).status_code == 403
    [denied] = [one for one in records(admin, viewer.org_id) if one["action"] == "permission.denied"]
    assert denied["target"] == {"kind": "route", "id": "auth GET /members"}
    assert denied["actor"]["id"] == str(viewer.user_id)
    assert logged().count("permission_denied") == 4


def test_administrators_search_page_by_page_and_see_their_own_organisation_only(
    client: FlaskClient, auth: Database, owner: Person, viewer: Person, make_organisation: MakeOrganisation
) -> None:
    other = make_organisation("Other")
    for org, count in ((owner.org_id, 60), (other, 3)):
        for number in range(count):
            with auth.tenant(org) as connection:
                who = audit.Actor("user", str(owner.user_id))
                new = {"name": f"100%_{number}"}
                audit.record(
                    connection, "profile.changed", org_id=org, target=("member", owner.user_id), new=new, actor=who
                )

    def get(**query: Any) -> dict[str, Any]:
        found = client.get("/audit", query_string=query, headers=owner.headers)
        assert found.status_code == 200, found.text
        return dict(found.get_json())

    first = get(action="profile")
    second = get(action="profile", before=first["next"])
    assert (len(first["events"]), len(second["events"]), second["next"]) == (50, 10, None)
    positions = [each["position"] for each in first["events"] + second["events"]]
    assert positions == sorted(positions, reverse=True)
    assert first["events"][0]["actor"]["name"] == "Owner"
    assert first["trail"]["events"] >= positions[0]
    assert (first["trail"]["archived"], first["trail"]["signed_at"]) == (0, None)
    assert [each["new"]["name"] for each in get(text="100%_7")["events"]] == ["100%_7"]
    assert len(get(actor=str(owner.user_id), until="2020-01-01T00:00:00Z")["events"]) == 0
    assert len(get(target="member", since="2020-01-01T00:00:00Z")["events"]) == 50
    assert get(action="profile.chan")["events"] == [], "an action or all below it, not a beginning of a word"
    assert client.get("/audit", headers=viewer.headers).status_code == 403
    assert client.get("/audit?chain=deployment", headers=owner.headers).status_code == 403
    deployment = client.get("/audit?chain=deployment", headers=OPERATOR).get_json()
    assert str(owner.org_id) not in json.dumps([each["target"] for each in deployment["events"]])
    assert "audit.exported" in client.get("/audit/actions", headers=owner.headers).get_json()["actions"]


def test_an_export_over_http_names_itself_and_is_noted(client: FlaskClient, owner: Person, admin: Admin) -> None:
    answer = client.get("/audit/export?format=jsonl", headers=owner.headers)
    assert answer.content_type == "application/x-ndjson; charset=utf-8"
    lines = answer.text.splitlines()
    stored = [row[0] for row in admin.execute("select record from audit_events where org_id = %s", (owner.org_id,))]
    assert sorted(lines) == sorted(stored)
    assert any('"audit.exported"' in line for line in lines)


def test_a_new_database_has_no_event_and_takes_a_backup(empty_database: Postgres) -> None:
    administration.upgrade(empty_database.admin_url)
    with psycopg.connect(empty_database.admin_url) as connection:
        assert records(connection, None) == []
    target.check(empty_database.admin_url)


def test_migrations_and_what_the_command_line_does_by_itself_are_noted(
    empty_database: Postgres, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, admin: Admin
) -> None:
    (tmp_path / "admin-database-url").write_text(empty_database.admin_url)
    monkeypatch.setenv("ADLOOM_SECRETS_DIR", str(tmp_path))
    older = migrate.revisions()[-2]
    migrate.upgrade(empty_database.admin_url, older)
    assert CliRunner().invoke(adloom, ["db", "upgrade"], obj=False).exit_code == 0
    with psycopg.connect(empty_database.admin_url) as connection:
        [moved] = records(connection, None)
    assert moved["action"] == "database.migrated"
    assert moved["actor"]["kind"] == "command_line"
    assert "@" in moved["actor"]["id"]
    assert moved["old"] == {"revision": older}
    assert moved["new"] == {"revision": administration.revision_of(empty_database.admin_url)}

    (tmp_path / "cli-database-url").write_text(postgres.url("cli"))
    (tmp_path / "operator-key").write_text("nobody-is-called")
    for name in ("PUBLIC_URL", "GATEWAY_URL", "SANDBOX_URL"):
        monkeypatch.setenv(f"ADLOOM_{name}", "http://127.0.0.1:9")
    monkeypatch.setenv("ADLOOM_CLOCK", f"file:{tmp_path / 'clock'}")
    for words in (["events", "republish"], ["sandbox", "clock", "2026-03-01T09:00:00+00:00"]):
        result = CliRunner().invoke(adloom, words, obj=False)
        assert result.exit_code == 0, result.output
    republished, clock = records(admin, None)[-2:]
    assert (republished["action"], republished["new"]["days"]) == ("event.republished", 14)
    assert (clock["action"], clock["new"]["now"]) == ("sandbox.clock_moved", "2026-03-01T09:00:00+00:00")


def test_a_tick_acts_for_itself_whoever_called() -> None:
    seen: list[str] = []
    probe = create_function("probe", CoreSettings)
    probe.tick(lambda: seen.append(audit.actor().kind))
    probe.use(CoreSettings(public_url="http://127.0.0.1:9", gateway_url="http://127.0.0.1:9"))
    assert probe.test_client().post("/").status_code == 202
    assert seen == ["system"]
    assert audit.actor().kind == "anonymous", "and after it nobody is known again"
