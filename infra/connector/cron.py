"""Calls the functions' roots at their schedules, on the business clock.

A tick is a hint: the function does what is due. So a clock that was moved gives one tick and not all that lie between,
a tick that fails is tried again soon, and at the start every function gets one, whatever the time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import httpx
from croniter import croniter

from adloom import clock, logs
from infra.connector.stack import FunctionEntry

# The clock may be moved at any moment, so it is looked at rather than slept on.
_LOOK_S = 0.25
_AGAIN_S = 5.0
_OK = 300

log = logs.get(__name__)


@dataclass
class Schedule:
    """When a function is due next, on a clock that may jump either way or stand still."""

    expression: str
    due: datetime | None = None
    seen: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether to tick at this business time. The first look is due, and so is a look after the clock went back."""
        went_back = self.seen is not None and now < self.seen
        self.seen = now
        if self.due is not None and now < self.due and not went_back:
            return False
        self.due = croniter(self.expression, now).get_next(datetime)
        return True


class Ticker:
    """The ticks of one function, never two at a time."""

    def __init__(self, http: httpx.AsyncClient, gateway: str, entry: FunctionEntry) -> None:
        self._http = http
        self._entry = entry
        self._url = f"{gateway.rstrip('/')}/function/{entry.name}/"

    async def run(self) -> None:
        """Tick forever; does nothing for a function without a schedule."""
        if self._entry.schedule is None:
            return
        schedule = Schedule(self._entry.schedule)
        while True:
            if schedule.is_due(clock.now()):
                await self._tick_until_heard()
            await asyncio.sleep(_LOOK_S)

    async def _tick_until_heard(self) -> None:
        while True:
            if await self._tick():
                return
            await asyncio.sleep(_AGAIN_S)

    async def _tick(self) -> bool:
        request_id = logs.new_request_id()
        try:
            response = await self._http.post(self._url, headers={logs.REQUEST_ID_HEADER: request_id})
        except httpx.HTTPError as error:
            log.warning("tick_failed", function=self._entry.name, error=repr(error), request_id=request_id)
            return False
        if response.status_code >= _OK:
            log.warning("tick_failed", function=self._entry.name, status=response.status_code, request_id=request_id)
            return False
        log.info("ticked", function=self._entry.name, request_id=request_id)
        return True
