"""Asking a part whether it answers, in its own protocol."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

HOST = "127.0.0.1"
_PATIENCE_S = 3.0
_POSTGRES_PROTOCOL = 196608  # 3.0
_READ_LIMIT = 1 << 20


@dataclass(frozen=True)
class Probe:
    """How to ask: an HTTP path that must answer with one of `statuses`, or a greeting of Postgres or NATS."""

    kind: Literal["http", "postgres", "nats"]
    port: int
    path: str = "/"
    statuses: tuple[int, ...] = (200,)

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Probe:
        return cls(value["kind"], int(value["port"]), value["path"], tuple(value["statuses"]))

    def record(self) -> dict[str, Any]:
        return asdict(self)

    async def answers(self) -> bool:
        """Whether the part answers now; never raises."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if self.kind == "http":
                    return (await request("GET", self.port, self.path))[0] in self.statuses
                if self.kind == "nats":
                    return (await _exchange(self.port, b"", 5)) == b"INFO "
                return (await _exchange(self.port, _postgres_hello(), 1)) == b"R"
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            return False


def _postgres_hello() -> bytes:
    """The start of a session. `R` asks for a password; `E` says that it is still starting."""
    body = struct.pack("!I", _POSTGRES_PROTOCOL) + b"user\0postgres\0database\0postgres\0\0"
    return struct.pack("!I", len(body) + 4) + body


async def _exchange(port: int, sent: bytes, length: int) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(sent)
        return await reader.readexactly(length)
    finally:
        writer.close()


async def request(
    method: str, port: int, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[int, bytes]:
    """One HTTP/1.0 exchange on loopback: (status, body). No thread, no pool: the supervisor forks."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=_READ_LIMIT)
    try:
        lines = [f"{method} {path} HTTP/1.0", f"Host: {HOST}:{port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await reader.read(-1)
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), content
