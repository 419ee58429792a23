"""What a stack consists of."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.errors import RuntimeFault
from infra.local.home import ROOT
from infra.local.probes import Probe


def _nothing() -> None:
    """Most parts need no preparation."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Part:
    """One process of the stack, or, when `once`, one step of its start.

    `needs` are started and answer before it. `stop` are the signals that end it, each with the seconds it gets;
    whatever is left then is killed. `before` runs before each start, `after` when a step has succeeded, and a
    step is passed over where `done` says so. The `front` lets people in, so it is the first to go.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    needs: tuple[str, ...] = ()
    probe: Probe | None = None
    once: bool = False
    cwd: Path = ROOT
    stop: tuple[tuple[int, float], ...] = ((signal.SIGTERM, 10.0),)
    outlives_us: bool = False
    front: bool = False
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing
    done: Callable[[], bool] = _never
    about: str = field(default="", compare=False)

    @property
    def port(self) -> int | None:
        return self.probe.port if self.probe else None


def with_needs(parts: Mapping[str, Part], wanted: Iterable[str]) -> dict[str, Part]:
    """The wanted parts and everything they need, in the order of `parts`."""
    chosen: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in parts:
            raise RuntimeFault(f"There is no part {name!r}; there are {', '.join(parts)}.")
        if name not in chosen:
            chosen.add(name)
            left.extend(parts[name].needs)
    return {name: part for name, part in parts.items() if name in chosen}


def stop_order(parts: Mapping[str, Part]) -> list[list[str]]:
    """Waves in which parts can be stopped: nothing is stopped before what needs it."""
    depth: dict[str, int] = {}

    def measure(name: str) -> int:
        if parts[name].front:
            return len(parts) + 1
        if name not in depth:
            depth[name] = 1 + max((measure(need) for need in parts[name].needs if need in parts), default=0)
        return depth[name]

    levels = {name: measure(name) for name in parts}
    return [[n for n in parts if levels[n] == level] for level in sorted(set(levels.values()), reverse=True)]
