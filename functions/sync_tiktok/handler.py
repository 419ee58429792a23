"""TikTok: accounts, entities, metrics and their reconciliation."""

from __future__ import annotations

from adloom.events import SyncTikTokRequested
from adloom.metrics.sync import Access
from adloom.platforms import apps
from adloom.platforms.model import Reader
from adloom.platforms.quota import Quota
from adloom.platforms.tiktok import quota
from adloom.platforms.tiktok.cadence import CADENCE
from adloom.platforms.tiktok.memory import Memory
from adloom.settings import TikTokSettings
from adloom.syncing import SyncSettings, serve
from adloom.web import create_function, openfaas


class SyncTikTokSettings(SyncSettings, TikTokSettings):
    pass


app = create_function("sync-tiktok", SyncTikTokSettings)
# Of reviews and images, for as long as the process lives.
memory = Memory()


def open_reader(access: Access) -> Reader:
    from adloom.platforms.tiktok.client import TikTokClient  # its decoders, which only a call to TikTok needs
    from adloom.platforms.tiktok.read import TikTokReader

    tiktok = apps.tiktok(app.settings())
    client = TikTokClient(tiktok, access.token, deadline=access.deadline, admit=access.admit)
    return TikTokReader(client, memory=memory)


def allowed() -> Quota:
    settings = app.settings()
    return quota.of(settings.tiktok_tier, is_sandbox=bool(settings.sandbox_url))


serve(
    app,
    platform="tiktok",
    requested=SyncTikTokRequested,
    cadence=CADENCE,
    open_reader=open_reader,
    quota=allowed,
)
handle = openfaas(app)
