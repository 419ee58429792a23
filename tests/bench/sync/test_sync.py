"""How fast the sync is beside what bounds it, and that its memory does not grow with the rows.

Nothing here asserts a time: the table compares contestants of one run. What is asserted is that they did their work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.bench.sync import document, report
from tests.bench.sync.dataset import Shape

SEED = int(os.environ.get("SEED", "1"))
ROUNDS = 3
USUAL = Shape(ads=1_000, days=100, seed=SEED)
# More of either must not take more memory.
MOST_GROWTH = 1.1

Arenas = Callable[..., Any]


def test_the_sync_beside_its_limits(arena: Arenas) -> None:
    with arena(USUAL) as one:
        results = one.run(ROUNDS)
    print(f"\n{document.heading(USUAL, ROUNDS)}\n\n{report.table(results)}\n\n{report.bounds(results)}")


@pytest.mark.parametrize(
    "larger", [Shape(ads=1_000, days=200, seed=SEED), Shape(ads=10_000, days=20, seed=SEED)], ids=["days", "ads"]
)
def test_ten_times_the_rows_take_no_more_memory(arena: Arenas, larger: Shape) -> None:
    small = peak_mb(arena, Shape(ads=1_000, days=20, seed=SEED))
    large = peak_mb(arena, larger)
    print(f"\npeak memory: 20,000 rows {small:.0f} MB, {larger.ad_days:,} rows {large:.0f} MB: {large / small:.2f}")
    assert large / small <= MOST_GROWTH


@pytest.mark.soak
def test_a_million_rows_take_no_more_memory_than_a_hundred_thousand(arena: Arenas) -> None:
    million = Shape(ads=1_000, days=1_000, seed=SEED)
    with arena(USUAL) as one:
        results = one.run(ROUNDS)
    memory = {shape: peak_mb(arena, shape) for shape in (USUAL, million)}
    document.write(USUAL, ROUNDS, results, memory)
    assert memory[million] / memory[USUAL] <= MOST_GROWTH


def peak_mb(arena: Arenas, shape: Shape) -> float:
    with arena(shape, versions=(1,)) as one:
        return float(one.peak_mb())
