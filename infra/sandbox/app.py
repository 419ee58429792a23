"""Puts the sandbox together: one ASGI application on one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.routing import Route

from infra.sandbox.apps import App
from infra.sandbox.control import Control
from infra.sandbox.ecb.endpoint import Endpoint as Bank
from infra.sandbox.faults import Script
from infra.sandbox.google.endpoint import Endpoint as Google
from infra.sandbox.meta.asyncjobs import Jobs
from infra.sandbox.meta.auth import MetaApp
from infra.sandbox.meta.endpoint import Endpoint
from infra.sandbox.meta.graph import Graph
from infra.sandbox.meta.oauth import OAuth
from infra.sandbox.oidc.endpoint import Provider
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.resend.endpoint import Endpoint as Resend
from infra.sandbox.resend.mailbox import Mailbox
from infra.sandbox.resend.mails import Mails
from infra.sandbox.settings import Settings
from infra.sandbox.tiktok.endpoint import Endpoint as TikTok
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
    meta_app = MetaApp(settings.meta_app_id, settings.meta_app_secret)
    oauth = OAuth(meta_app, tokens, codes)
    graph = Graph(world, meta_app, tokens, oauth, Jobs(settings.home / "meta_report_runs.json"))
    meta = Endpoint(world, graph, codes, script, requests)
    tiktok_app = App(settings.tiktok_app_id, settings.tiktok_app_secret)
    tiktok = TikTok(world, tiktok_app, tokens, codes, script=script, requests=requests)
    google_app = App(settings.google_client_id, settings.google_client_secret)
    google = Google(world, google_app, tokens, codes, script=script, requests=requests)
    bank = Bank(world, settings.seed, script=script, requests=requests)
    mails, provider = Mails(), Provider(settings, script, requests)

    async def health(_request: Request) -> Reply:
        """That it lives, and which platforms have accounts to connect."""
        platforms = [one for one in _platforms(settings) if world.folder.of(one)]
        return Reply(200, msgspec.json.encode({"status": "ok", "platforms": platforms}))

    return Starlette(
        routes=[
            Route("/_/health", health),
            *Control(settings.key, world, tokens, script, requests, mails=mails, provider=provider).routes(),
            *Resend(settings.mail_key, mails, script, requests).routes(),
            *Mailbox(settings.key, mails).routes(),
            *tiktok.routes(),
            *google.routes(),
            *_authority(settings),
            *provider.routes(),
            *bank.routes(),
            # The root is asked for as `/v26.0/` by the SDK and as `/v26.0` by hand.
            Route("/{version:version}", meta.serve, methods=_METHODS),
            Route("/{version:version}/{path:path}", meta.serve, methods=_METHODS),
        ],
        lifespan=_watching(world, _grpc(settings, world, tokens, script, requests)),
    )


def _platforms(settings: Settings) -> Iterator[str]:
    """The platforms that know an app of ours."""
    if settings.google_client_id and settings.google_port:
        yield "google"
    if settings.meta_app_id:
        yield "meta"
    if settings.tiktok_app_id:
        yield "tiktok"


def _authority(settings: Settings) -> list[Route]:
    """Whom a client of Google's server has to trust, for all to read."""
    if not settings.google_port:
        return []
    from infra.sandbox.google import tls

    async def authority(_request: Request) -> Reply:
        file = tls.authority(settings.google_ca or settings.home)
        return Reply(200, file.read_bytes(), content_type="application/x-pem-file")

    return [Route("/google-ca.pem", authority)]


def _grpc(
    settings: Settings, world: World, tokens: Tokens, script: Script, requests: RequestLog
) -> Callable[[], Any] | None:
    """What makes Google's server, within a running event loop; its SDK is imported only where there is to be one."""
    if not settings.google_port:
        return None
    from infra.sandbox.google import ids, service, tls

    ids.check(world.folder)
    identity = tls.identity(settings.google_ca or settings.home, settings.url)
    served = service.Service(world, tokens, script=script, requests=requests)
    return lambda: service.server(served, settings.host, settings.google_port, identity)


def _watching(world: World, grpc: Callable[[], Any] | None) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        server = grpc() if grpc is not None else None
        if server is not None:
            await server.start()
        watch = asyncio.create_task(world.watch())
        yield
        watch.cancel()
        if server is not None:
            await server.stop(0)

    return lifespan
