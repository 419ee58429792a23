"""The routes of the dashboard, read from the app that serves them."""

from __future__ import annotations

from functools import cache

from nicegui import app
from starlette.routing import Mount, Route

from ui.main import build
from ui.services import open_services
from ui.settings import DashboardSettings


@cache
def routes() -> tuple[tuple[str, str], ...]:
    """`("GET", "/campaigns")` and so on, HEAD left out; of a mounted application an address inside."""
    settings = DashboardSettings(
        public_url="http://127.0.0.1:8080",
        gateway_url="http://127.0.0.1:8080",
        database_url="postgresql://nobody@127.0.0.1/nothing",
        nats_url="nats://127.0.0.1:1",
        storage_secret="a secret of no use anywhere",
    )
    build(open_services(settings))
    found = set()
    for route in app.routes:
        if isinstance(route, Route):
            found |= {(method, route.path) for method in (route.methods or {"GET"}) - {"HEAD"}}
        elif isinstance(route, Mount):
            found.add(("GET", route.path + "/x"))
        else:
            raise TypeError(f"{route} is a kind of route that no test goes through")
    return tuple(sorted(found))
