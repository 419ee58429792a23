"""The two ends of delivery inside the database: the outbox of the sender and the inbox of the receiver."""

from __future__ import annotations

import json
import uuid

from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.events.catalogue import Event
from adloom.events.envelope import envelope

CHANNEL = "adloom_outbox"


def publish(connection: Connection, event: Event) -> uuid.UUID:
    """Write an event into the outbox in the caller's transaction; it is sent when, and only when, that commits."""
    event_id = uuid.uuid4()
    connection.execute(
        text(
            "insert into outbox (event_id, org_id, account_id, subject, envelope)"
            " values (:event_id, :org_id, :account_id, :subject, cast(:envelope as jsonb))"
        ),
        {
            "event_id": event_id,
            "org_id": event.org_id,
            "account_id": event.account_id,
            "subject": event.subject,
            "envelope": json.dumps(envelope(event, event_id, clock.now(), logs.request_id.get())),
        },
    )
    return event_id


def first_delivery(connection: Connection, function: str, event_id: uuid.UUID, org_id: uuid.UUID) -> bool:
    """Note in the caller's transaction that the event takes effect here; False when it had its effect already."""
    noted = connection.execute(
        text(
            "insert into inbox (function, event_id, org_id) values (:function, :event_id, :org_id)"
            " on conflict (function, event_id) do nothing"
        ),
        {"function": function, "event_id": event_id, "org_id": org_id},
    )
    return noted.rowcount == 1
