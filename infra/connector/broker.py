"""The connector's side of NATS JetStream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StorageType, StreamConfig

from adloom import logs
from infra.connector.errors import PartAway, boundary
from infra.connector.stack import FunctionEntry

STREAM = "ADLOOM"
REPLAY = "adloom.replay"
MESSAGE_ID = "Nats-Msg-Id"
# Long enough to mend a function over a weekend; the receivers' inbox remembers longer than this.
_MAX_AGE_S = 7 * 86_400
# While an account's event waits for its next attempt the account's later ones wait unacknowledged. Beyond this number
# the broker would hold back everybody's events; `delivery.MOST_BEHIND` keeps single accounts far from it.
MAX_ACK_PENDING = 20_000
# A message is announced as being worked on three times in this time.
ACK_WAIT_S = 60.0
# The first that can set a consumer back to where its acknowledgements have no gap.
_OLDEST_SERVER = (2, 14)
_CONNECT_TIMEOUT_S = 5
_ANSWER_TIMEOUT_S = 5.0
_PING_INTERVAL_S = 5
_FETCH_WAIT_S = 30.0
_FETCH_MOST = 100

log = logs.get(__name__)


def _faults() -> AbstractContextManager[None]:
    return boundary("nats", nats.errors.Error, OSError, TimeoutError)


def replay_subject(function: str) -> str:
    """Where an event goes that one function alone shall get again."""
    return f"{REPLAY}.{function}"


class Broker:
    """JetStream with our stream. Every method raises PartAway when the broker does not answer."""

    def __init__(self, client: Client, lost: asyncio.Event) -> None:
        self._client = client
        self._lost = lost
        self._jetstream: JetStreamContext = client.jetstream(timeout=_ANSWER_TIMEOUT_S)

    async def ensure_stream(self, duplicate_window: float) -> None:
        """Make the stream, or bring it to this configuration."""
        config = StreamConfig(
            name=STREAM,
            subjects=["adloom.>"],
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            max_age=_MAX_AGE_S,
            duplicate_window=duplicate_window,
        )
        with _faults():
            try:
                await self._jetstream.update_stream(config)
            except nats.js.errors.NotFoundError:
                await self._jetstream.add_stream(config)

    async def ensure_consumer(self, function: FunctionEntry) -> None:
        """Make the function's consumer, or bring it to its subjects, and set it back to its last gapless position.

        What a former holder took and did not acknowledge would otherwise come only after `ACK_WAIT_S`, behind later
        events of the same account. What was acknowledged beyond a gap comes again: the receiver's inbox knows it.
        """
        config = ConsumerConfig(
            durable_name=function.name,
            description="Events for the function of this name",
            filter_subjects=[*function.subjects, replay_subject(function.name)],
            # A consumer that has to be made anew begins with what the stream still holds: rather twice than never.
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=MAX_ACK_PENDING,
        )
        with _faults():
            await self._jetstream.add_consumer(STREAM, config)
            await self._jetstream._jsm.reset_consumer(STREAM, function.name)  # noqa: SLF001 - no public way to it

    async def publish(self, subject: str, message_id: str, body: bytes) -> None:
        """Return when the broker has written the event to its disk."""
        with _faults():
            await self._jetstream.publish(subject, body, headers={MESSAGE_ID: message_id})

    async def events(self, function: str) -> AsyncIterator[Msg]:
        """The function's events in the stream's order, forever."""
        with _faults():
            source = await self._jetstream.pull_subscribe_bind(function, STREAM)
        while True:
            messages: list[Msg] = []
            with _faults():
                try:
                    messages = await source.fetch(_FETCH_MOST, timeout=_FETCH_WAIT_S)
                except TimeoutError:  # there was nothing
                    if self._client.is_closed:
                        raise
            for message in messages:
                yield message

    async def settle(self, message: Msg) -> None:
        """Acknowledge; return when the broker has heard it."""
        with _faults():
            await message.ack_sync(timeout=_ANSWER_TIMEOUT_S)

    async def still_working(self, message: Msg) -> None:
        with _faults():
            await message.in_progress()

    async def watch(self) -> None:
        """Raise PartAway as soon as the connection is lost."""
        await self._lost.wait()
        raise PartAway("nats", "the connection was lost")


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Broker]:
    """PartAway when the broker does not answer. There is no reconnecting: a new term connects anew."""
    lost = asyncio.Event()

    async def note_lost() -> None:
        lost.set()

    async def note_error(error: Exception) -> None:
        log.warning("nats_error", error=repr(error))

    with _faults():
        client = await nats.connect(
            url,
            name="adloom-connector",
            allow_reconnect=False,
            connect_timeout=_CONNECT_TIMEOUT_S,
            ping_interval=_PING_INTERVAL_S,
            max_outstanding_pings=2,
            error_cb=note_error,
            disconnected_cb=note_lost,
            closed_cb=note_lost,
        )
    try:
        _check_version(client)
        yield Broker(client, lost)
    finally:
        await client.close()


def _check_version(client: Client) -> None:
    version = client.connected_server_version
    if (version.major, version.minor) < _OLDEST_SERVER:
        wanted = ".".join(map(str, _OLDEST_SERVER))
        raise PartAway("nats", f"the server is {version.major}.{version.minor}; {wanted} or newer is needed")
