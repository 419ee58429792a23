"""How fast the sync of TikTok is beside what bounds it and beside ingestr, and that its memory does not grow.

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
from tests.bench import foreign, page
from tests.bench.sync import document, load, report
from tests.bench.sync.bare import DAYS_OF_A_TRANSACTION
from tests.bench.sync.dataset import ACCOUNT_ID, Shape
from tests.bench.sync.function import Tenant, make_tenant
from tests.bench.sync.measure import Spent
from tests.bench.sync.report import Results
from tests.bench.sync.rig import VERSIONS, Platform, run_peer, started
from tests.bench.sync.rounds import Arena
from tests.bench.tiktok import rows
from tests.bench.tiktok.peers import EXTRAS, NUMBERS, PAGE_LIMIT
from tests.conftest import Postgres

SEED = int(os.environ.get("SEED", "1"))
ROUNDS = 3
USUAL = Shape(ads=1_000, days=100, seed=SEED)
# More rows must not take more memory, and all of it no more above what the libraries take by themselves.
MOST_GROWTH = 1.1
MOST_ABOVE_IMPORTS_MB = 150
CONTESTANTS = {
    "httpx": "httpx and msgspec fetch alone",
    "copy": "COPY alone, into a bare table",
    "upsert": "COPY and upsert alone, bare table, cold",
    "upsert_changed": "COPY and upsert alone, bare table, changed",
    "pipeline": "bare pipeline, cold",
    "pipeline_changed": "bare pipeline, every row changed",
    "ingestr": f"{foreign.PACKAGE.replace('==', ' ')}, cold",
    "ingestr_changed": f"{foreign.PACKAGE.replace('==', ' ')}, every row changed",
    "sync": "**sync-tiktok, cold**",
    "sync_unchanged": "**sync-tiktok, unchanged**",
    "sync_changed": "**sync-tiktok, every row changed**",
    "sync_restated": "**sync-tiktok, every row changed a day later**",
}
TEMPLATE = Path(__file__).with_name("benchmarks.md.in")
_PEERS = "tests.bench.tiktok.peers"
_APP = {"ADLOOM_TIKTOK_APP_ID": "1", "ADLOOM_TIKTOK_APP_SECRET": "secret"}
Arenas = Callable[..., Any]


class TikTokArena(Arena):
    def peers(self) -> Iterator[tuple[str, Spent]]:
        self.platform.serve(1)
        yield "httpx", self.peer("httpx")
        load.empty(self.postgres.admin_url, load.BARE)
        yield "copy", self.peer("copy")
        yield from self.cold_and_changed("upsert", "pipeline")
        yield from foreign.rounds(self.platform, self.job("ingestr"), self.source())

    def source(self) -> foreign.Source:
        url = f"{self.platform.url}/open_api/v1.3/report/integrated/get/"
        return foreign.Source(
            ("ingestr.src.tiktok_ads.tiktok_helpers", "BASE_URL", url),
            f"tiktok://?access_token=token&advertiser_ids={ACCOUNT_ID}",
            f"custom:ad_id,stat_time_day:{','.join([*rows.names('ad'), *NUMBERS, *EXTRAS])}",
            self.platform.shape.days,
        )

    def peer(self, name: str) -> Spent:
        return run_peer(_PEERS, self.job(name))


@pytest.fixture(scope="module")
def tenant(postgres: Postgres) -> Tenant:
    load.make_table(postgres.admin_url)
    return make_tenant(postgres, "tiktok")


@pytest.fixture
def arena(postgres_stack: Stack, postgres: Postgres, tenant: Tenant, tmp_path: Path) -> Arenas:
    """`with arena(shape) as one` is a place for rounds over so many rows."""

    @contextmanager
    def over(shape: Shape, versions: tuple[int, ...] = VERSIONS) -> Iterator[TikTokArena]:
        with started("tests.bench.tiktok.server", tmp_path / "rows", shape, versions) as (port,):
            url = f"http://127.0.0.1:{port}"
            platform = Platform(url, shape, {**_APP, "ADLOOM_SANDBOX_URL": url})
            yield TikTokArena(postgres, postgres_stack.pid("postgres"), tenant, platform, tmp_path / "function")

    return over


def test_the_sync_of_tiktok_beside_its_limits(arena: Arenas) -> None:
    with arena(USUAL) as one:
        results = one.run(ROUNDS)
    print(f"\n{document.heading(USUAL, ROUNDS, results)}\n\n{report.table(results, CONTESTANTS)}\n\n{summary(results)}")


@pytest.mark.parametrize(
    "larger", [Shape(ads=1_000, days=200, seed=SEED), Shape(ads=20_000, days=10, seed=SEED)], ids=["days", "ads"]
)
def test_more_rows_of_tiktok_take_no_more_memory(arena: Arenas, larger: Shape) -> None:
    small = Shape(ads=1_000, days=20, seed=SEED)
    memory = {shape: peak_mb(arena, shape) for shape in (small, larger)}
    with arena(small, versions=(1,)) as one:
        imports = one.peer("imports").peak_mb
    print(f"\n{document.memory(memory)} The libraries by themselves take {imports:.0f} MB.")
    assert memory[larger] - imports <= MOST_ABOVE_IMPORTS_MB


@pytest.mark.soak
def test_a_million_rows_of_tiktok_take_no_more_memory_than_a_hundred_thousand(arena: Arenas) -> None:
    million = Shape(ads=1_000, days=1_000, seed=SEED)
    with arena(USUAL) as one:
        results = one.run(ROUNDS)
        imports = one.peer("imports").peak_mb
    memory = {shape: peak_mb(arena, shape) for shape in (USUAL, million)}
    text = TEMPLATE.read_text(encoding="utf-8").format(
        ads=USUAL.ads, days=USUAL.days, rows=USUAL.rows, ad_days=USUAL.ad_days, rounds=ROUNDS, limit=PAGE_LIMIT,
        window=DAYS_OF_A_TRANSACTION, package=foreign.PACKAGE.replace("==", " "),
        heading=document.heading(USUAL, ROUNDS, results), table=report.table(results, CONTESTANTS),
        summary=summary(results), memory=document.memory(memory), imports=f"{imports:.0f}",
    )  # fmt: skip
    page.replace(text)
    assert memory[million] / memory[USUAL] <= MOST_GROWTH
    assert memory[million] - imports <= MOST_ABOVE_IMPORTS_MB


def peak_mb(arena: Arenas, shape: Shape) -> float:
    with arena(shape, versions=(1,)) as one:
        return float(one.peak_mb())


def summary(results: Results) -> str:
    cold, changed, restated = map(results.ratio, ("sync", "sync_changed", "sync_restated"))
    peer, peer_changed = results.ratio("sync", "ingestr"), results.ratio("sync_changed", "ingestr_changed")
    return (
        f"sync-tiktok reaches {cold:.0%} of the bare pipeline cold, {changed:.0%} when every row changed, and "
        f"{restated:.0%} when each of them leaves its former version behind. It does {peer:.1f} times ingestr's rows/s "
        f"cold, {peer_changed:.1f} times when every row changed. Where nothing changed it writes nothing, at "
        f"{results.rows_per_s('sync_unchanged'):,.0f} rows/s."
    )
