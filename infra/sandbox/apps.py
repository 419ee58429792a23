"""Our app at a platform, as the sandbox knows it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class App:
    """The one app that a platform has."""

    id: str
    secret: str

    def is_this(self, app_id: str, secret: str) -> bool:
        """Whether the credentials are the app's; fails closed where no app is set up."""
        return bool(self.secret) and app_id == self.id and hmac.compare_digest(secret.encode(), self.secret.encode())
