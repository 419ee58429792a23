"""Trying again: how often, and how long to wait between."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from adloom.errors import PlatformError

# Neither quality nor safety hangs on these numbers: they only keep many callers from coming back in step.
_jitter = random.Random()  # noqa: S311


class OutOfTimeError(Exception):
    """The deadline came before the work was done; nothing is wrong, it goes on in the next slice."""


class NotReadyError(Exception):
    """The platform is still preparing its answer; `state` is what to ask with later, as JSON values."""

    def __init__(self, state: dict[str, str]) -> None:
        super().__init__("the platform is still preparing its answer")
        self.state = state


@dataclass(frozen=True)
class RetryPolicy:
    """`tries` in all; before the second one `first_wait_s`, doubled each time, plus up to `jitter` of it."""

    tries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 16.0
    jitter: float = 0.5

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after so many failures; never less than the doubled first wait."""
        least: float = min(self.first_wait_s * 2.0 ** (failures - 1), self.longest_wait_s)
        return least * (1 + _jitter.random() * self.jitter)


class Deadline:
    """An instant of the monotonic clock until which work may go on. `sleep` can be replaced by a test."""

    def __init__(self, seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._until = time.monotonic() + seconds
        self._sleep = sleep

    def left_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._until - time.monotonic())

    def sleep(self, seconds: float) -> bool:
        """Wait; False, at once, when the time left does not allow it."""
        if seconds >= self.left_s():
            return False
        self._sleep(seconds)
        return True


class Attempts:
    """The tries of one call that have failed so far, and the waits between them."""

    def __init__(self, policy: RetryPolicy, deadline: Deadline) -> None:
        self._policy = policy
        self._deadline = deadline
        self._failures = 0
        # What the last one failed with.
        self.fault: PlatformError | None = None

    def again(self, error: PlatformError, *, tries: int | None = None) -> None:
        """Wait for the next try; raises the error where there is none, or no time for it. `tries`: other than usual."""
        self._failures, self.fault = self._failures + 1, error
        most = self._policy.tries if tries is None else tries
        if self._failures >= most or not self._deadline.sleep(self._policy.wait_s(self._failures)):
            raise error from None

    def out_of_time(self) -> NoReturn:
        """A call that had failed before is a fault: else a platform that hangs would never be one."""
        raise self.fault or OutOfTimeError from None
