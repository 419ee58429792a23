"""A sync of TikTok with everything real around it."""

from __future__ import annotations

from typing import ClassVar

from adloom.events.catalogue import Platform, SyncRequested, SyncTikTokRequested
from adloom.metrics.sync import Access
from adloom.platforms.model import Cadence, Reader
from adloom.platforms.tiktok.cadence import CADENCE
from adloom.platforms.tiktok.client import App, TikTokClient
from adloom.platforms.tiktok.read import TikTokReader
from tests.integration.sync_rig import Rig
from tests.unit.sandbox.tiktok import APP_ID, APP_SECRET, TikTok

SETTINGS = {"ADLOOM_TIKTOK_APP_ID": APP_ID, "ADLOOM_TIKTOK_APP_SECRET": APP_SECRET}


class TikTokRig(Rig):
    """One organisation with a connection to the sandbox's TikTok."""

    function: ClassVar[str] = "sync-tiktok"
    platform: ClassVar[Platform] = "tiktok"
    cadence: ClassVar[Cadence] = CADENCE
    requested: ClassVar[type[SyncRequested]] = SyncTikTokRequested

    def token(self) -> str:
        return TikTok(self.sandbox).login()

    def _reader(self, access: Access) -> Reader:
        app = App(APP_ID, APP_SECRET, self.sandbox.url)
        client = TikTokClient(
            app, access.token, deadline=access.deadline, admit=access.admit, timeout_s=self.timeout_s, retry=self.retry
        )
        return TikTokReader(client)
