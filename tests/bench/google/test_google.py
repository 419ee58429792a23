"""How fast the sync of Google is beside what bounds it, and that its memory does not grow with the rows.

Nothing here asserts a time: the table compares contestants of one run. What is asserted is that they did their work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.stack import Stack
from tests.bench import page
from tests.bench.google.arena import GoogleArena, google
from tests.bench.sync import document, load, report
from tests.bench.sync.dataset import Shape
from tests.bench.sync.function import Tenant, make_tenant
from tests.bench.sync.report import Results
from tests.bench.sync.rig import VERSIONS
from tests.conftest import Postgres

SEED = int(os.environ.get("SEED", "1"))
ROUNDS = 3
USUAL = Shape(ads=1_000, days=100, seed=SEED)
# More rows must not take more memory, and all of it no more above what the SDK takes by itself.
MOST_GROWTH = 1.1
MOST_ABOVE_SDK_MB = 250
CONTESTANTS = {
    "sdk": "SDK's stream alone, plain messages",
    "sdk_plus": "SDK's stream alone, as its documentation shows",
    "upsert": "COPY and upsert alone, bare table, cold",
    "upsert_changed": "COPY and upsert alone, bare table, changed",
    "pipeline": "bare pipeline, cold",
    "pipeline_changed": "bare pipeline, every row changed",
    "sync": "**sync-google, cold**",
    "sync_unchanged": "**sync-google, unchanged**",
    "sync_changed": "**sync-google, every row changed**",
    "sync_restated": "**sync-google, every row changed a day later**",
}
TEMPLATE = Path(__file__).with_name("benchmarks.md.in")
Arenas = Callable[..., Any]


@pytest.fixture(scope="module")
def tenant(postgres: Postgres) -> Tenant:
    load.make_table(postgres.admin_url)
    return make_tenant(postgres, "google")


@pytest.fixture
def arena(postgres_stack: Stack, postgres: Postgres, tenant: Tenant, tmp_path: Path) -> Arenas:
    """`with arena(shape) as one` is a place for rounds over so many rows."""

    @contextmanager
    def over(shape: Shape, versions: tuple[int, ...] = VERSIONS) -> Iterator[GoogleArena]:
        with google(tmp_path / "rows", shape, versions) as platform:
            yield GoogleArena(postgres, postgres_stack.pid("postgres"), tenant, platform, tmp_path / "function")

    return over


def test_the_sync_of_google_beside_its_limits(arena: Arenas) -> None:
    with arena(USUAL) as one:
        results = one.run(ROUNDS)
    print(f"\n{document.heading(USUAL, ROUNDS, results)}\n\n{report.table(results, CONTESTANTS)}\n\n{summary(results)}")


@pytest.mark.parametrize(
    "larger", [Shape(ads=1_000, days=200, seed=SEED), Shape(ads=20_000, days=10, seed=SEED)], ids=["days", "ads"]
)
def test_more_rows_of_google_take_no_more_memory(arena: Arenas, larger: Shape) -> None:
    small = Shape(ads=1_000, days=20, seed=SEED)
    memory = {shape: peak_mb(arena, shape) for shape in (small, larger)}
    with arena(small, versions=(1,)) as one:
        sdk = one.peer("imports").peak_mb
    print(f"\n{document.memory(memory)} The SDK by itself takes {sdk:.0f} MB.")
    assert memory[larger] - sdk <= MOST_ABOVE_SDK_MB


@pytest.mark.soak
def test_a_million_rows_of_google_take_no_more_memory_than_a_hundred_thousand(arena: Arenas) -> None:
    million = Shape(ads=1_000, days=1_000, seed=SEED)
    with arena(USUAL) as one:
        results = one.run(ROUNDS)
        sdk = one.peer("imports").peak_mb
    memory = {shape: peak_mb(arena, shape) for shape in (USUAL, million)}
    text = TEMPLATE.read_text(encoding="utf-8").format(
        ads=USUAL.ads, days=USUAL.days, rows=USUAL.rows, rounds=ROUNDS,
        heading=document.heading(USUAL, ROUNDS, results), table=report.table(results, CONTESTANTS),
        summary=summary(results), memory=document.memory(memory), sdk=f"{sdk:.0f}",
    )  # fmt: skip
    page.replace(text)
    assert memory[million] / memory[USUAL] <= MOST_GROWTH
    assert memory[million] - sdk <= MOST_ABOVE_SDK_MB


def peak_mb(arena: Arenas, shape: Shape) -> float:
    with arena(shape, versions=(1,)) as one:
        return float(one.peak_mb())


def summary(results: Results) -> str:
    cold, changed, restated = map(results.ratio, ("sync", "sync_changed", "sync_restated"))
    return (
        f"sync-google reaches {cold:.0%} of the bare pipeline cold, {changed:.0%} when every row changed, and "
        f"{restated:.0%} when each of them leaves its former version behind. Where nothing changed it writes nothing, "
        f"at {results.rows_per_s('sync_unchanged'):,.0f} rows/s."
    )
