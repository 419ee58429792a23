"""The connector's side of Postgres: the lead, the outbox, the dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from adloom.events.outbox import CHANNEL
from infra.connector.errors import boundary

# One connector of a database works at a time, so that an account's events keep their order. A 64-bit key of our own.
_LEAD_KEY = 0x6164_6C6F_6F6D_0001
# How soon a second connector notices that the first is gone.
_LEAD_POLL_S = 1.0
# Whoever vanishes without a word, the server or we, the other notices within ten seconds or so and not within TCP's two
# hours: the lead is free again when its holder's machine is gone.
_SERVER_SIDE = {
    "statement_timeout": "20s",
    "timezone": "UTC",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "adloom-connector",
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER_SIDE.items()),
}


@dataclass(frozen=True)
class Waiting:
    """An event in the outbox: its id, its subject and the bytes of its envelope."""

    event_id: UUID
    subject: str
    body: bytes


@dataclass(frozen=True)
class Letter:
    """A dead letter whose replay was asked for at `requested_at`."""

    letter_id: int
    function: str
    event_id: UUID
    body: bytes
    requested_at: datetime


@dataclass(frozen=True)
class Death:
    """Why an event is given up for a function; `status` is the last HTTP status, None where there was no answer."""

    function: str
    event_id: UUID
    org_id: UUID
    account_id: int | None
    subject: str
    body: bytes
    attempts: int
    status: int | None
    error: str


class Outbox:
    """One connection that holds the lead, hears of new events and reads them; it all ends with the connection."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def take_lead(self) -> None:
        """Wait until no other connector works on this database."""
        while True:
            if await self._one("select pg_try_advisory_lock(%s)", _LEAD_KEY):
                break
            await asyncio.sleep(_LEAD_POLL_S)
        with boundary("database", psycopg.Error):
            await self._connection.execute(f"listen {CHANNEL}")

    async def batch(self, most: int) -> list[Waiting]:
        """The oldest unpublished events, in the order of their writing."""
        rows = await self._rows("select event_id, subject, envelope::text from outbox_batch(%s)", most)
        return [Waiting(event_id, subject, body.encode()) for event_id, subject, body in rows]

    async def mark_published(self, events: Sequence[UUID]) -> None:
        await self._rows("select outbox_mark_published(%s)", list(events))

    async def letters_to_replay(self, most: int) -> list[Letter]:
        rows = await self._rows(
            "select letter_id, function, event_id, envelope::text, requested_at from dead_letters_to_replay(%s)", most
        )
        return [Letter(letter, function, event, body.encode(), at) for letter, function, event, body, at in rows]

    async def mark_replayed(self, letter: Letter) -> None:
        """Unless it died again meanwhile, which took the request back."""
        await self._one("select dead_letter_replayed(%s, %s)", letter.letter_id, letter.requested_at)

    async def bury(self, death: Death) -> int:
        letter = await self._one(
            "select bury_event(%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)",
            death.function,
            death.event_id,
            death.org_id,
            death.account_id,
            death.subject,
            death.body.decode(),
            death.attempts,
            death.status,
            death.error,
        )
        return int(letter)

    async def purge(self) -> int:
        """Takes long where there is much; nobody waits for it."""
        with boundary("database", psycopg.Error):
            await self._connection.execute("set statement_timeout = '15min'")
        return int(await self._one("select purge_events()"))

    async def wait(self, seconds: float) -> None:
        """Until something was written, at most so long. A notice that came before the call counts."""
        with boundary("database", psycopg.Error):
            async for _notice in self._connection.notifies(timeout=seconds, stop_after=1):
                return

    async def _rows(self, statement: str, *values: object) -> list[Any]:
        with boundary("database", psycopg.Error):
            cursor = await self._connection.execute(statement, values)
            return await cursor.fetchall()

    async def _one(self, statement: str, *values: object) -> Any:
        return (await self._rows(statement, *values))[0][0]


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Outbox]:
    """PartAway when the database does not answer."""
    with boundary("database", psycopg.Error):
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, **_OPTIONS)
    try:
        yield Outbox(connection)
    finally:
        await connection.close()


async def bury(url: str, death: Death) -> int:
    """Write a dead letter and return its id; the same event of the same function is one open letter."""
    async with connect(url) as outbox:
        return await outbox.bury(death)


async def purge(url: str) -> int:
    """Delete what is kept no longer of outbox and inbox; returns the number of rows."""
    async with connect(url) as outbox:
        return await outbox.purge()
