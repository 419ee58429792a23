"""A term: from taking the lead to the first thing that fails. See the package's text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx

from adloom import logs
from infra.connector import broker, call, outbox
from infra.connector.backoff import Backoff
from infra.connector.broker import Broker
from infra.connector.call import Answer, Parcel
from infra.connector.cron import Ticker
from infra.connector.delivery import Courier, Rules, Settled
from infra.connector.errors import PartAway, Stopped
from infra.connector.health import Health
from infra.connector.outbox import Outbox
from infra.connector.relay import Relay
from infra.connector.settings import ConnectorSettings
from infra.connector.stack import FunctionEntry

# Between terms: soon at first, as most outages are restarts.
_PAUSE = Backoff(first=0.25, most=5.0)
_LONGEST_BACKOFF_S = 300.0
_PURGE_EVERY_S = 86_400.0
_PURGE_AGAIN_S = 3_600.0

log = logs.get(__name__)


@dataclass
class Connector:
    """Everything that outlives a term: what to do, and the memory of what was done last."""

    settings: ConnectorSettings
    functions: list[FunctionEntry]
    secrets: dict[str, str]
    health: Health = field(default_factory=Health)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: Settled = field(default_factory=Settled)
    _couriers: list[asyncio.Task[None]] = field(default_factory=list)
    _failed_terms: int = 0

    async def run(self) -> None:
        """Term after term, until `stopping` is set."""
        while not self.stopping.is_set():
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._stop())
                    both.create_task(self._term())
            except* Stopped:
                log.info("stopped")
            except* PartAway as group:
                self._note(group)
            await self._pause()

    async def _stop(self) -> None:
        """Told to stop, wait for the couriers to finish what is in a function's hands, then end the term."""
        await self.stopping.wait()
        if self._couriers:
            await asyncio.wait(self._couriers)
        raise Stopped

    async def _term(self) -> None:
        self._couriers = []
        for part in ("database", "nats"):
            self.health.connecting(part)
        url = self.settings.database_url.get_secret_value()
        async with outbox.connect(url) as database:
            self.health.connected("database")
            async with broker.connect(self.settings.nats_url.get_secret_value()) as jetstream:
                self.health.connected("nats")
                self.health.working("standby")
                await self._take_lead(database, jetstream)
                await self._lead(database, jetstream)

    async def _take_lead(self, database: Outbox, jetstream: Broker) -> None:
        """Wait for the lead, giving up when the broker goes away meanwhile."""
        async with asyncio.TaskGroup() as waiting:
            watching = waiting.create_task(jetstream.watch())
            await database.take_lead()
            watching.cancel()

    async def _lead(self, database: Outbox, jetstream: Broker) -> None:
        await jetstream.ensure_stream(self.settings.connector_duplicate_window)
        for function in self._receivers:
            await jetstream.ensure_consumer(function)
        self.health.working("leading")
        self._failed_terms = 0
        log.info("leading", functions=[function.name for function in self._receivers])
        async with call.client(self.settings.connector_call_timeout) as http, asyncio.TaskGroup() as work:
            work.create_task(jetstream.watch())
            work.create_task(Relay(database, jetstream, self.health).run())
            work.create_task(self._purge())
            for function in self._receivers:
                self._couriers.append(work.create_task(self._courier(function, jetstream, http).run()))
            if self.settings.cron == "on":
                for function in self.functions:
                    work.create_task(Ticker(http, self.settings.gateway_url, function).run())

    @property
    def _receivers(self) -> list[FunctionEntry]:
        return [function for function in self.functions if function.subjects]

    def _courier(self, function: FunctionEntry, jetstream: Broker, http: httpx.AsyncClient) -> Courier:
        backoff = Backoff(self.settings.connector_backoff, _LONGEST_BACKOFF_S)
        return Courier(
            function=function.name,
            broker=jetstream,
            rules=Rules(self.settings.connector_concurrency, self.settings.connector_attempts, backoff),
            settled=self._settled,
            call=self._caller(function.name, http),
            bury=partial(outbox.bury, self.settings.database_url.get_secret_value()),
            stopping=self.stopping,
        )

    def _caller(self, function: str, http: httpx.AsyncClient) -> Callable[[Parcel, int], Awaitable[Answer]]:
        url = f"{self.settings.gateway_url.rstrip('/')}/function/{function}/events"
        return partial(call.deliver, http, url, self.secrets[function])

    async def _purge(self) -> None:
        """Once a day; that it fails is no reason to stop delivering."""
        while True:
            pause = _PURGE_EVERY_S
            try:
                rows = await outbox.purge(self.settings.database_url.get_secret_value())
                log.info("events_purged", rows=rows)
            except PartAway as away:
                log.warning("purge_put_off", error=str(away))
                pause = _PURGE_AGAIN_S
            await asyncio.sleep(pause)

    def _note(self, group: BaseExceptionGroup[PartAway]) -> None:
        self._failed_terms += 1
        for fault in _flat(group):
            self.health.away(fault.part, logs.redact_text(str(fault)))
            log.warning("part_away", part=fault.part, error=str(fault), failed_terms=self._failed_terms)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_PAUSE.wait(max(1, self._failed_terms))):
                await self.stopping.wait()
        except TimeoutError:
            return


def _flat(group: BaseExceptionGroup[PartAway]) -> Iterator[PartAway]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _flat(each)
        else:
            yield each
