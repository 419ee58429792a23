"""Mails to an organisation's administrators before an access ends: a week before, and a day."""

from __future__ import annotations

import math
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.connections import store
from adloom.connections.store import Connected
from adloom.db import Database
from adloom.mail import outbox
from adloom.platforms.advice import NAMES

# The nearest first: who hears of the last day is not told of the week as well.
DAYS = (1, 7)
# A mail that could not be sent for so long is not worth sending any more.
WORTH_FOR = timedelta(days=1)

log = logs.get(__name__)

# From here on the transaction is that of one organisation.
_ACT_FOR = "select set_config('app.org_id', :org, true), set_config('app.account_scope', '*', true)"


def warn_next(database: Database, days: int) -> bool:
    """Write the mails of one connection that ends within so many days; False where none is due.

    Claiming it and writing the mails are one transaction: each administrator gets each of them once.
    """
    with database.system() as connection:
        query = text("select * from claim_warnings(:now, :days, 1)")
        claimed = connection.execute(query, {"now": clock.now(), "days": days}).one_or_none()
        if claimed is None:
            return False
        connection.execute(text(_ACT_FOR), {"org": str(claimed.org_id)})
        connected = store.one(connection, claimed.connection_id)
        written = _write(connection, claimed.org_id, connected)
    log.info("access_ending", connection_id=str(claimed.connection_id), days=days, mails=written)
    return True


def _write(connection: Connection, org_id: UUID, connected: Connected) -> int:
    people = connection.execute(text("select * from administrators()")).all()
    if connected.token_expires_at is None:
        return 0
    left = connected.token_expires_at - clock.now()
    data = {
        "organisation": connection.execute(text("select organisation_name()")).scalar_one(),
        "platform": NAMES[connected.platform],
        "person": connected.name,
        "left": _left(left),
        "when": f"{connected.token_expires_at:%Y-%m-%d %H:%M} UTC",
    }
    for person in people:
        named = data | {"name": person.name}
        outbox.enqueue(
            connection,
            org_id,
            person.user_id,
            "access_ending",
            named,
            address=person.email,
            expires_at=clock.real_now() + WORTH_FOR,
        )
    return len(people)


def _left(left: timedelta) -> str:
    """`7 days`, and within the last two `a day` or hours."""
    hours = math.ceil(left / timedelta(hours=1))
    if hours > 48:  # noqa: PLR2004 - two days
        return f"{math.ceil(hours / 24)} days"
    return f"{hours} hours" if hours > 1 else "an hour"
