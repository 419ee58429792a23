"""What ends a term of the connector."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Part = Literal["database", "nats"]


class PartAway(Exception):
    """The database or the broker does not answer; it is tried again from the start. `part` names which."""

    def __init__(self, part: Part, reason: object) -> None:
        super().__init__(f"{part}: {reason}")
        self.part: Part = part


@contextmanager
def boundary(part: Part, *faults: type[BaseException]) -> Iterator[None]:
    """Around every call to a part: its faults become PartAway, and a cancellation is heard.

    `asyncio.wait_for` of Python 3.11, on which the drivers of both parts wait, forgets a cancellation that arrives
    together with the result (https://github.com/python/cpython/issues/86296). The task would live on for ever, and its
    term with it.
    """
    try:
        yield
    except faults as error:
        raise PartAway(part, repr(error)) from error
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Stopped(Exception):
    """The process was told to stop and has let go of its deliveries."""
