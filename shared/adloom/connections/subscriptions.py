"""What a platform tells us of by itself because of a connection: made and undone with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text

Target = Literal["page", "account"]


@dataclass(frozen=True)
class Subscribed:
    """A page or an ad account. `fields` are what the platform tells of; none yet where there is an error."""

    target: Target
    external_id: str
    name: str
    fields: list[str]
    subscribed_at: datetime | None
    error_code: str | None
    error_detail: str | None


_COLUMNS = ", ".join(Subscribed.__dataclass_fields__)


def every(connection: Connection, connection_id: UUID) -> list[Subscribed]:
    """Those of a connection, by name."""
    query = text(
        f"select {_COLUMNS} from connection_subscriptions where connection_id = :id"
        " order by target, lower(name), external_id"
    )
    return [Subscribed(**row) for row in connection.execute(query, {"id": connection_id}).mappings()]
