"""Puts the sandbox together: one ASGI application on one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.routing import Route

from infra.sandbox.control import Control
from infra.sandbox.faults import Script
from infra.sandbox.meta.asyncjobs import Jobs
from infra.sandbox.meta.auth import App
from infra.sandbox.meta.endpoint import Endpoint
from infra.sandbox.meta.graph import Graph
from infra.sandbox.meta.oauth import OAuth
from infra.sandbox.oidc.endpoint import Provider
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.resend.endpoint import Endpoint as Resend
from infra.sandbox.resend.mailbox import Mailbox
from infra.sandbox.resend.mails import Mails
from infra.sandbox.settings import Settings
from infra.sandbox.tokens import Codes, Tokens
from infra.sandbox.wire import Reply
from infra.sandbox.world import World


class _Version(Convertor[str]):
    """A version of the Graph API in a path: `v26.0`."""

    regex = r"v\d+\.\d+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("version", _Version())
_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


def create(settings: Settings, world: World) -> Starlette:
    """The application over a loaded world."""
    tokens, codes, script, requests = Tokens(settings.home / "tokens.json"), Codes(), Script(), RequestLog()
    meta_app = App(settings.meta_app_id, settings.meta_app_secret)
    oauth = OAuth(meta_app, tokens, codes)
    graph = Graph(world, meta_app, tokens, oauth, Jobs(settings.home / "meta_report_runs.json"))
    meta = Endpoint(world, graph, codes, script, requests)
    mails, provider = Mails(), Provider(settings, script, requests)

    async def health(_request: Request) -> Reply:
        return Reply(200, b'{"status":"ok"}')

    return Starlette(
        routes=[
            Route("/_/health", health),
            *Control(settings.key, world, tokens, script, requests, mails=mails, provider=provider).routes(),
            *Resend(settings.mail_key, mails, script, requests).routes(),
            *Mailbox(settings.key, mails).routes(),
            *provider.routes(),
            # The root is asked for as `/v26.0/` by the SDK and as `/v26.0` by hand.
            Route("/{version:version}", meta.serve, methods=_METHODS),
            Route("/{version:version}/{path:path}", meta.serve, methods=_METHODS),
        ],
        lifespan=_watching(world),
    )


def _watching(world: World) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watch = asyncio.create_task(world.watch())
        yield
        watch.cancel()

    return lifespan
