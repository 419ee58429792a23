"""Log-ins by a provider that is not ours: oidc-provider-mock, as its own program."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from adloom.connections.browser import new_browser
from adloom.db import Database
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings, app
from tests.integration.cast import auth_settings
from tests.unit.sandbox.support import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.conftest import Postgres

_CLAIMS = '{"sub":"alice","email":"alice@example.com","email_verified":true,"name":"Alice Example"}'
_PATIENCE_S = 30


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """It names itself by the address it is called by, and needs a nonce."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port), "--require-nonce", "1"]
    process = subprocess.Popen(
        [*command, "--user-claims", _CLAIMS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url, until = f"http://localhost:{port}", time.monotonic() + _PATIENCE_S
    try:
        while not answers(f"{url}/.well-known/openid-configuration"):
            assert process.poll() is None, "the provider has ended"
            assert time.monotonic() < until, "the provider does not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_somebody_logs_in_by_it(
    postgres: Postgres,
    connect: Callable[[str], Database],
    make_organisation: Callable[..., UUID],
    issuer: str,
) -> None:
    org_id = make_organisation("Acme")
    told = {"oidc_issuer": issuer, "oidc_client_id": "adloom", "oidc_client_secret": "x", "oidc_name": "Mock"}
    domains = {"sso_domains": f"example.com={org_id}"}
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), "adl_o_x", **told, **domains)), connect("auth"))
    app.limiter = MemoryLimiter()
    app.extensions.pop("adloom.sso", None)
    client, browser = app.test_client(), new_browser()

    url = client.post("/sso/start", json={"provider": "oidc", "browser": browser}).get_json()["authorize_url"]
    assert url.startswith(issuer)
    sent = httpx.post(url, data={"sub": "alice"})
    assert sent.status_code == 302, sent.text
    came = httpx.URL(sent.headers["location"]).params
    body = {"provider": "oidc", "browser": browser, "state": came["state"], "code": came["code"]}
    answer = client.post("/sso/finish", json=body | ({"iss": came["iss"]} if "iss" in came else {}))

    assert answer.status_code == 200, answer.text
    assert answer.get_json()["login"]["user"]["email"] == "alice@example.com"
    again = client.post("/sso/finish", json=body)
    assert (again.status_code, again.get_json()["code"]) == (409, "state_unusable")
