"""TikTok in a running sandbox: the log-in, raw calls, and our reader over it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adloom.platforms.retry import Deadline, RetryPolicy
from adloom.platforms.tiktok.client import App, TikTokClient
from adloom.platforms.tiktok.memory import Memory
from adloom.platforms.tiktok.read import TikTokReader
from tests.unit.sandbox.support import REDIRECT, Sandbox, entity, fact, running

APP_ID, APP_SECRET = "7123456789012345678", "tiktok-app-secret"
QUICK = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.02)
EVERY_AD = [{"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}]


def row(**cells: str) -> dict[str, str]:
    """A row of facts.csv of TikTok's."""
    return fact(platform="tiktok", **cells)


def thing(level: str, object_id: str, parent_id: str, **cells: str) -> dict[str, str]:
    """A row of entities.csv of TikTok's."""
    return {**entity(level, object_id, parent_id), "platform": "tiktok", **cells}


@dataclass
class TikTok:
    """TikTok as a client sees it."""

    sandbox: Sandbox

    @property
    def api(self) -> str:
        return f"{self.sandbox.url}/open_api/v1.3"

    def agree(self, **choices: Any) -> httpx.Response:
        """What the authorization page answers to a person's decision."""
        asked = {"app_id": APP_ID, "redirect_uri": REDIRECT, "state": "a b&c"}
        form = {"decision": "allow", **choices}
        return httpx.post(f"{self.sandbox.url}/portal/auth", params=asked, data=form)

    def code(self, **choices: Any) -> str:
        return str(httpx.URL(self.agree(**choices).headers["location"]).params["auth_code"])

    def exchange(self, code: str, **more: Any) -> dict[str, Any]:
        body = {"app_id": APP_ID, "secret": APP_SECRET, "auth_code": code, **more}
        found: dict[str, Any] = httpx.post(f"{self.api}/oauth2/access_token/", json=body).json()
        return found

    def login(self, **choices: Any) -> str:
        return str(self.exchange(self.code(**choices))["data"]["access_token"])

    def call(self, path: str, token: str, **params: Any) -> httpx.Response:
        """A GET with lists and objects as JSON text."""
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        return httpx.get(f"{self.api}/{path}", params=query, headers={"Access-Token": token}, timeout=30)

    def get(self, path: str, token: str, **params: Any) -> dict[str, Any]:
        """A GET's envelope."""
        reply = self.call(path, token, **params)
        assert reply.status_code == 200
        assert reply.headers["x-tt-logid"]
        envelope: dict[str, Any] = reply.json()
        assert set(envelope) == {"code", "message", "request_id", "data"}
        return envelope

    def asked(self, path: str = "") -> list[dict[str, Any]]:
        """The requests so far, of a path only."""
        found = self.sandbox.control("GET", "requests?after=0")["requests"]
        return [one for one in found if path in one["path"]]

    @contextmanager
    def reader(
        self, token: str, *, seconds: float = 60, memory: Memory | None = None, **more: Any
    ) -> Iterator[TikTokReader]:
        """Our reader."""
        app = App(APP_ID, APP_SECRET, self.sandbox.url)
        client = TikTokClient(app, token, deadline=Deadline(seconds), **{"retry": QUICK, **more})
        made = TikTokReader(client, memory=memory)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def tiktok(home: Path, folder: Path, now: str) -> Iterator[TikTok]:
    """A sandbox whose business clock stands still."""
    settings = {"ADLOOM_TIKTOK_APP_ID": APP_ID, "ADLOOM_TIKTOK_APP_SECRET": APP_SECRET}
    with running(home, ADLOOM_SANDBOX_FACTS=str(folder), ADLOOM_CLOCK=f"{now},x0", **settings) as started:
        yield TikTok(started)
