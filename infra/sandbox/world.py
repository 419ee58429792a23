"""What the sandbox serves: the facts folder in memory, grown at each account's midnight where it is generated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from adloom import clock
from infra.sandbox.facts.loader import load
from infra.sandbox.facts.model import Account, Folder
from infra.sandbox.facts.status import account_lives
from infra.sandbox.jsonlog import log

_T = TypeVar("_T")


class Growth(Protocol):
    """A generated folder: when its next day is due, and how to write it."""

    next_due: datetime

    def grow(self, now: datetime) -> bool:
        """Write what is due; whether anything was."""
        ...


class World:
    """Holds the folder. Readers get a whole one: a reload or a new day replaces it in one step."""

    def __init__(self, path: Path, growth: Growth | None = None) -> None:
        self.path = path
        self.growth = growth
        self.folder: Folder = load(path)
        self._lock = asyncio.Lock()
        # A pool of our own: the event loop would wait for its default one before it ends.
        self._pool = ThreadPoolExecutor(1, "world")

    async def catch_up(self) -> datetime:
        """Grow the folder to the business clock's now, which is returned; requests call this before they read."""
        now = clock.now()
        if self.growth is not None and now >= self.growth.next_due:
            async with self._lock:
                if now >= self.growth.next_due and await self._in_thread(lambda: self._grow(now)):
                    await self._reload()
        return now

    async def reload(self) -> None:
        """Read the folder again; FactsError leaves the present one in place."""
        async with self._lock:
            await self._reload()

    async def watch(self) -> None:
        """Catch up once a second, for as long as the server runs."""
        while True:
            await asyncio.sleep(1)
            await self.catch_up()

    def living(self, platform: str, now: datetime) -> list[Account]:
        """The platform's accounts that live by then, in the order of their ids."""
        accounts = self.folder.of(platform).values()
        return sorted((a for a in accounts if account_lives(a, now)), key=lambda a: a.id)

    async def _reload(self) -> None:
        self.folder = await self._in_thread(lambda: load(self.path))
        log("facts_loaded", accounts=len(self.folder.accounts))

    def _grow(self, now: datetime) -> bool:
        return self.growth is not None and self.growth.grow(now)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
