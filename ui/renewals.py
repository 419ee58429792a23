"""A session that gets a new token in one tab goes on in the tabs that were open with the old one.

`auth` gives a session another token when its person proves again who it is. The browser has it as its cookie; pages
that are open know the old one, which is dead. They ask here, so that what somebody types in them is not lost. Only
pages of the same browser are told: whoever has stolen a token and has a page open with it is thrown out by the next.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ui.gateway import Caller

MOST_REMEMBERED = 10_000


class Renewals:
    """Which token followed which. Fails closed: what is not known here is no session any more."""

    def __init__(self) -> None:
        self._running: dict[bytes, asyncio.Event] = {}
        self._followed_by: OrderedDict[bytes, str] = OrderedDict()

    @asynccontextmanager
    async def renewing(self, caller: Caller) -> AsyncIterator[None]:
        """While the session may get another token: the event that the old one is dead can be faster than the answer."""
        key, over = _key(caller), asyncio.Event()
        self._running[key] = over
        try:
            yield
        finally:
            over.set()
            if self._running.get(key) is over:
                del self._running[key]

    def renewed(self, caller: Caller, new: str) -> None:
        """The same session of the same person in the same organisation has another token."""
        self._followed_by[_key(caller)] = new
        while len(self._followed_by) > MOST_REMEMBERED:
            self._followed_by.popitem(last=False)

    async def successor(self, caller: Caller) -> str | None:
        """The token that took the place of the caller's; waits for an answer that is under way."""
        if caller.token is None:
            return None
        key = _key(caller)
        if running := self._running.get(key):
            await running.wait()
        return self._followed_by.get(key)


def _key(caller: Caller) -> bytes:
    """Of the session's token and of the browser that it was given to."""
    return hashlib.sha256(f"{caller.token}\0{caller.browser}".encode("utf-8", "surrogatepass")).digest()
