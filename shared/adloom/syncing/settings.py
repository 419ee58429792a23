"""What a function that syncs needs to be told besides the app at its platform."""

from __future__ import annotations

from pydantic import Field

from adloom.settings import CoreSettings, DatabaseSettings, EventSettings, RatesSettings, TokenRingSettings


class SyncSettings(CoreSettings, DatabaseSettings, EventSettings, TokenRingSettings, RatesSettings):
    # A slice holds two: the account's lock and its transactions.
    database_pool: int = Field(default=20, ge=2, le=64, description="Connections that one process holds at most")
