"""Keeping the audit trail, at the tick: heads are signed every hour, and old months move to the object storage."""

from __future__ import annotations

from adloom.accounts.settings import Auth
from adloom.audit import archive, heads
from adloom.audit.signing import SigningKeys
from adloom.storage import Storage

# What one tick moves: some seconds for each file. The others follow every hour.
FILES = 8


def check(app: Auth) -> None:
    """ConfigurationError where the secret holds no keys: better at the start than at the first hour."""
    SigningKeys(app.settings().audit_key.get_secret_value())


def keep(app: Auth) -> None:
    """What is due. A storage that is away puts it off until the next tick, and nothing else of the tick."""
    if not heads.is_due(app.database()):
        return
    settings = app.settings()
    keys, storage = SigningKeys(settings.audit_key.get_secret_value()), Storage(settings, attempts=1)
    if heads.sign(app.database(), storage, keys) is not None:
        archive.archive_due(app.database(), storage, keys, most=FILES)
