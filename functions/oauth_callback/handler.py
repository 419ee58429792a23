"""Connections to ad platforms: start a log-in, take it back from the platform, list them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import request
from pydantic import BaseModel, Field, StringConstraints

from adloom.connections import flow, store
from adloom.connections.browser import cookie_name
from adloom.connections.vault import Vault
from adloom.events.catalogue import Platform
from adloom.platforms import apps
from adloom.platforms.grant import OAuth
from adloom.settings import (
    CoreSettings,
    DatabaseSettings,
    EventSettings,
    GoogleSettings,
    MetaSettings,
    TikTokSettings,
    TokenRingSettings,
)
from adloom.web import ForeignQuery, Guard, Principal, RequestModel, create_function, openfaas, pages
from adloom.web.public import CALLBACK

Browser = Annotated[str, StringConstraints(min_length=32, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=4096)]


class OAuthCallbackSettings(
    CoreSettings,
    DatabaseSettings,
    EventSettings,
    TokenRingSettings,
    GoogleSettings,
    MetaSettings,
    TikTokSettings,
):
    pass


class ConnectRequest(RequestModel):
    platform: Platform
    browser: Browser | None = Field(
        default=None,
        description="The value of the browser's cookie that the log-in is bound to; the operator needs none",
    )


class Started(BaseModel):
    authorize_url: str = Field(description="Send the person there; it is good for ten minutes and one log-in")


class CallbackQuery(ForeignQuery):
    state: Text | None = None
    code: Text | None = None
    error: Text | None = None


class Finished(BaseModel):
    connection_id: UUID
    platform: str
    name: str


class Connection(BaseModel):
    connection_id: UUID
    platform: str
    name: str
    status: str
    scopes: list[str]
    token_expires_at: datetime | None
    broken_code: str | None
    connected_at: datetime


class Connections(BaseModel):
    connections: list[Connection]


app = create_function("oauth-callback", OAuthCallbackSettings)


@app.on_start
def check_token_ring() -> None:
    _vault()


@app.route_model(
    "POST",
    "/connections",
    guard=Guard.role("admin", fresh=True),
    summary="Start a log-in at a platform",
    status=201,
)
def start(body: ConnectRequest, principal: Principal) -> Started:
    url = flow.start(
        app.database(),
        _oauth(body.platform),
        org_id=principal.org_id,
        user_id=principal.user_id,
        platform=body.platform,
        redirect_uri=f"{app.settings().public_url.rstrip('/')}/function/{app.name}{CALLBACK.path}",
        browser=body.browser,
    )
    return Started(authorize_url=url)


@app.public(CALLBACK, summary="The end of a log-in", produces=pages.HTML, problems=(403, 409, 502))
def finish(query: CallbackQuery) -> pages.Page:
    name = cookie_name(https=app.settings().public_url.startswith("https://"))
    came = flow.Return(query.state, query.code, query.error, request.cookies.get(name))
    finished = flow.finish(app.database(), _vault(), _oauth, came)
    return pages.Page(
        title="Connected",
        text=f"Adloom is now reading the ad accounts of {finished.name}. The first numbers appear in a moment.",
        data=Finished(connection_id=finished.connection_id, platform=finished.platform, name=finished.name),
    )


@app.route_model(
    "GET",
    "/connections",
    guard=Guard.role("viewer", scope="connections:read"),
    summary="The organisation's connections",
)
def connections(principal: Principal) -> Connections:
    with app.database().tenant(principal.org_id, principal.account_scope) as connection:
        found = store.every(connection)
    return Connections(connections=[Connection(**vars(each)) for each in found])


@app.tick
def forget_old_states() -> None:
    flow.purge(app.database())


def _vault() -> Vault:
    return Vault(app.settings().token_ring.get_secret_value())


def _oauth(platform: Platform) -> OAuth:
    settings = app.settings()
    if platform == "google":
        return apps.google_oauth(settings)
    return apps.tiktok_oauth(settings) if platform == "tiktok" else apps.meta_oauth(settings)


handle = openfaas(app)
