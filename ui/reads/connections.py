"""The connections as their pages show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from adloom import clock
from adloom.connections import standing, subscriptions
from adloom.connections.standing import Reached, Standing
from adloom.connections.subscriptions import Subscribed
from adloom.errors import NotFound
from ui.params import Params
from ui.reads.situation import Situation, situation


@dataclass(frozen=True)
class AllConnections:
    """`now` is the business clock's, by which accesses end."""

    situation: Situation
    connections: Sequence[Standing]
    now: datetime


@dataclass(frozen=True)
class OneConnection:
    situation: Situation
    standing: Standing
    accounts: Sequence[Reached]
    subscribed: Sequence[Subscribed]
    now: datetime


def every(connection: Connection, params: Params) -> AllConnections:
    """By platform and name; what was ended here stands at the end."""
    found = sorted(
        standing.every(connection),
        key=lambda each: (
            each.connected.status == "revoked" or each.is_replaced,
            each.connected.platform,
            each.connected.name.lower(),
        ),
    )
    return AllConnections(situation(connection, params), found, clock.now())


def one(connection_id: str) -> Callable[[Connection, Params], OneConnection]:
    """Reads the connection of this id; NotFound where it is none of the organisation's."""

    def read(connection: Connection, params: Params) -> OneConnection:
        found = standing.one(connection, _uuid(connection_id))
        # Those that say what is to be done come first.
        accounts = sorted(
            standing.reached(connection, found.connected),
            key=lambda each: (each.trouble is None or not each.is_chosen, each.lost_at is None),
        )
        subscribed = subscriptions.every(connection, found.connected.connection_id)
        return OneConnection(situation(connection, params), found, accounts, subscribed, clock.now())

    return read


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotFound("There is no such connection here") from None
