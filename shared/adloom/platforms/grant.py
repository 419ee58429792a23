"""What every platform's log-in gives us, and what each platform's `oauth` module offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Grant:
    """A person let us in. `expires_at` is the platform's time, aware; None never expires."""

    token: str = field(repr=False)
    external_user_id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None


class OAuth(Protocol):
    """A platform's authorization-code flow."""

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        """Where the person is sent to agree."""

    def exchange(self, *, code: str, redirect_uri: str) -> Grant:
        """The grant for the code that the person came back with; PlatformError when it is refused."""
