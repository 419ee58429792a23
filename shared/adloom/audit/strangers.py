"""Events that strangers can cause as often as they like: the trail takes the first of a kind within a minute, and so
many of all kinds together. The others are counted and said with the next one that is taken; the log has each.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from adloom import logs
from adloom.audit.actor import actor
from adloom.audit.trail import Target, note
from adloom.db import Database
from adloom.errors import Unavailable

WITHIN_S = 60.0
# Of all kinds, by one process within a minute: a year of it is some gigabytes, which the archive packs to a tenth.
MOST_A_MINUTE = 60
# Enough for whoever comes within a minute, and nothing in memory.
_MOST_KEYS = 10_000

log = logs.get(__name__)


class Repeats:
    """Which events count. Thread-safe."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, keys: int = _MOST_KEYS, most: int = MOST_A_MINUTE
    ) -> None:
        self._clock = clock
        self._keys = keys
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[object, tuple[float, int]] = OrderedDict()
        self._minute, self._taken = 0.0, 0

    def first(self, key: object, *, by_stranger: bool = True) -> int | None:
        """How often this kind came since one was taken, itself included; None for one that is not taken. Only what
        strangers cause counts towards what all may cause together.
        """
        now = self._clock()
        with self._lock:
            at, count = self._seen.pop(key, (now - WITHIN_S, 0))
            taken = now - at >= WITHIN_S and (not by_stranger or self._take(now))
            self._seen[key] = (now, 0) if taken else (at, count + 1)
            while len(self._seen) > self._keys:
                self._seen.popitem(last=False)
        return count + 1 if taken else None

    def _take(self, now: float) -> bool:
        if now - self._minute >= WITHIN_S:
            self._minute, self._taken = now, 0
        self._taken += 1
        return self._taken <= self._most


_repeats = Repeats()


def note_first(
    database: Database,
    action: str,
    key: object,
    *,
    org_id: UUID | None,
    target: Target | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Write the event unless one of this action and key was written within the last minute.

    What was refused stays refused whether the trail can be written to or not, so this fails open: a database that is
    away is said in the log.
    """
    count = _repeats.first((action, key), by_stranger=actor().kind == "anonymous")
    if count is None:
        return
    try:
        note(database, action, org_id=org_id, target=target, new=(new or {}) | {"times": count})
    except Unavailable as error:
        log.warning("audit_unavailable", action=action, reason=error.code)
