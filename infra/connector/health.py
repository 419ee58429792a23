"""What `/_/health` says, and the few lines of HTTP that say it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

PATH = "/_/health"
_HOST = "127.0.0.1"
# The relay beats every five seconds or after a batch; what has been silent for this long hangs.
_SILENCE_S = 60.0
_REQUEST_TIMEOUT_S = 5.0


class Health:
    """Whether the connector does its work. A standby, which waits for the lead, does."""

    def __init__(self) -> None:
        self._state = "starting"
        self._away: dict[str, str] = {}
        self._beats: dict[str, float] = {}

    def connecting(self, part: str) -> None:
        """A part we have not reached yet in this term."""
        self._state = "starting"
        self._away.setdefault(part, "not connected yet")

    def connected(self, part: str) -> None:
        self._away.pop(part, None)

    def away(self, part: str, reason: str) -> None:
        self._state, self._beats = "starting", {}
        self._away[part] = reason

    def working(self, state: str) -> None:
        """`leading` or `standby`."""
        self._state = state

    def beat(self, loop: str) -> None:
        self._beats[loop] = time.monotonic()

    def report(self) -> tuple[HTTPStatus, dict[str, object]]:
        """The status and what it says: the state, and by name what is missing."""
        missing = dict(self._away)
        now = time.monotonic()
        for loop, beat in self._beats.items():
            if now - beat > _SILENCE_S:
                missing[loop] = f"silent for {now - beat:.0f} s"
        well = not missing and self._state in {"leading", "standby"}
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return status, {"status": "ok" if well else "down", "state": self._state, "missing": missing}


@asynccontextmanager
async def serve(health: Health, port: int) -> AsyncIterator[None]:
    """Answer health checks on the loopback interface for the length of the block."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                request = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
                status, body = _respond(health, request)
                writer.write(_encode(status, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
            pass  # not a request, or nobody is left to hear the answer
        finally:
            writer.close()

    server = await asyncio.start_server(answer, _HOST, port)
    async with server:
        yield


def _respond(health: Health, request: list[bytes]) -> tuple[HTTPStatus, dict[str, object]]:
    if request[0] not in {b"GET", b"HEAD"} or len(request) < 2 or request[1] != PATH.encode():  # noqa: PLR2004
        return HTTPStatus.NOT_FOUND, {"status": "not found"}
    return health.report()


def _encode(status: HTTPStatus, body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + text
