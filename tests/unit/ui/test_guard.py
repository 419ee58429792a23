"""What stands before every page, by itself: who opened a connection, and from which site."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from adloom.errors import Unavailable
from ui.gateway import Caller
from ui.security import SessionGuard
from ui.sessions import Viewer

ORIGIN = "https://ads.example.com"
VIEWER = Viewer(None, "Mira", "m@example.com", None, "Acme", "owner", "*", "adl_s_x")  # type: ignore[arg-type]


class Known:
    """Believes one token, or nobody can be asked."""

    def __init__(self, *, away: bool = False) -> None:
        self._away = away

    async def viewer(self, caller: Caller) -> Viewer | None:
        if self._away:
            raise Unavailable("auth is away")
        return VIEWER if caller.token == VIEWER.token else None


async def opened(
    *, origin: str | None = ORIGIN, token: str = VIEWER.token, kind: str = "websocket", away: bool = False
) -> bool:
    """Whether a connection for our pages' socket, or a form, came through."""
    inside: list[str] = []

    async def page(scope: Any, _receive: Any, _send: Any) -> None:
        inside.append(scope["path"])

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    async def send(message: dict[str, Any]) -> None:
        assert message["type"] != "websocket.accept"

    def unreachable(_request_id: str) -> Response:
        return PlainTextResponse("not now", 503)

    guard = SessionGuard(
        page,
        sessions=Known(away=away),  # type: ignore[arg-type]
        origins=frozenset({ORIGIN}),
        https=True,
        unreachable=unreachable,
    )
    headers = [(b"cookie", f"__Host-adloom_session={token}".encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    scope = {"type": kind, "path": "/_nicegui_ws/socket.io/", "headers": headers, "query_string": b""}
    await guard(scope | ({"method": "POST"} if kind == "http" else {}), receive, send)
    return bool(inside)


@pytest.mark.parametrize("kind", ["websocket", "http"])
async def test_our_own_page_with_a_session_comes_through(kind: str) -> None:
    assert await opened(kind=kind)


@pytest.mark.parametrize("kind", ["websocket", "http"])
@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://ads.example.com"])
async def test_a_page_of_another_site_does_not_though_it_brings_the_cookie(kind: str, origin: str | None) -> None:
    assert not await opened(kind=kind, origin=origin)


@pytest.mark.parametrize("kind", ["websocket", "http"])
async def test_without_a_session_nobody_does(kind: str) -> None:
    assert not await opened(kind=kind, token="adl_s_y")


@pytest.mark.parametrize("kind", ["websocket", "http"])
async def test_while_nobody_can_be_asked_nobody_does(kind: str) -> None:
    assert not await opened(kind=kind, away=True)
