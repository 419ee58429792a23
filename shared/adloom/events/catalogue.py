"""One model per subject and version. An event always names its organisation and, where there is one, its account."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Platform = Literal["google", "meta", "tiktok"]
# Of our own, a bigint.
AccountId = Annotated[int, Field(ge=1, lt=2**63)]
SyncReason = Literal["tick", "operator", "continuation", "connected"]


class Event(BaseModel):
    """Base of all events. Fields are only ever added, with a default; anything else is a new version."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: ClassVar[str]
    version: ClassVar[int] = 1

    org_id: UUID
    account_id: int | None


class SyncRequested(Event):
    """An account has windows to sync; the receiver takes what is pending, so a doubled request is harmless.

    Each platform's has a subject of its own, for the platform's function alone.
    """

    account_id: AccountId
    reason: SyncReason


class SyncGoogleRequested(SyncRequested):
    subject = "adloom.sync_google.requested"


class SyncMetaRequested(SyncRequested):
    subject = "adloom.sync_meta.requested"


class SyncTikTokRequested(SyncRequested):
    subject = "adloom.sync_tiktok.requested"


class AccountsConnected(Event):
    """A connection was made or mended: its accounts are to be looked up and synced."""

    subject = "adloom.connections.connected"

    connection_id: UUID
    platform: Platform


class ConnectionBroken(Event):
    """A platform refuses our token for good: the person must connect again. `code` is the platform's own."""

    subject = "adloom.connections.broken"

    connection_id: UUID
    platform: Platform
    code: str


class MetricsSynced(Event):
    """A window is stored and reconciled. Days are the account's local days, both inclusive."""

    subject = "adloom.metrics.synced"

    account_id: int
    platform: Platform
    run_id: int
    since: date
    until: date
    rows_changed: int


class SyncFailed(Event):
    """A sync of an account ended with an error that a person should see."""

    subject = "adloom.metrics.sync_failed"

    account_id: int
    platform: Platform
    code: str
    retryable: bool


class SessionsEnded(Event):
    """Sessions of a person ended, or may do less from now on: open pages ask again who is looking."""

    subject = "adloom.auth.sessions_ended"

    user_id: UUID


CATALOGUE: dict[str, type[Event]] = {
    model.subject: model
    for model in (
        SyncGoogleRequested,
        SyncMetaRequested,
        SyncTikTokRequested,
        AccountsConnected,
        ConnectionBroken,
        MetricsSynced,
        SyncFailed,
        SessionsEnded,
    )
}
