"""Faults of a facts folder, each with its file, line and reason."""

from __future__ import annotations

from dataclasses import dataclass, field

# A folder with thousands of faults has one cause; the first fifty show it.
MAX_FAULTS = 50


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `line` is the physical line in the file (the header is 1), 0 for the whole file."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class FactsError(Exception):
    """The folder is refused; `faults` holds at least one and at most `MAX_FAULTS`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class CellError(ValueError):
    """A cell cannot be read; the text says why."""


@dataclass
class Faults:
    """Collects faults and gives up at `MAX_FAULTS`."""

    found: list[Fault] = field(default_factory=list)

    def add(self, file: str, line: int, reason: str) -> None:
        self.found.append(Fault(file, line, reason))
        if len(self.found) >= MAX_FAULTS:
            raise FactsError(self.found)

    def check(self) -> None:
        """Refuse the folder when anything was found."""
        if self.found:
            raise FactsError(self.found)
