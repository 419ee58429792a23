"""The connector's settings; see `adloom.settings` for where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from adloom.errors import ConfigurationError
from adloom.settings import CoreSettings, DatabaseSettings, NatsSettings, secrets_folder

PROCESS = "connector"
EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h: whoever supervises us need not try again


class ConnectorSettings(CoreSettings, DatabaseSettings, NatsSettings):
    """What `python -m infra.connector` needs."""

    connector_port: int = Field(default=8095, ge=1, le=65535, description="Where /_/health answers on 127.0.0.1")
    stack_file: Path = Field(default=Path("stack.yml"), description="The deployment list with schedules and subjects")
    cron: Literal["on", "off"] = Field(default="on", description="off where OpenFaaS's cron-connector calls the ticks")
    connector_concurrency: int = Field(
        default=4, ge=1, le=64, description="Events that one function gets at the same time, each of another account"
    )
    connector_attempts: int = Field(
        default=12, ge=1, description="Deliveries of one event until it is a dead letter; 12 take about 20 minutes"
    )
    connector_backoff: float = Field(
        default=1.0, gt=0, description="Seconds until the second attempt; doubles up to 5 minutes"
    )
    connector_call_timeout: float = Field(
        default=65.0, gt=0, description="Seconds a function may take to answer; no request runs longer than 60"
    )
    connector_duplicate_window: float = Field(
        default=120.0, ge=0.1, description="Seconds in which the broker recognises an event it has already"
    )


def event_secret(function: str) -> str:
    """The HMAC secret of a function; ConfigurationError when its file is missing."""
    path = secrets_folder() / f"{function}-event-secret"
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        secret = ""
    if not secret:
        raise ConfigurationError(
            f"{PROCESS}: the secret {function}-event-secret is missing. Put it into {secrets_folder()}; it signs the "
            f"events that are delivered to {function}, which holds the same one."
        )
    return secret
