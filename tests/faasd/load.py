"""Requests at a steady rate, and how they went."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Request:
    """`began` on the monotonic clock; `status` is 0 where nobody answered."""

    began: float
    status: int
    error: str = ""

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Load:
    """What has been asked of one address so far."""

    url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def failures(self) -> list[Request]:
        return [one for one in self.requests if not one.good]

    @property
    def gap(self) -> float:
        """The longest time, in seconds, in which no request began that was answered well."""
        good = sorted(one.began for one in self.requests if one.good)
        return max((after - before for before, after in itertools.pairwise(good)), default=float("inf"))

    async def keep_asking(self, http: httpx.AsyncClient, per_second: float) -> None:
        """A request every so often, whether or not the earlier ones are answered; until cancelled."""
        async with asyncio.TaskGroup() as under_way:
            due = time.monotonic()
            try:
                while True:
                    under_way.create_task(self._ask(http))
                    due += 1 / per_second
                    await asyncio.sleep(due - time.monotonic())
            except asyncio.CancelledError:
                return  # the group waits for what is under way

    async def _ask(self, http: httpx.AsyncClient) -> None:
        began = time.monotonic()
        try:
            answer = await http.get(self.url)
            self.requests.append(Request(began, answer.status_code, "" if answer.is_success else answer.text[:200]))
        except httpx.HTTPError as error:
            self.requests.append(Request(began, 0, repr(error)))


@asynccontextmanager
async def load_on(*urls: str, per_second: float = 10) -> AsyncIterator[list[Load]]:
    """Ask these addresses for the length of the block; all answers are in when it has ended."""
    loads = [Load(url) for url in urls]
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
        tasks = [asyncio.create_task(load.keep_asking(http, per_second)) for load in loads]
        try:
            yield loads
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks)
