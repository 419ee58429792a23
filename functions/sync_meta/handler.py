"""Meta: accounts, entities, metrics and their reconciliation."""

from __future__ import annotations

from adloom.events import SyncMetaRequested
from adloom.metrics.sync import Access
from adloom.platforms import apps
from adloom.platforms.meta.cadence import CADENCE
from adloom.platforms.meta.quota import QUOTA
from adloom.platforms.model import Reader
from adloom.settings import MetaSettings
from adloom.syncing import SyncSettings, serve
from adloom.web import create_function, openfaas


class SyncMetaSettings(SyncSettings, MetaSettings):
    pass


app = create_function("sync-meta", SyncMetaSettings)


def open_reader(access: Access) -> Reader:
    from adloom.platforms.meta.client import GraphClient  # the SDK, which only a call to Meta needs
    from adloom.platforms.meta.read import MetaReader

    meta = apps.meta(app.settings())
    client = GraphClient(meta, access.token, deadline=access.deadline, admit=access.admit, heard=access.heard)
    return MetaReader(client)


serve(
    app,
    platform="meta",
    requested=SyncMetaRequested,
    cadence=CADENCE,
    open_reader=open_reader,
    quota=lambda: QUOTA,
)
handle = openfaas(app)
