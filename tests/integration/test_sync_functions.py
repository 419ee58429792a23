"""The sync functions of Google and TikTok as they are deployed: signed deliveries, and all that they lead to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from adloom.connections.vault import Vault
from adloom.events import SIGNATURE_HEADER, sign
from adloom.metrics import planning
from adloom.web import Function
from functions.sync_google.handler import SyncGoogleSettings
from functions.sync_google.handler import app as google
from functions.sync_tiktok.handler import SyncTikTokSettings
from functions.sync_tiktok.handler import app as tiktok
from tests.conftest import Postgres
from tests.integration import google_rig, tiktok_rig
from tests.integration.cast import common_settings
from tests.integration.google_rig import GoogleRig, google_on
from tests.integration.sync_rig import Rig, rig_in
from tests.integration.tiktok_rig import TikTokRig
from tests.unit.sandbox import google as google_world
from tests.unit.sandbox import tiktok as tiktok_world
from tests.unit.sandbox.support import Sandbox, facts

NOON = "2026-03-03T12:00:00+00:00"
RING = Fernet.generate_key().decode()
SECRET = "x" * 32
IDS = {"account_id": "4111111111", "campaign_id": "21", "adgroup_id": "31", "ad_id": "41"}
DAYS = ("2026-02-27", "2026-03-01", "2026-03-02")
APPS = {
    "google_ads_client_id": google_world.CLIENT_ID,
    "google_ads_client_secret": google_world.CLIENT_SECRET,
    "tiktok_app_id": tiktok_world.APP_ID,
    "tiktok_app_secret": tiktok_world.APP_SECRET,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    home = tmp_path_factory.mktemp("functions")
    rows = [world.row(**IDS, date=day) for world in (google_world, tiktok_world) for day in DAYS]
    with google_on(facts(home / "facts", *rows), home, NOON, **tiktok_rig.SETTINGS) as started:
        yield started


def settings(postgres: Postgres, sandbox: Sandbox, name: str, **changes: str) -> Any:
    model = SyncGoogleSettings if name == "sync-google" else SyncTikTokSettings
    told = common_settings(
        database_url=postgres.url(name),
        event_secret=SECRET,
        token_ring=RING,
        sandbox_url=sandbox.url,
        sandbox_google_port=sandbox.environment[google_rig.PORT],
        **(APPS | changes),
    )
    return model(**told)


@pytest.fixture(params=[("sync-google", GoogleRig), ("sync-tiktok", TikTokRig)], ids=["google", "tiktok"])
def served(
    request: pytest.FixtureRequest, postgres: Postgres, shared: tuple[Sandbox, Path]
) -> Iterator[tuple[Rig, Function[Any]]]:
    """A new connection of a platform, and the function that hears of it."""
    name, kind = request.param
    app = google if name == "sync-google" else tiktok
    with rig_in(postgres, *shared, kind, vault=Vault(RING)) as rig:
        rig.at(NOON)
        app.use(settings(postgres, shared[0], name), rig.database)
        yield rig, app


def deliver(app: Function[Any], envelope: dict[str, Any]) -> int:
    body = json.dumps(envelope).encode()
    headers = {SIGNATURE_HEADER: sign(body, SECRET, int(time.time())), "Content-Type": "application/json"}
    return app.test_client().post("/events", data=body, headers=headers).status_code


def test_a_connection_leads_to_every_row_of_its_accounts(served: tuple[Rig, Function[Any]]) -> None:
    rig, app = served
    for _ in range(10):
        for envelope in rig.undelivered():
            if not envelope["type"].startswith(("adloom.metrics.", "adloom.connections.broken")):
                assert deliver(app, envelope) == 202
            rig.accept(envelope)
    assert rig.undelivered() == []
    stored = rig.rows(
        "select level, count(*) as rows from metrics where org_id = %s group by level order by level",
    )
    assert {row["level"]: row["rows"] for row in stored} == dict.fromkeys(("account", "ad", "ad_group", "campaign"), 3)
    assert rig.one("select count(*) from sync_runs where org_id = %s and outcome <> 'succeeded'") == 0


def test_what_is_of_another_platform_is_left_to_its_function(served: tuple[Rig, Function[Any]]) -> None:
    rig, app = served
    (envelope,) = rig.undelivered()
    foreign = envelope | {"data": envelope["data"] | {"platform": "meta"}}
    assert deliver(app, foreign) == 202
    assert rig.one("select count(*) from ad_accounts where org_id = %s") == 0
    assert rig.one("select count(*) from inbox where org_id = %s") == 0


def test_a_tick_asks_for_accounts_that_are_due_by_an_event_of_the_platform(served: tuple[Rig, Function[Any]]) -> None:
    rig, app = served
    rig.settle()
    rig.at("2026-03-03T12:15:00+00:00")
    assert app.test_client().post("/").status_code == 202
    (due,) = [one for one in rig.undelivered() if one["data"].get("reason") == "tick"]
    assert due["type"] == f"{rig.requested.subject}.v1"


def test_an_app_that_was_taken_away_is_told_with_the_account_until_it_is_back(
    served: tuple[Rig, Function[Any]], postgres: Postgres
) -> None:
    rig, app = served
    rig.settle()
    id_of = "google_ads_client_id" if rig.platform == "google" else "tiktok_app_id"
    error = "select error_code from ad_accounts where org_id = %s"
    whole = app.settings()
    for told, code in (
        (settings(postgres, rig.sandbox, rig.function, **{id_of: ""}), "platform_not_set_up"),
        (whole, None),
    ):
        app.use(told, rig.database)
        planning.request(rig.sync, org_id=rig.org_id, account_scope="*")
        for envelope in rig.undelivered():
            if envelope["type"] == f"{rig.requested.subject}.v1":
                assert deliver(app, envelope) == 202
            rig.accept(envelope)
        assert rig.one(error) == code
