"""What a process remembers of details that are asked for by id, so that no sync asks for all of them again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

# Reviews and addresses that nobody announces a change of are asked for again after this.
KEPT_S = 6 * 3600
# Details of one account and kind; more are not remembered.
MOST_KEPT = 50_000
# Accounts and kinds; the one that was kept longest ago is forgotten. So it is where all of them are too many: a detail
# takes half a kilobyte.
MOST_SHELVES = 64
MOST_IN_ALL = 150_000


class _Kept(NamedTuple):
    stamp: str
    until: float
    details: Any


class Memory:
    """Details by question, account and id. For several threads at once."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[str, str], dict[str, _Kept]] = {}
        self._lock = threading.Lock()

    def recall(
        self, question: str, account_id: str, stamps: Mapping[str, str], now: float
    ) -> tuple[dict[str, Any], list[str]]:
        """What is known of these ids with these stamps, and those of which nothing is."""
        found: dict[str, Any] = {}
        with self._lock:
            shelf = self._shelves.get((question, account_id), {})
            for one, stamp in stamps.items():
                kept = shelf.get(one)
                if kept is not None and kept.stamp == stamp and kept.until > now:
                    found[one] = kept.details
        return found, [one for one in stamps if one not in found]

    def keep(self, question: str, account_id: str, details: Mapping[str, tuple[str, Any]], now: float) -> None:
        """Remember details with their stamps, from this moment on."""
        key = (question, account_id)
        with self._lock:
            shelf = self._shelves.pop(key, {})
            while len(self._shelves) >= MOST_SHELVES:
                self._shelves.pop(next(iter(self._shelves)))
            self._shelves[key] = shelf
            for one, (stamp, found) in details.items():
                if one in shelf or len(shelf) < MOST_KEPT:
                    shelf[one] = _Kept(stamp, now + KEPT_S, found)
            in_all = sum(map(len, self._shelves.values()))
            while in_all > MOST_IN_ALL:
                in_all -= len(self._shelves.pop(next(iter(self._shelves))))
