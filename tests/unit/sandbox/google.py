"""Google in a running sandbox: the log-in, its own SDK, and our reader over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adloom.platforms.google.client import App, GoogleClient
from adloom.platforms.google.read import GoogleReader
from adloom.platforms.retry import Deadline, RetryPolicy
from infra.sandbox.google import tls
from tests.unit.sandbox.support import REDIRECT, Sandbox, entity, fact, free_port, running

CLIENT_ID, CLIENT_SECRET = "123-abc.apps.googleusercontent.com", "google-ads-client-secret"
MANAGER = "9000000001"
VERSION = "v26"
ADWORDS = "https://www.googleapis.com/auth/adwords"
SCOPES = f"{ADWORDS} openid email profile"
QUICK = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.02)
# gRPC reads its roots once in a process: every sandbox of a test run has the same authority.
CA = Path(tempfile.mkdtemp(prefix="adloom-google-ca-"))
os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(tls.authority(CA))


def row(**cells: str) -> dict[str, str]:
    """A row of facts.csv of Google's."""
    return fact(platform="google", **cells)


def thing(level: str, object_id: str, parent_id: str, **cells: str) -> dict[str, str]:
    """A row of entities.csv of Google's."""
    return {**entity(level, object_id, parent_id), "platform": "google", **cells}


@dataclass
class Google:
    """Google as a client sees it."""

    sandbox: Sandbox
    endpoint: str

    @property
    def token_url(self) -> str:
        return f"{self.sandbox.url}/token"

    def agree(self, scopes: list[str] | None = None, **more: str) -> httpx.Response:
        """What the consent page answers to a person's decision."""
        asked = {
            "client_id": CLIENT_ID, "redirect_uri": REDIRECT, "state": "a b&c", "response_type": "code",
            "scope": SCOPES, "access_type": "offline", "prompt": "consent", **more,
        }  # fmt: skip
        form: dict[str, Any] = {"decision": "allow"}
        if scopes is not None:
            form |= {"choices": "1", "granted": scopes}
        return httpx.post(f"{self.sandbox.url}/o/oauth2/v2/auth", params=asked, data=form)

    def code(self, scopes: list[str] | None = None, **more: str) -> str:
        return str(httpx.URL(self.agree(scopes, **more).headers["location"]).params["code"])

    def token(self, **form: str) -> httpx.Response:
        return httpx.post(self.token_url, data={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form})

    def exchange(self, code: str, **more: str) -> httpx.Response:
        return self.token(**{"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **more})

    def login(self, scopes: list[str] | None = None) -> str:
        """A refresh token."""
        return str(self.exchange(self.code(scopes)).json()["refresh_token"])

    def sdk(self, refresh_token: str, login: str | None = MANAGER) -> Any:
        """Google's own client, as its users make it."""
        from google.ads.googleads.client import GoogleAdsClient
        from google.oauth2.credentials import Credentials

        credentials = Credentials(
            None, refresh_token=refresh_token, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
            token_uri=self.token_url,
        )  # fmt: skip
        return GoogleAdsClient(
            credentials, login_customer_id=login, endpoint=self.endpoint, use_proto_plus=True, version=VERSION
        )

    @contextmanager
    def client(
        self, refresh_token: str, *, seconds: float = 120, secret: str = CLIENT_SECRET, **more: Any
    ) -> Iterator[GoogleClient]:
        """Our client."""
        app = App(CLIENT_ID, secret, self.endpoint, self.token_url)
        made = GoogleClient(app, refresh_token, deadline=Deadline(seconds), **{"retry": QUICK, **more})
        try:
            yield made
        finally:
            made.close()

    @contextmanager
    def reader(self, refresh_token: str, **more: Any) -> Iterator[GoogleReader]:
        """Our reader."""
        with self.client(refresh_token, **more) as client:
            yield GoogleReader(client)

    def asked(self, path: str = "") -> list[dict[str, Any]]:
        """The requests so far, of a path only."""
        found = self.sandbox.control("GET", "requests?after=0")["requests"]
        return [one for one in found if path in one["path"]]


@contextmanager
def google(home: Path, folder: Path, now: str) -> Iterator[Google]:
    """A sandbox whose business clock stands still."""
    port = free_port()
    settings = {
        "ADLOOM_GOOGLE_ADS_CLIENT_ID": CLIENT_ID,
        "ADLOOM_GOOGLE_ADS_CLIENT_SECRET": CLIENT_SECRET,
        "ADLOOM_SANDBOX_GOOGLE_PORT": str(port),
        "ADLOOM_SANDBOX_GOOGLE_CA": str(CA),
    }
    with running(home, ADLOOM_SANDBOX_FACTS=str(folder), ADLOOM_CLOCK=f"{now},x0", **settings) as started:
        yield Google(started, f"localhost:{port}")
