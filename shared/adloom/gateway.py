"""How a gateway says that the function behind it is away for a moment.

While OpenFaaS deploys a function, or when its container has just died, a call ends with a broken connection or with a
status and a text of the gateway's own, and the same call works a moment later. What a function itself has to say about
a failure is a problem document.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import httpx

PROBLEM_TYPE = "application/problem+json"
# 404: it is just being deployed; 500: its container is gone, and the call that says so starts it again.
_AWAY = frozenset({404, 500, 502, 503, 504})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 2.0
_random = random.SystemRandom()


def is_away(answer: httpx.Response) -> bool:
    """Whether this is the gateway's own word, and a later call may reach the function."""
    written_by_a_function = answer.headers.get("Content-Type", "").startswith(PROBLEM_TYPE)
    return answer.status_code in _AWAY and not written_by_a_function


def pauses() -> Iterator[float]:
    """Seconds to wait before each further call, without an end."""
    pause = _FIRST_PAUSE_S
    while True:
        yield pause * _random.uniform(0.8, 1.0)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
