"""Log-ins by a provider under test: auth, the sandbox's provider, and browsers that go from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from adloom.connections.browser import new_browser
from adloom.db import Database
from adloom.mail.sender import Postbox
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings, app
from tests.integration.auth_rig import OPERATOR_KEY, Admin
from tests.integration.cast import auth_settings
from tests.unit.sandbox.support import CLIENT_SECRET, Sandbox

if TYPE_CHECKING:
    from uuid import UUID

    from flask.testing import FlaskClient

    from tests.conftest import Postgres


@pytest.fixture
def provider(sandbox: Sandbox) -> Iterator[Provider]:
    """The sandbox's provider, behaving as it should until a test says otherwise."""
    found = Provider(sandbox)
    found.behaves()
    sandbox.faults()
    yield found
    found.behaves()
    sandbox.faults()


@pytest.fixture(autouse=True)
def by_sandbox(
    client: FlaskClient,
    postgres: Postgres,
    auth: Database,
    admin: Admin,
    sandbox: Sandbox,
    org_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each test has the made-up people anew, and its own organisation is where they belong."""
    monkeypatch.setattr(Postbox, "wake", lambda _self: None)
    admin.execute("delete from sso_identities")
    admin.execute("update users set email = user_id || '@gone.example' where email like '%@adloom.local'")
    use(postgres, auth, sandbox, sso_domains=f"adloom.local={org_id}")


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@dataclass
class Provider:
    sandbox: Sandbox

    @property
    def issuer(self) -> str:
        return f"{self.sandbox.url}/oidc"

    def behaves(self, **how: Any) -> None:
        self.sandbox.control("POST", "oidc", how)

    def asked(self, path: str) -> int:
        """How often it was asked for this."""
        return sum(one["path"] == path for one in self.sandbox.control("GET", "requests")["requests"])

    def fails(self, path: str, kind: str = "error", **fault: Any) -> None:
        """Every request below `oidc/` that matches meets this fault."""
        self.sandbox.faults({"match": {"path": path, "times": None}, "fault": {"kind": kind, **fault}})


def use(postgres: Postgres, auth: Database, sandbox: Sandbox, **changes: Any) -> None:
    """These settings, and nothing remembered of any provider."""
    told = {"sandbox_url": sandbox.url, "sandbox_client_secret": CLIENT_SECRET, "mail_key": "re_x"} | changes
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY, **told)), auth)
    app.limiter = MemoryLimiter()
    app.extensions.pop("adloom.sso", None)


@dataclass
class Browser:
    """What a browser and the dashboard do together; `cookie` is what binds a log-in to it."""

    client: FlaskClient
    cookie: str = field(default_factory=new_browser)
    device: str | None = None
    agent: dict[str, str] = field(default_factory=dict)

    def leave(self, provider: str = "sandbox", target: str = "/") -> str:
        """Begin a log-in: where the browser is sent."""
        body = {"provider": provider, "browser": self.cookie, "target": target, "device": self.device}
        answer = self.client.post("/sso/start", json=body, headers=self.agent)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["authorize_url"])

    def come_back(self, brought: dict[str, str], provider: str = "sandbox") -> Any:
        """What became of it."""
        named = {name: value for name, value in brought.items() if name in ("state", "code", "error", "iss")}
        body = {"provider": provider, "browser": self.cookie, **named}
        return self.client.post("/sso/finish", json=body, headers=self.agent)

    def log_in(self, person: str = "nora", provider: str = "sandbox") -> Any:
        """All of it."""
        return self.come_back(at_provider(self.leave(provider), person), provider)

    def link(self, token: str, person: str = "nora") -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        started = self.client.post("/sso/link", json={"provider": "sandbox", "browser": self.cookie}, headers=headers)
        if started.status_code != 200:
            return started
        return self.come_back(at_provider(started.get_json()["authorize_url"], person))


def at_provider(url: str, person: str = "nora") -> dict[str, str]:
    """Choose a person at the provider: what the browser brings back."""
    shown = httpx.get(url)
    assert shown.status_code == 200, shown.text
    answer = httpx.post(url, data={**httpx.URL(url).params, "person": person})
    assert answer.status_code == 302, answer.text
    return dict(httpx.URL(answer.headers["location"]).params)
