"""What the benchmarks of the sync share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.stack import Stack
from tests.bench.sync import load, rig
from tests.bench.sync.dataset import Shape
from tests.bench.sync.function import Tenant, make_tenant
from tests.bench.sync.rounds import Arena, MetaArena
from tests.conftest import Postgres

_APP = {"ADLOOM_META_APP_ID": "1", "ADLOOM_META_APP_SECRET": "secret"}


@pytest.fixture(scope="module")
def tenant(postgres: Postgres) -> Tenant:
    load.make_table(postgres.admin_url)
    return make_tenant(postgres)


@pytest.fixture
def arena(postgres_stack: Stack, postgres: Postgres, tenant: Tenant, tmp_path: Path) -> Callable[..., object]:
    """`with arena(shape) as one` is a place for rounds over so many rows."""

    @contextmanager
    def over(shape: Shape, versions: tuple[int, ...] = (1, 2)) -> Iterator[Arena]:
        with rig.started("tests.bench.sync.graph", tmp_path / "rows", shape, versions) as (port,):
            url = f"http://127.0.0.1:{port}"
            platform = rig.Platform(url, shape, {**_APP, "ADLOOM_META_GRAPH_URL": url})
            yield MetaArena(postgres, postgres_stack.pid("postgres"), tenant, platform, tmp_path / "function")

    return over
