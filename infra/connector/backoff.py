"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass

_random = random.SystemRandom()
# A platform may ask for an hour; a header that asks for a year is somebody's mistake.
LONGEST_RETRY_AFTER_S = 3600.0


@dataclass(frozen=True)
class Backoff:
    """Doubles from `first` seconds to `most`; the last fifth is chance, so that accounts do not march in step."""

    first: float
    most: float

    def wait(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds after the given attempt, which counts from 1; never less than the other side asked for."""
        # 2**30 seconds are beyond any limit, and a float that is far larger would overflow.
        full = min(self.most, self.first * float(2 ** min(attempt - 1, 30)))
        asked = min(retry_after or 0.0, LONGEST_RETRY_AFTER_S)
        return max(full * _random.uniform(0.8, 1.0), asked)
