"""What the dashboard needs to be told."""

from __future__ import annotations

from pydantic import Field, SecretStr

from adloom.settings import CoreSettings, DatabaseSettings, NatsSettings


class DashboardSettings(CoreSettings, DatabaseSettings, NatsSettings):
    dashboard_host: str = Field(default="127.0.0.1", description="The address the dashboard listens on")
    dashboard_port: int = Field(default=8081, ge=1, le=65535, description="The port the dashboard listens on")
    storage_secret: SecretStr = Field(
        min_length=16, description="Signs the dashboard's form tokens; any long random text"
    )
