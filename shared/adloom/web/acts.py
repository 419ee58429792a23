"""Who acts in a request, for the audit trail; and what was refused to whom."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import g, request

from adloom import audit, logs
from adloom.audit import Actor
from adloom.errors import AdloomError, Forbidden, TooManyRequests, Unavailable
from adloom.identity.principal import Principal
from adloom.settings import DatabaseSettings

if TYPE_CHECKING:
    from adloom.web.function import Function

# Refusals that are a step on somebody's way, or that the handler notes itself.
NO_DENIALS = frozenset({"step_up_needed", "code_needed", "wrong_code", "wrong_password", "registration_closed"})
REPEATS_WITHIN_S = 60.0
# Enough for every session of a busy minute, and nothing in memory.
_MOST_KEYS = 10_000

log = logs.get(__name__)


class Repeats:
    """The first of its kind within a minute counts, the others are added to the next that counts. Thread-safe.

    Strangers cause refusals as often as their limits let them; the trail grows by one event a minute for each.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = _MOST_KEYS) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[object, tuple[float, int]] = OrderedDict()

    def first(self, key: object) -> int | None:
        """How often it came since the last that counted, itself included; None while the minute lasts."""
        now = self._clock()
        with self._lock:
            at, count = self._seen.pop(key, (now - REPEATS_WITHIN_S, 0))
            counts = now - at >= REPEATS_WITHIN_S
            self._seen[key] = (now, 0) if counts else (at, count + 1)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)
        return count + 1 if counts else None


_repeats = Repeats()


def begin() -> None:
    """Nobody is known yet: a thread serves one request after the other."""
    audit.set_actor(Actor("anonymous"))


def arrive(address: str) -> None:
    """A request from this address."""
    audit.set_actor(Actor("anonymous", address=address, agent=request.headers.get("User-Agent")))


def identify(who: Principal | None) -> None:
    """Whose request it is, as its token says."""
    if who is not None:
        here = audit.actor()
        identity = who.user_id or who.key_id
        session = str(who.session_id) if who.session_id else None
        audit.set_actor(Actor(who.kind, str(identity) if identity else None, session, here.address, here.agent))


def refused(app: Function[Any], error: AdloomError) -> None:
    """Note a refusal: in the log each, in the trail of whoever is known once a minute for each route.

    The refusal stands whether the trail can be written to or not.
    """
    route = request.url_rule.rule if request.url_rule else "(unknown)"
    if isinstance(error, TooManyRequests):
        log.warning("rate_limited", method=request.method, route=route, actor=audit.actor().kind)
    who: Principal | None = g.get("principal")
    if not isinstance(error, Forbidden) or who is None or error.code in NO_DENIALS:
        return
    log.warning("permission_denied", method=request.method, route=route, reason=error.code, actor=who.kind)
    count = _repeats.first((audit.actor().kind, audit.actor().id, request.method, route, error.code))
    if count is None or not isinstance(app.settings(), DatabaseSettings):
        return
    said = {"reason": error.code, "role": who.role, "times": count}
    try:
        target = ("route", f"{app.name} {request.method} {route}")
        audit.note(app.database(), "permission.denied", org_id=who.organisation_id, target=target, new=said)
    except Unavailable as unavailable:
        log.warning("audit_unavailable", reason=unavailable.code)
