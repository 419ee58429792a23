"""Events: written with the change they tell of, delivered at least once, taking effect once."""

from adloom.events.catalogue import (
    CATALOGUE,
    AccountsConnected,
    ConnectionBroken,
    Event,
    MetricsSynced,
    SyncFailed,
    SyncGoogleRequested,
    SyncMetaRequested,
    SyncTikTokRequested,
)
from adloom.events.envelope import Envelope, envelope, parse
from adloom.events.outbox import first_delivery, publish
from adloom.events.signature import SIGNATURE_HEADER, sign, verify

__all__ = [
    "CATALOGUE",
    "SIGNATURE_HEADER",
    "AccountsConnected",
    "ConnectionBroken",
    "Envelope",
    "Event",
    "MetricsSynced",
    "SyncFailed",
    "SyncGoogleRequested",
    "SyncMetaRequested",
    "SyncTikTokRequested",
    "envelope",
    "first_delivery",
    "parse",
    "publish",
    "sign",
    "verify",
]
