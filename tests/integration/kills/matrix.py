"""Which process is killed where: the cells of the matrix, and the seed's choice of the moment in each."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

PLATFORMS = ("google", "meta", "tiktok")
FUNCTIONS = tuple(f"sync-{platform}" for platform in PLATFORMS)
CONNECTOR = "connector"
PROCESSES = (*FUNCTIONS, CONNECTOR, "nats", "postgres")
# Where any of the functions may be the one that gets to a point.
A_FUNCTION = "a function"


@dataclass(frozen=True)
class Point:
    """A point of progress. `reached_by` is the process that gets there, `most` how often it surely does in one sync; a
    page may be one of days or of hours.

    `held`: what was killed stays away until the broker has forgotten which events it has.
    """

    name: str
    failpoint: str
    reached_by: str
    most: int
    held: bool = False


POINTS = (
    Point("page k", "sync.page", A_FUNCTION, 8),
    Point("inside the transaction", "sync.transaction", A_FUNCTION, 3),
    Point("between publish and outbox mark", "outbox.published", CONNECTOR, 8),
    Point("between delivery and acknowledgement", "delivery.answered", CONNECTOR, 4),
    Point("after the broker's duplicate window", "outbox.published", CONNECTOR, 8, held=True),
)


@dataclass(frozen=True)
class Cell:
    """`process` is killed when `point` is reached."""

    process: str
    point: Point

    def __str__(self) -> str:
        return f"{self.process}, {self.point.name}"

    @property
    def slug(self) -> str:
        return f"{self.process}-{self.point.failpoint}" + ("-held" if self.point.held else "")

    @property
    def is_call_orphaned(self) -> bool:
        """Whether calls go on whose caller is gone, so that their events are delivered again meanwhile."""
        return self.process == CONNECTOR

    def reached_by(self, seed: int) -> str:
        """The process that gets to the point: of the functions the one that is killed, or one by chance."""
        if self.point.reached_by != A_FUNCTION:
            return self.point.reached_by
        return self.process if self.process in FUNCTIONS else random.Random(f"{seed} by {self}").choice(FUNCTIONS)

    def nth(self, seed: int) -> int:
        """The how-manieth time it is. Seed 0 takes the first, which in a delivery is that of a new connection."""
        return random.Random(f"{seed} {self}").randint(1, self.point.most) if seed else 1


# Point by point, so that no process is killed twice in a row: who dies often is started again later and later.
CELLS = [Cell(process, point) for point, process in product(POINTS, PROCESSES)]


@dataclass(frozen=True)
class Outcome:
    """What a kill left behind. `faults` are sentences; empty when nothing is lost and nothing is double."""

    cell: Cell
    nth: int
    seconds: float
    compared: int
    differing: int
    faults: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return self.compared > 0 and self.differing == 0 and not self.faults

    def __str__(self) -> str:
        verdict = "good" if self.is_good else "; ".join(self.faults) or "cells differ"
        return (
            f"{self.cell} (time {self.nth}): {self.compared} cells compared, {self.differing} differ, {verdict},"
            f" {self.seconds:.1f} s"
        )


def table(outcomes: list[Outcome]) -> list[str]:
    """Markdown: a row per process, a column per point; each cell says how many kills, and how many were not good."""
    lines = ["| process | " + " | ".join(point.name for point in POINTS) + " |", "|---" * (len(POINTS) + 1) + "|"]
    for process in PROCESSES:
        cells = []
        for point in POINTS:
            of_cell = [one for one in outcomes if one.cell == Cell(process, point)]
            bad = sum(not one.is_good for one in of_cell)
            differ = sum(one.differing for one in of_cell)
            cells.append(f"{len(of_cell)} kills, {differ} differ, {bad} faults" if of_cell else "")
        lines.append(f"| {process} | " + " | ".join(cells) + " |")
    return lines
