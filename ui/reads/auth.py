"""What only `auth` may read, asked of it for the viewer."""

from __future__ import annotations

from typing import Any

from adloom.errors import Forbidden, NotFound, Unavailable
from ui.gateway import Caller, Gateway

_FORBIDDEN, _NOT_FOUND = 403, 404


async def ask(gateway: Gateway, caller: Caller, path: str) -> dict[str, Any]:
    """The body of the answer. NotFound or Forbidden as the route says; Unavailable when it cannot answer now."""
    answer = await gateway.call("GET", "auth", path, caller)
    if answer.status == _NOT_FOUND:
        raise NotFound(answer.detail)
    if answer.status == _FORBIDDEN:
        raise Forbidden(answer.detail, code=answer.code)
    if not answer.ok:
        raise Unavailable(f"auth answered {answer.status} to {path.partition('?')[0]}")
    return answer.body
