"""Who is looking. The session lives in the database and belongs to `auth`; the browser holds its opaque token."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from adloom.errors import Unavailable
from adloom.identity.roles import Role, includes
from ui.gateway import Caller, Gateway
from ui.live import EventHub

# Events say at once that a session ended or changed. One that began to be valid no longer by itself is noticed after
# this long at the latest.
BELIEVED_FOR_S = 15.0
# While no events are heard nothing is noticed sooner than this. Asking each time would use up the session's limit at
# `auth`: one page asks several times.
BELIEVED_WITHOUT_EVENTS_S = 2.0
# A session that has ended never comes back. Without this each open tab of it would ask at each event, and what one
# address may ask with unknown tokens would be used up for everybody behind it.
ENDED_FOR_S = 60.0
MOST_REMEMBERED = 10_000
_UNAUTHENTICATED, _FORBIDDEN = 401, 403

T = TypeVar("T")


@dataclass(frozen=True)
class Viewer:
    """A member with a session."""

    user_id: UUID
    name: str
    email: str
    org_id: UUID
    organisation: str
    role: Role
    account_scope: str
    token: str

    def may(self, role: Role) -> bool:
        return includes(self.role, role)

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[0].isalnum()] or [self.email]
        letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
        return letters.upper()


class Sessions:
    """Asks `auth` whether a token is a session, and believes its answer for a few seconds, unless an event says that
    sessions of this person ended. While no events are heard, for two seconds only.

    Fails closed: when `auth` does not answer, nobody is let in (Unavailable). A token that is unknown, or of an API key
    or the operator, is nobody (None). Tokens are remembered as hashes only.
    """

    def __init__(self, gateway: Gateway, hub: EventHub) -> None:
        self._gateway = gateway
        self._hub = hub
        # When `auth` was asked, and what it said.
        self._known: OrderedDict[bytes, tuple[float, Viewer]] = OrderedDict()
        # When `auth` said that a token is nobody's.
        self._ended: OrderedDict[bytes, float] = OrderedDict()
        # How often something ended: an answer that was under way meanwhile may be older than that.
        self._endings = 0
        hub.on_sessions_ended(self.forget_person)
        hub.on_missed(self.forget_everybody)

    async def viewer(self, caller: Caller, *, fresh: bool = False) -> Viewer | None:
        """The viewer of the caller's token; `fresh` asks again whatever is remembered."""
        if not caller.token:
            return None
        key = hashlib.sha256(caller.token.encode("utf-8", "surrogatepass")).digest()
        known = None if fresh else self._known.get(key)
        asked = time.monotonic()
        if asked - self._ended.get(key, -ENDED_FOR_S) < ENDED_FOR_S:
            return None
        if known is not None and asked - known[0] < self._believed_for:
            return known[1]
        endings = self._endings
        viewer = await self._ask(caller, caller.token)
        if viewer is None:
            self._known.pop(key, None)
            _remember(self._ended, key, asked)
        elif endings != self._endings:
            self._known.pop(key, None)
        else:
            _remember(self._known, key, (asked, viewer))
        return viewer

    @property
    def _believed_for(self) -> float:
        return BELIEVED_FOR_S if self._hub.connected else BELIEVED_WITHOUT_EVENTS_S

    def forget(self, token: str) -> None:
        """Believe nothing any more of what was said about this session, nor an answer that is under way."""
        self._endings += 1
        self._known.pop(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest(), None)

    def forget_person(self, user_id: UUID) -> None:
        """Believe nothing any more of what was said about this person's sessions."""
        self._endings += 1
        for key in [key for key, (_, viewer) in self._known.items() if viewer.user_id == user_id]:
            del self._known[key]

    def forget_everybody(self) -> None:
        """Events may have been missed."""
        self._endings += 1
        self._known.clear()

    async def _ask(self, caller: Caller, token: str) -> Viewer | None:
        answer = await self._gateway.call("GET", "auth", "/session", caller)
        if answer.status == _UNAUTHENTICATED or (answer.status, answer.code) == (_FORBIDDEN, "scope_missing"):
            return None
        user, organisation = answer.body.get("user"), answer.body.get("organisation")
        if not answer.ok:
            raise Unavailable(f"auth answered {answer.status}")
        if answer.body.get("kind") != "user" or not user or not organisation:
            return None
        return Viewer(
            user_id=UUID(user["user_id"]),
            name=user["name"],
            email=user["email"],
            org_id=UUID(organisation["org_id"]),
            organisation=organisation["name"],
            role=answer.body["role"],
            account_scope=answer.body["account_scope"],
            token=token,
        )


def _remember(known: OrderedDict[bytes, T], key: bytes, what: T) -> None:
    known[key] = what
    known.move_to_end(key)
    while len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
