"""Who acts. `adloom.web` and the command line say it once, and each event takes it from here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

# `anonymous` is a request that nobody vouches for, `system` a process that acts by itself.
ActorKind = Literal["user", "key", "operator", "anonymous", "system", "command_line"]


@dataclass(frozen=True)
class Actor:
    """`id` is the person's or the key's; an address and the browser's own words come with a request only."""

    kind: ActorKind
    id: str | None = None
    session: str | None = None
    address: str | None = None
    agent: str | None = None

    def known_as(self, user_id: object) -> Actor:
        """The same request, once it is proved whose it is."""
        return Actor("user", str(user_id), self.session, self.address, self.agent)


SYSTEM = Actor("system")
_acting: ContextVar[Actor] = ContextVar("audit_actor", default=SYSTEM)


def actor() -> Actor:
    """Who acts in this thread or task."""
    return _acting.get()


def set_actor(who: Actor) -> None:
    """From now on this one acts. A server's threads serve one request after the other: say it for each."""
    _acting.set(who)


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """For the length of the block this one acts."""
    token = _acting.set(who)
    try:
        yield
    finally:
        _acting.reset(token)


def by(user_id: object) -> Actor:
    """Who acts, where the request itself names nobody but this person has just proved who it is."""
    here = actor()
    return here.known_as(user_id) if here.kind == "anonymous" else here
