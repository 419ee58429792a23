"""How an answer goes over the wire, broken ones included: a body cut short, a socket that hangs."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

JSON = "application/json; charset=UTF-8"


@dataclass
class Reply:
    """A whole answer. `truncated` announces the whole body and sends half of it; `hang` (seconds) sends nothing."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    truncated: bool = False
    hang: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if self.hang is not None:
            await self._hang(scope, receive)
            return
        head = {"content-type": self.content_type, "content-length": str(len(self.body)), **self.headers}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        if not self.truncated:
            await send({"type": "http.response.body", "body": self.body})
            return
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        scope["state"]["transport"].close()
        await _gone(receive)

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        # The server's end does not answer either: it cancels what is under way.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([asyncio.ensure_future(_gone(receive))], timeout=self.hang)
        scope["state"]["transport"].abort()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait until the client's connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


class BreakableProtocol(H11Protocol):
    """Gives every request its transport, since the sandbox breaks connections on purpose."""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport in the state that each request of this connection gets a copy of."""
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)
