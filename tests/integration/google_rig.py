"""A sync of Google with everything real around it, over gRPC and TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from adloom.events.catalogue import Platform, SyncGoogleRequested, SyncRequested
from adloom.metrics.sync import Access
from adloom.platforms.google.cadence import CADENCE
from adloom.platforms.google.client import App, GoogleClient
from adloom.platforms.google.read import GoogleReader
from adloom.platforms.model import Cadence, Reader
from tests.integration.sync_rig import Rig, sandbox_on
from tests.unit.sandbox.google import CA, CLIENT_ID, CLIENT_SECRET, Google
from tests.unit.sandbox.support import Sandbox, free_port

PORT = "ADLOOM_SANDBOX_GOOGLE_PORT"


class GoogleRig(Rig):
    """One organisation with a connection to the sandbox's Google."""

    function: ClassVar[str] = "sync-google"
    platform: ClassVar[Platform] = "google"
    cadence: ClassVar[Cadence] = CADENCE
    requested: ClassVar[type[SyncRequested]] = SyncGoogleRequested

    @property
    def google(self) -> Google:
        return Google(self.sandbox, f"localhost:{self.sandbox.environment[PORT]}")

    def token(self) -> str:
        return self.google.login()

    def _reader(self, access: Access) -> Reader:
        google = self.google
        client = GoogleClient(
            App(CLIENT_ID, CLIENT_SECRET, google.endpoint, google.token_url), access.token, deadline=access.deadline,
            admit=access.admit, timeout_s=self.timeout_s, retry=self.retry,
        )  # fmt: skip
        return GoogleReader(client, {access.account: access.login} if access.account and access.login else {})


@contextmanager
def google_on(folder: Path, home: Path, now: str, **more: str) -> Iterator[tuple[Sandbox, Path]]:
    """A sandbox that serves a folder as Google, too, and the file of the business clock."""
    settings = {
        "ADLOOM_GOOGLE_ADS_CLIENT_ID": CLIENT_ID,
        "ADLOOM_GOOGLE_ADS_CLIENT_SECRET": CLIENT_SECRET,
        PORT: str(free_port()),
        "ADLOOM_SANDBOX_GOOGLE_CA": str(CA),
        **more,
    }
    with sandbox_on(folder, home, now, **settings) as started:
        yield started
