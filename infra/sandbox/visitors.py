"""Who may open the sandbox's own pages: this machine's people, and whoever has the sandbox's key."""

from __future__ import annotations

import base64
import binascii
import hmac
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response


def refusal(request: Request, key: str, page: str) -> Response | None:
    """Fails closed: anything that came through a proxy or from elsewhere needs the key as password."""
    if _is_local(request) or _has_key(request.headers.get("authorization", ""), key):
        return None
    ask = {"WWW-Authenticate": f'Basic realm="Sandbox {page}: any name, the sandbox key"'}
    return Response(f"The {page} needs the sandbox key.", 401, ask)


def _has_key(authorization: str, key: str) -> bool:
    try:
        given = base64.b64decode(authorization.partition(" ")[2], validate=True).partition(b":")[2]
    except binascii.Error:
        return False
    return hmac.compare_digest(given, key.encode())


def _is_local(request: Request) -> bool:
    """Whether somebody at this very machine asks: not by a proxy, and by a name that no other site can take."""
    peer = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host", "via"))
    named = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    try:
        return not forwarded and ip_address(peer).is_loopback and named in ("127.0.0.1", "localhost", "[::1]")
    except ValueError:
        return False
