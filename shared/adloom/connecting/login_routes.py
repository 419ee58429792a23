"""Log-ins at platforms: the way there, and back with a grant; and tokens that were made at the platform itself."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from flask import request
from pydantic import Field, StringConstraints

from adloom.connecting.models import Finished, Started
from adloom.connecting.settings import Callback, oauth, vault
from adloom.connections import adopting, flow
from adloom.connections.browser import cookie_name
from adloom.connections.store import AccountChoice, Terms
from adloom.events.catalogue import Platform
from adloom.platforms import apps
from adloom.platforms.grant import Extra
from adloom.web import ForeignQuery, Guard, Principal, RequestModel, pages
from adloom.web.public import CALLBACK

# A person looks for the right token a few times.
NEW_TOKENS = "20/hour"

Browser = Annotated[str, StringConstraints(min_length=32, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=4096)]
Token = Annotated[str, StringConstraints(min_length=20, max_length=1000, pattern=r"^[A-Za-z0-9_|-]+$")]


class ConnectRequest(RequestModel):
    platform: Platform
    browser: Browser | None = Field(
        default=None,
        description="The value of the browser's cookie that the log-in is bound to; the operator needs none",
    )
    accounts: AccountChoice = Field(
        default="all", description="all: every account that is found is synced. chosen: none before somebody chooses"
    )
    extras: list[Extra] = Field(
        default=[], max_length=1, description="Rights beyond reading ads: leads, the leads of Meta's forms"
    )
    mends: UUID | None = Field(
        default=None, description="The connection that is to be whole again; it keeps its accounts and what it is for"
    )


class TokenRequest(RequestModel):
    token: Token = Field(description="A token that was made for a system user of the app, at Meta")
    accounts: AccountChoice = "all"
    extras: list[Extra] = Field(default=[], max_length=1)


class CallbackQuery(ForeignQuery):
    state: Text | None = None
    code: Text | None = None
    auth_code: Text | None = None
    error: Text | None = None


def add(app: Callback) -> None:
    _add_log_in(app)
    _add_token(app)


def _add_log_in(app: Callback) -> None:
    @app.route_model(
        "POST",
        "/connections",
        guard=Guard.role("admin", fresh=True),
        summary="Start a log-in at a platform",
        status=201,
        problems=(404, 409),
    )
    def start(body: ConnectRequest, principal: Principal) -> Started:
        leaving = flow.Leaving(
            org_id=principal.org_id,
            user_id=principal.user_id,
            platform=body.platform,
            redirect_uri=f"{app.settings().public_url.rstrip('/')}/function/{app.name}{CALLBACK.path}",
            browser=body.browser,
            choice=body.accounts,
            extras=tuple(body.extras),
            mends=body.mends,
        )
        return Started(authorize_url=flow.start(app.database(), vault(app), oauth(app, body.platform), leaving))

    @app.public(CALLBACK, summary="The end of a log-in", produces=pages.HTML, problems=(403, 409, 502))
    def finish(query: CallbackQuery) -> pages.Page:
        name = cookie_name(https=app.settings().public_url.startswith("https://"))
        came = flow.Return(query.state, query.auth_code or query.code, query.error, request.cookies.get(name))
        finished = flow.finish(app.database(), vault(app), partial(oauth, app), came)
        return pages.Page(
            title="Connected",
            text=_said(finished),
            data=Finished(**vars(finished)),
            path=f"/connections/{finished.connection_id}",
        )


def _add_token(app: Callback) -> None:
    @app.route_model(
        "POST",
        "/connections/tokens",
        guard=Guard.role("admin", fresh=True),
        summary="Connect by a token of a system user, which was made at Meta",
        status=201,
        problems=(409, 502),
    )
    def adopt(body: TokenRequest, principal: Principal) -> Finished:
        app.check_limit(NEW_TOKENS, "new-token", str(principal.org_id))
        login = apps.meta_oauth(app.settings())
        terms = Terms(body.accounts, tuple(body.extras))
        found = adopting.adopt(app.database(), vault(app), login, principal.org_id, body.token, terms=terms)
        return Finished(connection_id=found.connection_id, platform=found.platform, name=found.name)


def _said(finished: flow.Finished) -> str:
    if finished.is_another_person:
        return (
            f"{finished.name} is connected. That is somebody else than before: accounts that both of you see go on by "
            "this log-in, and the others wait until their own connection is mended."
        )
    return f"Adloom is now reading the ad accounts of {finished.name}. The first numbers appear in a moment."
