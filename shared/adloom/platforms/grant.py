"""What every platform's log-in gives us, and what each platform's `oauth` module offers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

# Whose token it is: a person's own log-in, or a machine's that an administrator made at the platform.
TokenKind = Literal["user", "system_user"]
# What may be asked for beyond reading ads.
Extra = Literal["leads"]


@dataclass(frozen=True)
class Grant:
    """A person let us in. `expires_at` is the platform's time, aware; None never expires."""

    token: str = field(repr=False)
    external_user_id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    kind: TokenKind = "user"


@dataclass(frozen=True)
class Inspected:
    """What a token is good for now. `scopes` is None where the platform tells them at the log-in only."""

    scopes: tuple[str, ...] | None
    expires_at: datetime | None


class OAuth(Protocol):
    """A platform's authorization-code flow. Every method raises the PlatformError tree of `adloom.errors`.

    `has_pkce`: the platform wants a challenge (RFC 7636, S256).
    """

    has_pkce: bool

    def authorize_url(
        self,
        *,
        state: str,
        redirect_uri: str,
        challenge: str = "",
        extras: Collection[str] = (),
        again: bool = False,
    ) -> str:
        """Where the person is sent to agree. `again`: what they declined before is asked for once more."""
        ...

    def exchange(self, *, code: str, redirect_uri: str, verifier: str = "") -> Grant:
        """The grant for the code that the person came back with; PlatformError when it is refused."""
        ...

    def inspect(self, token: str) -> Inspected:
        """What a token is good for now; ConnectionBroken when it is dead."""
        ...

    def revoke(self, token: str, *, is_shared: bool) -> bool:
        """End the grant at the platform; one that has ended is no error.

        `is_shared`: others here live by a log-in of the same person. False where the platform can only end all of
        them, so that nothing was done.
        """
        ...
