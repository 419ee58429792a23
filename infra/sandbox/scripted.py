"""What the fault script does to a request over HTTP, the same for every platform."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.responses import Response

from infra.sandbox.faults import Fault
from infra.sandbox.requestlog import Request
from infra.sandbox.wire import Reply

_HTML_502 = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><h1>502 Bad Gateway</h1><p>Sorry, something went wrong.</p></body></html>"
)
Own = TypeVar("Own", bound=Reply | Response)


async def answer(fault: Fault | None, entry: Request, own: Callable[[], Awaitable[Own]]) -> Own | Reply:
    """The script's answer, or the platform's `own` with what the script changes in it; the log's entry says which."""
    entry.fault = fault.kind if fault else None
    reply = await _instead(fault) or await own()
    if isinstance(reply, Reply):
        _change(fault, reply)
        entry.status = None if reply.hang is not None else reply.status
    else:
        entry.status = reply.status_code
    return reply


async def _instead(fault: Fault | None) -> Reply | None:
    """What the script answers instead of the platform; None where the platform answers by itself."""
    if fault is None:
        return None
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "error":
        return Reply(fault.status, fault.body_bytes(), dict(fault.headers))
    if fault.kind == "html_502":
        return Reply(502, _HTML_502, dict(fault.headers), "text/html; charset=utf-8")
    if fault.kind == "hang":
        return Reply(0, b"", hang=fault.seconds)
    return None


def _change(fault: Fault | None, reply: Reply) -> None:
    """What the script changes in the platform's own answer."""
    if fault is None:
        return
    if fault.kind == "rate_headers":
        scripted = {name.lower() for name in fault.headers}
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in scripted}
        reply.headers = {**kept, **fault.headers}
    if fault.kind == "truncate":
        reply.truncated = True
