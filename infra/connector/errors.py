"""What ends a term of the connector."""

from __future__ import annotations

from typing import Literal

Part = Literal["database", "nats"]


class PartAway(Exception):
    """The database or the broker does not answer; it is tried again from the start. `part` names which."""

    def __init__(self, part: Part, reason: object) -> None:
        super().__init__(f"{part}: {reason}")
        self.part: Part = part


class Stopped(Exception):
    """The process was told to stop and has let go of its deliveries."""
