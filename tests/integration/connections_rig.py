"""Everything of connections at once: the log-ins of three platforms, and the three functions that sync, over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import psycopg
from cryptography.fernet import Fernet
from psycopg.rows import dict_row

from adloom import clock
from adloom.db import Database
from adloom.events import SIGNATURE_HEADER, sign
from adloom.web.limits import MemoryLimiter
from functions.oauth_callback.handler import app as callback_app
from functions.sync_google.handler import app as google_app
from functions.sync_meta.handler import app as meta_app
from functions.sync_tiktok.handler import app as tiktok_app
from tests.conftest import Postgres
from tests.integration.cast import Person, common_settings, person
from tests.integration.sync_rig import sandbox_on
from tests.unit.sandbox import google, tiktok
from tests.unit.sandbox.support import APP_ID, APP_SECRET, Sandbox, fact, facts, free_port

PLATFORMS = ("google", "meta", "tiktok")
SYNCS = {"google": google_app, "meta": meta_app, "tiktok": tiktok_app}
APPS = {"oauth-callback": callback_app, **{f"sync-{name}": app for name, app in SYNCS.items()}}
# Two accounts of each platform.
ACCOUNTS = {"google": ("211", "212"), "meta": ("11", "12"), "tiktok": ("311", "312")}
NOON = "2026-03-03T12:00:00+00:00"
BROWSER = "a-browser-of-256-random-bits-" + "x" * 14
SECRET = "x" * 32
RING = Fernet.generate_key().decode()


@dataclass
class World:
    """A sandbox of three platforms, and the business clock that it shares with this process."""

    sandbox: Sandbox
    clock_file: Path

    def at(self, now: str | datetime) -> None:
        clock.move(self.clock_file, datetime.fromisoformat(now) if isinstance(now, str) else now, 0)


@contextmanager
def world_in(home: Path) -> Iterator[World]:
    """Six accounts with one row each; the business clock stands still."""
    rows = [
        fact(platform=name, account_id=one, campaign_id=f"{one}1", adgroup_id=f"{one}2", ad_id=f"{one}3")
        for name, accounts in ACCOUNTS.items()
        for one in accounts
    ]
    told = {
        "ADLOOM_GOOGLE_ADS_CLIENT_ID": google.CLIENT_ID,
        "ADLOOM_GOOGLE_ADS_CLIENT_SECRET": google.CLIENT_SECRET,
        "ADLOOM_SANDBOX_GOOGLE_PORT": str(free_port()),
        "ADLOOM_SANDBOX_GOOGLE_CA": str(google.CA),
        "ADLOOM_TIKTOK_APP_ID": tiktok.APP_ID,
        "ADLOOM_TIKTOK_APP_SECRET": tiktok.APP_SECRET,
    }
    with sandbox_on(facts(home / "facts", *rows), home, NOON, **told) as (sandbox, clock_file):
        yield World(sandbox, clock_file)


@dataclass
class House:
    """The four functions over one database, and organisations that connect."""

    postgres: Postgres
    world: World
    databases: list[Database] = field(default_factory=list)

    def __post_init__(self) -> None:
        sandbox = self.world.sandbox
        told = common_settings(
            public_url="http://adloom.test",
            event_secret=SECRET,
            token_ring=RING,
            sandbox_url=sandbox.url,
            sandbox_google_port=int(sandbox.environment["ADLOOM_SANDBOX_GOOGLE_PORT"]),
            google_ads_client_id=google.CLIENT_ID,
            google_ads_client_secret=google.CLIENT_SECRET,
            meta_app_id=APP_ID,
            meta_app_secret=APP_SECRET,
            tiktok_app_id=tiktok.APP_ID,
            tiktok_app_secret=tiktok.APP_SECRET,
        )
        for name, app in APPS.items():
            url = self.postgres.url(name)
            self.databases.append(Database(url, pool_size=6))
            app.use(app._settings_model(**(told | {"database_url": url})), self.databases[-1])  # type: ignore[attr-defined]
            app.limiter = MemoryLimiter()  # type: ignore[attr-defined]
        self.admin = psycopg.connect(self.postgres.admin_url, autocommit=True, row_factory=dict_row)
        self.auth = Database(self.postgres.url("auth"), pool_size=2)
        self.world.at(NOON)

    def close(self) -> None:
        for database in (*self.databases, self.auth):
            database.close()
        # The ticks of other tests in this database are to find nothing here.
        self.admin.execute("update connections set status = 'revoked' where status <> 'revoked'")
        self.admin.execute("delete from connection_tokens")
        self.admin.close()

    def organisation(self, name: str) -> Team:
        """A new one, with its administrator."""
        org_id = uuid4()
        self.admin.execute("insert into organisations (org_id, name) values (%s, %s)", (org_id, name))
        return Team(self, org_id, person(self.auth, org_id, "admin", "admin"))

    def tick(self, *functions: str) -> None:
        for name in functions or APPS:
            assert APPS[name].test_client().post("/").status_code == 202, name

    def settle(self) -> None:
        """Deliver every event to whom it concerns until nothing waits."""
        query = "select event_id, subject, envelope from outbox where published_at is null order by position"
        for _ in range(100):
            waiting = self.admin.execute(query).fetchall()
            if not waiting:
                return
            for row in waiting:
                for name in _receivers(row["subject"]):
                    self._deliver(name, row["envelope"])
                self.admin.execute("update outbox set published_at = now() where event_id = %s", (row["event_id"],))
            # Years without a row are not what these tests are about.
            self.admin.execute("delete from sync_windows where until < %s", (clock.now().date() - timedelta(days=35),))
        raise AssertionError("events never end")

    def _deliver(self, name: str, envelope: dict[str, Any]) -> None:
        body = json.dumps(envelope).encode()
        headers = {SIGNATURE_HEADER: sign(body, SECRET, int(time.time())), "Content-Type": "application/json"}
        answer = APPS[name].test_client().post("/events", data=body, headers=headers)
        assert answer.status_code < 300, (name, answer.text)


def _receivers(subject: str) -> list[str]:
    if subject == "adloom.connections.connected":
        return [f"sync-{name}" for name in PLATFORMS]
    return [f"sync-{name}" for name in PLATFORMS if subject == f"adloom.sync_{name}.requested"]


@dataclass
class Team:
    """An organisation and its administrator."""

    house: House
    org_id: UUID
    admin: Person

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        client = callback_app.test_client()
        client.set_cookie("adloom_browser", BROWSER)
        answer = client.open(path, method=method, json=body, headers=self.admin.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def begin(self, platform: str, **more: Any) -> str:
        wanted = {"platform": platform, "browser": BROWSER, **more}
        return str(self.call("POST", "/connections", wanted, status=201)["authorize_url"])

    def connect(self, platform: str, *, status: int = 200, granted: list[str] | None = None, **more: Any) -> Any:
        """Walk the log-in as a person; `granted` are the boxes that stay ticked, all if not said."""
        url = self.begin(platform, **more)
        form: dict[str, Any] = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        form |= {"decision": "allow"} | ({} if granted is None else {"choices": "1", "granted": granted})
        if granted is not None and platform == "tiktok":
            form["advertiser"] = list(ACCOUNTS["tiktok"])
        back = urlsplit(httpx.post(url, data=form, trust_env=False).headers["Location"])
        client = callback_app.test_client()
        client.set_cookie("adloom_browser", BROWSER)
        answer = client.get(f"/callback?{back.query}", headers={"Accept": "application/json"})
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def detail(self, connection_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/connections/{connection_id}"))

    def token(self, connection_id: str) -> str:
        """The platform token, as the sandbox knows it."""
        from adloom.connections import store
        from adloom.connections.vault import Vault

        with self.house.databases[0].tenant(self.org_id) as connection:
            return store.access_token(connection, Vault(RING), UUID(connection_id))

    def synced_at(self) -> dict[str, datetime | None]:
        """The last sync of each account, by the platform's id."""
        query = "select external_id, last_synced_at from ad_accounts where org_id = %s"
        rows = self.house.admin.execute(query, (self.org_id,)).fetchall()
        return {row["external_id"]: row["last_synced_at"] for row in rows}

    def make_due(self) -> None:
        self.house.admin.execute(
            "update ad_accounts set next_due_at = null, blocked_until = null where org_id = %s", (self.org_id,)
        )
