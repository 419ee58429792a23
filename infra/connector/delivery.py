"""JetStream to one function: at least once, an account's events one after the other, different accounts side by side.

An event that has to wait for its next attempt holds up the later ones of its account and nobody else's. It is
acknowledged when the function took it or when its dead letter is written, never before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from nats.aio.msg import Msg

from adloom import failpoints, logs
from adloom.errors import ValidationFailed
from infra.connector.backoff import Backoff
from infra.connector.broker import ACK_WAIT_S, MESSAGE_ID, Broker
from infra.connector.call import Answer, Parcel, open_parcel
from infra.connector.outbox import Death

# With so many events of its account behind it an event gets no further attempts: an account that fails for hours must
# neither fill the broker's window (broker.MAX_ACK_PENDING) nor outlast the stream's memory of seven days.
MOST_BEHIND = 100
_REMEMBERED = 20_000
_DRAIN_S = 3.0

log = logs.get(__name__)

Lane = tuple[UUID, int | None]


class Settled:
    """The ids of the messages this process has seen to the end, the latest ones.

    A broker that is killed may forget acknowledgements of the last moments and send their events again.
    """

    def __init__(self) -> None:
        self._order: deque[tuple[str, str]] = deque()
        self._known: set[tuple[str, str]] = set()

    def add(self, function: str, message_id: str) -> None:
        if (function, message_id) in self._known:
            return
        if len(self._order) >= _REMEMBERED:
            self._known.discard(self._order.popleft())
        self._order.append((function, message_id))
        self._known.add((function, message_id))

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._known


@dataclass
class Held:
    """A message that was taken from the broker and is not acknowledged yet.

    `id` is the event's, which the broker may hold under two sequence numbers: published again after its duplicate
    window.
    """

    id: str
    sequence: int
    parcel: Parcel
    message: Msg
    attempts: int = 0


@dataclass(frozen=True)
class Rules:
    """How many at a time, how often, and how long between."""

    concurrency: int
    attempts: int
    backoff: Backoff


@dataclass
class Courier:
    """Brings one function its events. `call` makes attempt n; `bury` writes a dead letter."""

    function: str
    broker: Broker
    rules: Rules
    settled: Settled
    call: Callable[[Parcel, int], Awaitable[Answer]]
    bury: Callable[[Death], Awaitable[int]]
    stopping: asyncio.Event
    _held: dict[int, Held] = field(default_factory=dict)
    _lanes: dict[Lane, deque[Held]] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._gate = asyncio.Semaphore(self.rules.concurrency)

    async def run(self) -> None:
        """Deliver until something fails; told to stop, finish what is in the function's hands and return."""
        async with asyncio.TaskGroup() as tasks:
            fetching = tasks.create_task(self._fetch(tasks))
            holding = tasks.create_task(self._keep_held())
            await self.stopping.wait()
            fetching.cancel()
            holding.cancel()
            if self._running:
                await asyncio.wait(self._running, timeout=_DRAIN_S)
            for task in self._running:  # delivered again by the next connector
                task.cancel()

    async def _fetch(self, tasks: asyncio.TaskGroup) -> None:
        async for message in self.broker.events(self.function):
            await self._accept(message, tasks)

    async def _accept(self, message: Msg, tasks: asyncio.TaskGroup) -> None:
        sequence = message.metadata.sequence.stream
        if (known := self._held.get(sequence)) is not None:
            known.message = message  # sent again because the broker did not hear that we work on it
            return
        message_id = (message.headers or {}).get(MESSAGE_ID) or f"#{message.metadata.timestamp.isoformat()}"
        try:
            parcel = open_parcel(message.data)
        except ValidationFailed as error:
            # Not from our outbox, whose events are of the catalogue: there is no organisation to show it to.
            log.error(  # noqa: TRY400 - where it was read says nothing; what was wrong does
                "event_unreadable", function=self.function, message_id=message_id, error=error.detail
            )
            await self.broker.settle(message)
            return
        held = self._held[sequence] = Held(message_id, sequence, parcel, message)
        key = (parcel.org_id, parcel.account_id)
        if key in self._lanes:
            self._lanes[key].append(held)
        else:
            self._lanes[key] = deque([held])
            task = tasks.create_task(self._run_lane(key))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run_lane(self, key: Lane) -> None:
        lane = self._lanes[key]
        while lane and await self._carry(lane[0], lane):
            lane.popleft()
        del self._lanes[key]

    async def _carry(self, held: Held, lane: deque[Held]) -> bool:
        """Try one event until it is settled; False when we are stopping and it goes back to the broker."""
        if (self.function, held.id) in self.settled:
            await self._settle(held)
            return True
        while not self.stopping.is_set():
            async with self._gate:
                if self.stopping.is_set():
                    return False
                held.attempts += 1
                answer = await self.call(held.parcel, held.attempts)
            failpoints.reach("delivery.answered")
            if answer.verdict == "taken":
                self._tell(logging.INFO, "event_delivered", held, answer)
                await self._settle(held)
                return True
            if answer.verdict == "refused" or held.attempts >= self.rules.attempts or len(lane) > MOST_BEHIND:
                await self._give_up(held, answer)
                return True
            await self._pause(held, answer)
        return False

    async def _pause(self, held: Held, answer: Answer) -> None:
        wait = self.rules.backoff.wait(held.attempts, answer.retry_after)
        self._tell(logging.WARNING, "event_waits", held, answer, seconds=round(wait, 2))
        try:
            async with asyncio.timeout(wait):
                await self.stopping.wait()
        except TimeoutError:
            return

    async def _settle(self, held: Held) -> None:
        self.settled.add(self.function, held.id)
        del self._held[held.sequence]
        await self.broker.settle(held.message)

    async def _give_up(self, held: Held, answer: Answer) -> None:
        parcel = held.parcel
        letter = await self.bury(
            Death(
                function=self.function,
                event_id=parcel.event_id,
                org_id=parcel.org_id,
                account_id=parcel.account_id,
                subject=parcel.subject,
                body=parcel.body,
                attempts=held.attempts,
                status=answer.status,
                error=answer.error,
            )
        )
        self._tell(logging.WARNING, "event_died", held, answer, letter_id=letter)
        await self._settle(held)

    def _tell(self, level: int, what: str, held: Held, answer: Answer, **more: object) -> None:
        log.log(
            level,
            what,
            function=self.function,
            event_id=str(held.parcel.event_id),
            account_id=held.parcel.account_id,
            attempt=held.attempts,
            status=answer.status,
            error=answer.error,
            request_id=held.parcel.request_id,
            **more,
        )

    async def _keep_held(self) -> None:
        """Tell the broker of everything we hold that we have it, so that it does not send it again."""
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            for held in list(self._held.values()):
                if held.sequence in self._held:
                    await self.broker.still_working(held.message)
