"""Puts a sync function together: what it answers, hears and looks after."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from adloom.connections.vault import Vault
from adloom.events.catalogue import AccountsConnected, Platform, SyncRequested
from adloom.metrics import connected, planning, slices
from adloom.metrics.sync import Access, Sync
from adloom.platforms.model import Cadence, Reader
from adloom.platforms.quota import Quota
from adloom.syncing import accounts_routes, runs_routes
from adloom.syncing.settings import SyncSettings
from adloom.syncing.unopened import opened
from adloom.web import Delivery, Function

S = TypeVar("S", bound=SyncSettings)


def serve(
    app: Function[S],
    *,
    platform: Platform,
    requested: type[SyncRequested],
    cadence: Cadence,
    open_reader: Callable[[Access], Reader],
    quota: Callable[[], Quota],
) -> None:
    """Make `app` the sync function of a platform, whose accounts `open_reader` reads, and which allows `quota`."""

    def vault() -> Vault:
        return Vault(lambda: app.secret("token_ring"))

    def sync() -> Sync:
        return Sync(
            function=app.name,
            platform=platform,
            database=app.database(),
            cadence=cadence,
            open_reader=opened(open_reader),
            decrypt=vault().decrypt,
            requested=requested,
            quota=quota(),
        )

    @app.on_start
    def check_token_ring() -> None:
        vault()

    runs_routes.add(app, sync)
    accounts_routes.add(app, sync)
    _listen(app, platform, requested, sync)
    _look_after(app, sync)


def _look_after(app: Function[S], sync: Callable[[], Sync]) -> None:
    @app.tick
    def ask_for_what_is_due() -> None:
        planning.tick(sync())
        from adloom.metrics import rates  # httpx, which is heavy

        rates.tick(app.database(), app.settings().rates_from)


def _listen(app: Function[S], platform: Platform, requested: type[SyncRequested], sync: Callable[[], Sync]) -> None:
    @app.on_event(AccountsConnected)
    def accounts_connected(event: AccountsConnected, delivery: Delivery) -> None:
        if event.platform == platform:
            connected.welcome(sync(), event, delivery.id)

    @app.on_event(requested)
    def sync_requested(event: SyncRequested, delivery: Delivery) -> None:
        slices.run(sync(), event, delivery.id)
