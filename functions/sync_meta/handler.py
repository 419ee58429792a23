"""Meta: accounts, entities, metrics and their reconciliation."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from adloom.connections.vault import Vault
from adloom.events import AccountsConnected, SyncMetaRequested
from adloom.metrics import connected, planning, slices
from adloom.metrics.sync import Access, Sync
from adloom.platforms.meta.cadence import CADENCE
from adloom.platforms.model import Reader
from adloom.settings import CoreSettings, DatabaseSettings, EventSettings, MetaSettings, TokenRingSettings
from adloom.web import Delivery, Guard, Principal, RequestModel, create_function, openfaas

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SyncMetaSettings(CoreSettings, DatabaseSettings, EventSettings, TokenRingSettings, MetaSettings):
    # A slice holds two: the account's lock and its transactions.
    database_pool: int = Field(default=20, ge=2, le=64, description="Connections that one process holds at most")


class RunRequest(RequestModel):
    accounts: list[Name] = Field(default=[], max_length=1000, description="Meta's ids or ours; all when empty")
    since: date | None = Field(default=None, description="First local day; else all that may have moved")
    until: date | None = Field(default=None, description="Last local day; else the account's today")


class Planned(BaseModel):
    account_id: int
    external_id: str
    since: date
    until: date
    windows: int = Field(description="Ranges of days that wait for this account")


class RunsPlanned(BaseModel):
    planned: list[Planned]


app = create_function("sync-meta", SyncMetaSettings)


@app.on_start
def check_token_ring() -> None:
    _vault()


@app.route_model(
    "POST",
    "/runs",
    guard=Guard.role("editor", scope="runs:write"),
    summary="Sync days of accounts again",
    status=202,
)
def start_runs(body: RunRequest, principal: Principal) -> RunsPlanned:
    planned = planning.request(
        _sync(),
        org_id=principal.org_id,
        account_scope=principal.account_scope,
        wanted=body.accounts,
        since=body.since,
        until=body.until,
    )
    return RunsPlanned(planned=[Planned(**vars(each)) for each in planned])


@app.on_event(AccountsConnected)
def accounts_connected(event: AccountsConnected, delivery: Delivery) -> None:
    if event.platform == _sync().platform:
        connected.welcome(_sync(), event, delivery.id)


@app.on_event(SyncMetaRequested)
def sync_requested(event: SyncMetaRequested, delivery: Delivery) -> None:
    slices.run(_sync(), event, delivery.id)


@app.tick
def ask_for_what_is_due() -> None:
    planning.tick(_sync())


def _sync() -> Sync:
    return Sync(
        function=app.name,
        platform="meta",
        database=app.database(),
        cadence=CADENCE,
        open_reader=_open_reader,
        decrypt=_vault().decrypt,
    )


def _open_reader(access: Access) -> Reader:
    from adloom.platforms.meta.client import App, GraphClient  # the SDK, which only a call to Meta needs
    from adloom.platforms.meta.read import MetaReader

    settings = app.settings()
    meta = App(settings.meta_app_id, settings.meta_app_secret.get_secret_value(), settings.graph_url)
    return MetaReader(GraphClient(meta, access.token, deadline=access.deadline, admit=access.admit))


def _vault() -> Vault:
    return Vault(app.settings().token_ring.get_secret_value())


handle = openfaas(app)
