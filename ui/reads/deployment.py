"""What the deployment has, which changes only when it is started again: whether it sends mails, and which providers
people may log in by.
"""

from __future__ import annotations

import time
from typing import Any

from ui.gateway import Caller, Gateway
from ui.reads import auth

# The routes are open to everybody and limited by address: an office behind one address has many pages open.
REMEMBERED_FOR_S = 60.0


class Deployment:
    """Asks `auth` once a minute for all pages together."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    async def sends_mails(self, caller: Caller) -> bool:
        return bool((await self._ask("/setup", caller))["sends_mails"])

    async def providers(self, caller: Caller) -> list[dict[str, Any]]:
        """As `GET /sso` lists them."""
        found: list[dict[str, Any]] = (await self._ask("/sso", caller))["providers"]
        return found

    async def _ask(self, path: str, caller: Caller) -> dict[str, Any]:
        known = self._known.get(path)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        body = await auth.ask(self._gateway, caller, path)
        self._known[path] = (time.monotonic() + REMEMBERED_FOR_S, body)
        return body
