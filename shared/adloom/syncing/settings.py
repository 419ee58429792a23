"""What a function that syncs needs to be told besides the app at its platform."""

from __future__ import annotations

from pydantic import Field

from adloom.settings import CoreSettings, DatabaseSettings, EventSettings, RatesSettings, TokenRingSettings


class SyncSettings(CoreSettings, DatabaseSettings, EventSettings, TokenRingSettings, RatesSettings):
    # A slice holds up to three: the account's lock, its transactions, and for a moment the budget of its calls.
    database_pool: int = Field(default=20, ge=3, le=64, description="Connections that one process holds at most")
