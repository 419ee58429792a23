"""Outbox to JetStream, in the order of writing.

Published and marked are two steps in two systems. Killed between them, the relay publishes the event again: the broker
drops it by its message id within the duplicate window, the receiver's inbox does afterwards.
"""

from __future__ import annotations

from adloom import failpoints, logs
from infra.connector.broker import Broker, replay_subject
from infra.connector.errors import PartAway
from infra.connector.health import Health
from infra.connector.outbox import Letter, Outbox

# Small, so that an event is marked soon after it was published.
_BATCH = 50
# A notice may be lost with its connection; the outbox is looked at this often without one.
_SAFETY_POLL_S = 5.0

log = logs.get(__name__)


class Relay:
    def __init__(self, outbox: Outbox, broker: Broker, health: Health) -> None:
        self._outbox = outbox
        self._broker = broker
        self._health = health

    async def run(self) -> None:
        """Move what is there, then wait for more; ends only by PartAway."""
        while True:
            moved = await self._publish_batch()
            replayed = await self._replay_batch()
            self._health.beat("relay")
            if _BATCH not in {moved, replayed}:
                await self._outbox.wait(_SAFETY_POLL_S)

    async def _publish_batch(self) -> int:
        waiting = await self._outbox.batch(_BATCH)
        published = []
        try:
            for event in waiting:
                await self._broker.publish(event.subject, str(event.event_id), event.body)
                published.append(event.event_id)
                failpoints.reach("outbox.published")
        except PartAway as away:
            if away.part == "nats" and published:
                await self._outbox.mark_published(published)
            raise
        if published:
            await self._outbox.mark_published(published)
            log.info("events_published", events=len(published))
        return len(waiting)

    async def _replay_batch(self) -> int:
        letters = await self._outbox.letters_to_replay(_BATCH)
        for letter in letters:
            await self._broker.publish(replay_subject(letter.function), _replay_id(letter), letter.body)
            await self._outbox.mark_replayed(letter)
            log.info("event_replayed", letter_id=letter.letter_id, function=letter.function)
        return len(letters)


def _replay_id(letter: Letter) -> str:
    """New for every request, so that the broker does not take a second replay for a duplicate of the first."""
    return f"{letter.event_id}.{letter.letter_id}.{letter.requested_at.timestamp():.6f}"
