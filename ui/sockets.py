"""Only the browser that opened a page speaks for it.

NiceGUI takes what a socket says about whichever page it names; a page's id is random and known to that page alone.
Here a socket joins a page only with a session of the same person in the same organisation, and speaks for no page that
it has not joined.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, core
from socketio.exceptions import ConnectionRefusedError as Refused

_SPOKEN = ("event", "javascript_response", "ack", "log")
# On this very answer the browser loads the page anew.
_RELOAD = "Implicit handshake failed"

Handler = Callable[..., Any]


def guard() -> None:
    """Stand before NiceGUI's own handlers."""
    handlers: dict[str, Handler] = core.sio.handlers["/"]
    for name in _SPOKEN:
        core.sio.on(name, _joined(handlers[name]))
    core.sio.on("handshake", _joining(handlers["handshake"]))
    core.sio.on("connect", _connecting(handlers["connect"]))


def _joined(handler: Handler) -> Handler:
    def only(sid: str, message: Mapping[str, Any]) -> None:
        if message["client_id"] in core.sio.rooms(sid):
            handler(sid, message)

    return only


def _joining(handler: Callable[..., Awaitable[bool]]) -> Handler:
    async def only(sid: str, message: Mapping[str, Any]) -> bool:
        return _is_the_viewers(sid, message["client_id"]) and await handler(sid, message)

    return only


def _connecting(handler: Callable[..., Awaitable[None]]) -> Handler:
    async def only(sid: str, environ: Mapping[str, Any], *more: Any) -> None:
        for page in parse_qs(environ.get("QUERY_STRING", "")).get("client_id", []):
            if not _is_the_viewers(sid, page):
                raise Refused(_RELOAD)
        await handler(sid, environ, *more)

    return only


def _is_the_viewers(sid: str, page: str) -> bool:
    """Whether the socket's session and the page's are of the same member; a session is renewed while pages are open."""
    client = Client.instances.get(page)
    if client is None:
        return False
    opened = client.request.scope["state"]["viewer"]
    comes = core.sio.get_environ(sid)["asgi.scope"]["state"]["viewer"]
    return bool((opened.user_id, opened.org_id) == (comes.user_id, comes.org_id))
