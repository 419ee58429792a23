"""What the sync of one platform is put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from adloom.db import Database
from adloom.events.catalogue import Platform, SyncMetaRequested, SyncReason, SyncRequested
from adloom.events.outbox import publish
from adloom.platforms.model import Cadence, Reader
from adloom.platforms.retry import Deadline


@dataclass(frozen=True)
class Sync:
    """`open_reader` takes a token and ends its calls with the deadline; `decrypt` opens a stored token.

    `function` is the name under which deliveries are noted in the inbox.
    """

    function: str
    platform: Platform
    database: Database
    cadence: Cadence
    open_reader: Callable[[str, Deadline], Reader]
    decrypt: Callable[[bytes], str]
    requested: type[SyncRequested] = SyncMetaRequested

    def wake(self, connection: Connection, org_id: UUID, account_id: int, reason: SyncReason) -> UUID:
        """Publish the event that lets a slice of the account begin; its id."""
        return publish(connection, self.requested(org_id=org_id, account_id=account_id, reason=reason))
