"""What the sync of one platform is put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from adloom.db import Database
from adloom.events.catalogue import Platform, SyncReason, SyncRequested
from adloom.events.outbox import publish
from adloom.platforms.model import Cadence, Reader
from adloom.platforms.quota import UNLIMITED, Load, Quota
from adloom.platforms.retry import Deadline


def _admitted() -> None:
    """Where nobody counts the calls."""


def _unheard(load: Load) -> None:
    """Where nobody else calls the platform."""


@dataclass(frozen=True)
class Access:
    """What a reader calls the platform with: an opened token, and until when.

    `admit` is asked before each call, and raises PlatformThrottled where the platform allows none for now; `heard` is
    told what its headers say of that. `login` is the account by whose rights is read, None where there is no such
    thing. `account` is the platform's id of the one account that is read, None while accounts are looked for.
    """

    token: str = field(repr=False)
    deadline: Deadline
    admit: Callable[[], None] = _admitted
    login: str | None = None
    account: str | None = None
    heard: Callable[[Load], None] = _unheard


@dataclass(frozen=True)
class Sync:
    """`open_reader` makes a reader that calls by an access alone; `decrypt` opens a stored token.

    `function` is the name under which deliveries are noted in the inbox, `quota` what the platform allows our app.
    """

    function: str
    platform: Platform
    database: Database
    cadence: Cadence
    open_reader: Callable[[Access], Reader]
    decrypt: Callable[[bytes], str]
    requested: type[SyncRequested]
    quota: Quota = UNLIMITED

    def wake(self, connection: Connection, org_id: UUID, account_id: int, reason: SyncReason) -> UUID:
        """Publish the event that lets a slice of the account begin; its id."""
        return publish(connection, self.requested(org_id=org_id, account_id=account_id, reason=reason))
