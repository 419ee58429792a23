"""sync-meta over HTTP: who may ask, what is answered, and deliveries that are signed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from cryptography.fernet import Fernet

from adloom import logs
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.events import SIGNATURE_HEADER, sign
from adloom.metrics import slices
from functions.sync_meta.handler import SyncMetaSettings, app
from tests.conftest import Postgres
from tests.integration.cast import common_settings, person
from tests.integration.sync_rig import Rig, rig_in, sandbox_on
from tests.unit.sandbox.support import APP_ID, APP_SECRET, Sandbox, fact, facts

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

NOON = "2026-03-03T12:00:00+00:00"
RING = Fernet.generate_key().decode()
SECRET = "x" * 32


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("handler")
    rows = [fact(), fact(account_id="12", campaign_id="29", adgroup_id="39", ad_id="49")]
    with sandbox_on(facts(folder / "facts", *rows), folder, NOON) as started:
        yield started


@pytest.fixture
def rig(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[Rig]:
    """Two accounts, synced; the function itself serves."""
    with rig_in(postgres, *shared, vault=Vault(RING)) as made:
        made.at(NOON)
        settings = SyncMetaSettings(
            **common_settings(
                database_url=postgres.url("sync-meta"),
                event_secret=SECRET,
                token_ring=RING,
                meta_app_id=APP_ID,
                meta_app_secret=APP_SECRET,
                meta_graph_url=made.sandbox.url,
            )
        )
        app.use(settings, made.database)
        made.settle()
        yield made


@pytest.fixture
def client(rig: Rig) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def editor(rig: Rig, postgres: Postgres) -> dict[str, str]:
    return headers_of(postgres, rig.org_id, "editor")


def headers_of(postgres: Postgres, org_id: UUID, role: Any, scope: str = "*") -> dict[str, str]:
    auth = Database(postgres.url("auth"), pool_size=1)
    try:
        return person(auth, org_id, f"{role}{len(scope)}", role, scope).headers
    finally:
        auth.close()


def deliver(client: FlaskClient, envelope: dict[str, Any], secret: str = SECRET) -> TestResponse:
    body = json.dumps(envelope).encode()
    headers = {SIGNATURE_HEADER: sign(body, secret, int(time.time())), "Content-Type": "application/json"}
    return client.post("/events", data=body, headers=headers)


def test_an_editor_asks_for_days_and_is_told_what_was_planned(
    rig: Rig, client: FlaskClient, editor: dict[str, str]
) -> None:
    answer = client.post(
        "/runs", json={"accounts": ["11"], "since": "2026-03-01", "until": "2026-03-02"}, headers=editor
    )
    assert answer.status_code == 202
    assert answer.json == {
        "planned": [
            {
                "account_id": rig.account_id("11"),
                "external_id": "11",
                "since": "2026-03-01",
                "until": "2026-03-02",
                "windows": 1,
            }
        ]
    }
    (envelope,) = rig.undelivered()
    assert envelope["data"] == {"org_id": str(rig.org_id), "account_id": rig.account_id("11"), "reason": "operator"}


def test_an_editor_says_what_counts_and_undoes_it(rig: Rig, client: FlaskClient, editor: dict[str, str]) -> None:
    def change(**body: Any) -> dict[str, Any]:
        answer = client.patch(f"/accounts/{rig.account_id('11')}", json=body, headers=editor)
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    nothing = change()
    assert (nothing["conversion"], nothing["chosen"]) == ("omni_purchase", False)
    assert "lead" in nothing["offered"]
    assert rig.undelivered() == []
    changed = change(conversion="lead")
    assert (changed["conversion"], changed["chosen"]) == ("lead", True)
    (envelope,) = rig.undelivered()
    assert envelope["data"]["account_id"] == rig.account_id("11")
    assert change(conversion=None)["conversion"] == "omni_purchase"


def test_a_conversion_that_the_platform_does_not_have_is_refused_by_name(
    rig: Rig, client: FlaskClient, editor: dict[str, str]
) -> None:
    answer = client.patch(f"/accounts/{rig.account_id('11')}", json={"conversion": "Sales"}, headers=editor)
    assert answer.status_code == 422
    assert answer.get_json()["fields"][0]["field"] == "body.conversion"


def test_without_names_every_account_and_without_days_all_that_may_have_moved(
    rig: Rig, client: FlaskClient, editor: dict[str, str]
) -> None:
    planned = client.post("/runs", json={}, headers=editor).get_json()["planned"]
    assert [(one["external_id"], one["since"], one["until"]) for one in planned] == [
        ("11", "2026-02-03", "2026-03-03"), ("12", "2026-02-03", "2026-03-03"),
    ]  # fmt: skip


def test_without_names_an_account_whose_day_has_not_begun_does_not_stop_the_others(
    rig: Rig, client: FlaskClient, editor: dict[str, str], postgres: Postgres
) -> None:
    with psycopg.connect(postgres.admin_url) as connection:
        connection.execute(
            "update ad_accounts set timezone = 'Pacific/Kiritimati' where org_id = %s and external_id = '12'",
            (rig.org_id,),
        )
    planned = client.post("/runs", json={"since": "2026-03-04"}, headers=editor).get_json()["planned"]
    assert [one["external_id"] for one in planned] == ["12"]
    named = client.post("/runs", json={"since": "2026-03-04", "accounts": ["11", "12"]}, headers=editor)
    assert named.status_code == 422


def test_our_own_ids_name_an_account_too(rig: Rig, client: FlaskClient, editor: dict[str, str]) -> None:
    planned = client.post("/runs", json={"accounts": [str(rig.account_id("12"))]}, headers=editor).get_json()["planned"]
    assert [one["external_id"] for one in planned] == ["12"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"accounts": ["11", "999"]}, 404, "account_unknown"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, 422, "validation_failed"),
        ({"since": "2026-03-04"}, 422, "validation_failed"),
        ({"until": "2020-01-01", "since": "2019-01-01"}, 422, "validation_failed"),
        ({"since": "yesterday"}, 422, "validation_failed"),
        ({"account": "11"}, 422, "validation_failed"),
    ],
    ids=["an unknown account", "days in the wrong order", "tomorrow", "before 37 months", "no day", "an unknown field"],
)
def test_what_cannot_be_planned_is_refused_as_a_whole(
    rig: Rig, client: FlaskClient, editor: dict[str, str], body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/runs", json=body, headers=editor)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert rig.undelivered() == []
    assert rig.rows("select * from sync_windows where org_id = %s") == []


def test_a_viewer_may_not_ask_and_nobody_without_a_session(rig: Rig, client: FlaskClient, postgres: Postgres) -> None:
    assert client.post("/runs", json={}, headers=headers_of(postgres, rig.org_id, "viewer")).status_code == 403
    assert client.post("/runs", json={}).status_code == 401


def test_an_outsider_finds_no_account_of_ours(
    rig: Rig, client: FlaskClient, postgres: Postgres, make_organisation: Callable[..., UUID]
) -> None:
    outsider = headers_of(postgres, make_organisation("Rival"), "owner")
    assert client.post("/runs", json={}, headers=outsider).get_json() == {"planned": []}
    assert client.post("/runs", json={"accounts": ["11"]}, headers=outsider).status_code == 404


def test_a_member_with_one_account_plans_only_that_one(rig: Rig, client: FlaskClient, postgres: Postgres) -> None:
    scoped = headers_of(postgres, rig.org_id, "editor", str(rig.account_id("12")))
    planned = client.post("/runs", json={}, headers=scoped).get_json()["planned"]
    assert [one["external_id"] for one in planned] == ["12"]
    assert client.post("/runs", json={"accounts": ["11"]}, headers=scoped).status_code == 404


def test_a_signed_delivery_is_worked_off_and_an_unsigned_one_is_not(
    rig: Rig, client: FlaskClient, editor: dict[str, str]
) -> None:
    client.post("/runs", json={"accounts": ["11"], "since": "2026-03-01"}, headers=editor)
    (envelope,) = rig.undelivered()
    assert deliver(client, envelope, secret="y" * 32).status_code == 401
    assert rig.one("select count(*) from sync_windows where org_id = %s") == 1
    assert deliver(client, envelope).status_code == 202
    assert rig.one("select count(*) from sync_windows where org_id = %s") == 0


def test_the_request_id_goes_through_a_wake_up_that_is_handed_on_to_what_is_stored(
    rig: Rig, client: FlaskClient, editor: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "WAIT_FOR_LOCK_S", 0.1)
    asked = client.post(
        "/runs",
        json={"accounts": ["11"], "since": "2026-03-01"},
        headers={**editor, logs.REQUEST_ID_HEADER: "asked-by-a-person"},
    )
    assert asked.status_code == 202
    (first,) = rig.undelivered()
    with rig.database.account_lock(rig.account_id("11")) as held:
        assert held
        assert deliver(client, first).status_code == 202
    rig.accept(first)
    (handed_on,) = rig.undelivered()
    assert (handed_on["data"]["reason"], handed_on["requestid"]) == ("continuation", "asked-by-a-person")
    assert deliver(client, handed_on).status_code == 202
    rig.accept(handed_on)
    (stored,) = rig.undelivered()
    assert (stored["type"], stored["requestid"]) == ("adloom.metrics.synced.v1", "asked-by-a-person")


def test_a_connection_of_another_platform_is_none_of_ours(rig: Rig, client: FlaskClient) -> None:
    connected = rig.one(
        "select envelope from outbox where org_id = %s and subject = 'adloom.connections.connected' limit 1"
    )
    foreign = connected | {"id": "00000000-0000-4000-8000-000000000001"}
    foreign["data"] = connected["data"] | {"platform": "google"}
    rig.sandbox.control("DELETE", "requests")
    assert deliver(client, foreign).status_code == 202
    assert rig.sandbox.control("GET", "requests")["requests"] == []


def test_a_tick_is_a_hint_that_anyone_may_give_and_tells_nothing(rig: Rig, client: FlaskClient) -> None:
    rig.at("2026-03-03T12:15:00+00:00")
    for _ in range(2):
        answer = client.post("/")
        assert (answer.status_code, answer.get_json()) == (202, {})
    assert len(rig.undelivered()) == 2
