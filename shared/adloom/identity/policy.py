"""How long a session lasts."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

# What spends money, shows or changes credentials, or says who may do what, asks for a proof that is no older than this.
FRESH = timedelta(minutes=10)


class SessionSettings(BaseSettings):
    """A session ends when it was not used for a week, and after thirty days in any case.

    Whoever looks at the numbers every morning stays logged in over a week-end; a laptop that was lost and not missed
    does not. Every function reads these, as each notes the use of a session.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOM_", frozen=True, extra="ignore")

    session_idle_hours: int = Field(default=7 * 24, ge=1, description="Hours without use after which a session ends")
    session_days: int = Field(default=30, ge=1, le=90, description="Days after which a session ends in any case")

    @property
    def idle(self) -> timedelta:
        return timedelta(hours=self.session_idle_hours)

    @property
    def absolute(self) -> timedelta:
        return timedelta(days=self.session_days)
