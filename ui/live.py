"""Hears events and tells open pages to read again. Events carry no numbers to a page: it reads for itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Literal
from uuid import UUID

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from adloom import logs
from adloom.events.catalogue import SessionsEnded

log = logs.get(__name__)

SUBJECTS = "adloom.>"
# A sync commits window after window: pages read once for all that arrive within this time.
QUIET_S = 0.3
# The first connection is tried again this often; after it the client reconnects by itself.
RETRY_S = 2.0

Listener = Callable[[], None]
# What a page shows: numbers, which change with every sync, or people and their access, which change seldom.
About = Literal["numbers", "people"]


class EventHub:
    """One subscription for the process; pages listen by organisation and by what they show.

    While NATS is away nothing is lost but immediacy: pages read again as soon as it is back.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._listeners: dict[tuple[UUID, About], set[Listener]] = defaultdict(set)
        self._pending: dict[tuple[UUID, About], asyncio.TimerHandle] = {}
        self._ended: list[Callable[[UUID], None]] = []
        self._missed: list[Listener] = []
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    def start(self) -> None:
        self._task = asyncio.create_task(self._connect(), name="event hub")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            await self._client.close()

    def listen(self, org_id: UUID, listener: Listener, about: About = "numbers") -> Callable[[], None]:
        """Call the listener after events of the organisation; returns what ends it."""
        key = (org_id, about)
        self._listeners[key].add(listener)

        def end() -> None:
            self._listeners[key].discard(listener)
            if not self._listeners[key]:
                del self._listeners[key]

        return end

    def on_sessions_ended(self, listener: Callable[[UUID], None]) -> None:
        """Call the listener with the person whose sessions ended or changed, before any page hears of it."""
        self._ended.append(listener)

    def on_missed(self, listener: Listener) -> None:
        """Call the listener when events may have been missed."""
        self._missed.append(listener)

    async def _connect(self) -> None:
        while True:
            try:
                self._client = await nats.connect(
                    self._url,
                    name="dashboard",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RETRY_S,
                    reconnected_cb=self._reconnected,
                    error_cb=self._failed,
                )
                await self._client.subscribe(SUBJECTS, cb=self._heard)
            except (NatsError, OSError) as error:
                log.warning("events_unreachable", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            else:
                log.info("events_connected")
                return

    async def _heard(self, message: Msg) -> None:
        try:
            data = json.loads(message.data)["data"]
            org_id = UUID(data["org_id"])
            ended = UUID(data["user_id"]) if message.subject == SessionsEnded.subject else None
        except (ValueError, KeyError, TypeError):
            log.warning("event_unreadable", subject=message.subject)
            return
        if ended is not None:
            for listener in self._ended:
                listener(ended)
        self.announce(org_id)
        if ended is not None:
            self.announce(org_id, "people")

    def announce(self, org_id: UUID, about: About = "numbers") -> None:
        """Tell the organisation's pages, once for all that happens within a moment."""
        key = (org_id, about)
        if key in self._listeners and key not in self._pending:
            loop = asyncio.get_running_loop()
            self._pending[key] = loop.call_later(QUIET_S, self._tell, key)

    def _tell(self, key: tuple[UUID, About]) -> None:
        self._pending.pop(key, None)
        for listener in tuple(self._listeners.get(key, ())):
            listener()

    async def _reconnected(self) -> None:
        log.info("events_reconnected")
        for listener in self._missed:
            listener()
        for org_id, about in tuple(self._listeners):
            self.announce(org_id, about)

    async def _failed(self, error: Exception) -> None:
        log.warning("events_interrupted", error=type(error).__name__)
