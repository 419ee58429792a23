"""The sync's part of docs/benchmarks.md: what is measured, with which seed and commit, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.bench import foreign, page
from tests.bench.sync import report
from tests.bench.sync.bare import DAYS_OF_A_TRANSACTION
from tests.bench.sync.dataset import Shape
from tests.bench.sync.peers import PAGE_LIMIT
from tests.bench.sync.report import FOREIGN_DAYS, Results

_TEMPLATE = Path(__file__).with_name("benchmarks.md.in")


def heading(shape: Shape, rounds: int, results: Results | None = None) -> str:
    """With what the numbers were made, and, of results, who else was at work."""
    others = results.others if results else 0.0
    busy = f", other programs took {others:.0%} of the processors" if others > report.QUIET else ""
    return f"{shape.rows:,} rows, seed {shape.seed}, {rounds} rounds, {page.made_with()}{busy}"


def memory(peaks: Mapping[Shape, float]) -> str:
    """Peak memory of the function's process in a first sync, by size."""
    (small, less), (large, more) = sorted(peaks.items(), key=lambda item: item[0].rows)
    return (
        f"The function's process took at most {less:.0f} MB for {small.ad_days:,} ad-days and {more:.0f} MB for "
        f"{large.ad_days:,}: {more / less:.2f} times as much."
    )


def write(shape: Shape, rounds: int, results: Results, peaks: Mapping[Shape, float]) -> None:
    """Replace the part."""
    text = _TEMPLATE.read_text(encoding="utf-8").format(
        ads=shape.ads,
        days=shape.days,
        ad_days=shape.ad_days,
        above=shape.rows - shape.ad_days,
        rows=shape.rows,
        limit=PAGE_LIMIT,
        rounds=rounds,
        window=DAYS_OF_A_TRANSACTION,
        package=foreign.PACKAGE.replace("==", " "),
        foreign_days=FOREIGN_DAYS,
        heading=heading(shape, rounds),
        table=report.table(results),
        bounds=report.bounds(results),
        memory=memory(peaks),
    )
    page.replace(text)
