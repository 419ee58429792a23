"""Rate limits: a moving window per key.

A limit is written as `5/minute`. Where it is counted is part of it:

    here    in this process: what must be answered without a database. Every replica counts for itself.
    shared  in Postgres, over all processes; in this process while Postgres does not answer
    strict  in Postgres, over all processes; nobody passes while Postgres does not answer
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Counted = Literal["here", "shared", "strict"]

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_WRITTEN = re.compile(r"^(?P<count>[1-9]\d*)/(?P<unit>second|minute|hour|day)$")

# An entry is at most as large as its limit's count; this many keep a function under its memory limit even when
# every request comes from another address.
_MAX_KEYS = 20_000


@dataclass(frozen=True)
class Limit:
    """At most `count` requests in any `seconds` seconds."""

    count: int
    seconds: int

    @classmethod
    def parse(cls, written: str) -> Limit:
        """Read `5/minute`; ValueError says what it should look like."""
        match = _WRITTEN.match(written)
        if match is None:
            raise ValueError(f"{written!r} is no limit; write e.g. 5/minute, 100/hour")
        return cls(int(match["count"]), _SECONDS[match["unit"]])


class Limiter(Protocol):
    """Counts requests."""

    def hit(self, key: str, limit: Limit) -> float | None:
        """Count one request; None when it may pass, else the seconds to wait. A refused one is not counted."""


class MemoryLimiter:
    """A moving window per key in this process. Thread-safe.

    When it has to forget, it forgets the keys that were seen longest ago: it fails open for addresses that have
    been quiet, never for the one that is calling now.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = _MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._lock = threading.Lock()
        self._hits: OrderedDict[tuple[str, Limit], deque[float]] = OrderedDict()

    def hit(self, key: str, limit: Limit) -> float | None:
        now = self._clock()
        with self._lock:
            hits = self._hits.setdefault((key, limit), deque())
            self._hits.move_to_end((key, limit))
            while hits and hits[0] <= now - limit.seconds:
                hits.popleft()
            if len(hits) >= limit.count:
                return hits[0] + limit.seconds - now
            hits.append(now)
            while len(self._hits) > self._max_keys:
                self._hits.popitem(last=False)
            return None
