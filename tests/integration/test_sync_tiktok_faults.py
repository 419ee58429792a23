"""Every fault that TikTok is known for: how it ends, who acts, the most requests it costs, and the least wait.

The cases are in `tiktok_fault_cases.py` and the table in `docs/faults-tiktok.md`; how they are judged, in
`fault_rig.py`, is the same for every platform.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Postgres
from tests.integration.fault_cases import Case
from tests.integration.fault_rig import NOON, assert_whole, judge, ready, requests, sync, week
from tests.integration.sync_rig import Rig, sandbox_on
from tests.integration.tiktok_fault_cases import CASES, CLEAN_REQUESTS, document
from tests.integration.tiktok_rig import SETTINGS, TikTokRig
from tests.unit.sandbox.support import ROOT, Sandbox, facts
from tests.unit.sandbox.tiktok import row

DOCUMENT = ROOT / "docs" / "faults-tiktok.md"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("faults")
    with sandbox_on(facts(folder / "facts", *week(row)), folder, NOON, **SETTINGS) as started:
        yield started


@pytest.fixture
def rig(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[Rig]:
    with ready(postgres, *shared, TikTokRig) as made:
        yield made


def test_without_a_fault_a_sync_takes_so_many_requests(rig: Rig) -> None:
    sync(rig)
    assert len(requests(rig)) == CLEAN_REQUESTS
    assert_whole(rig)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_fault(rig: Rig, case: Case) -> None:
    judge(rig, case, CLEAN_REQUESTS)


def test_the_document_is_this_table() -> None:
    if os.environ.get("ADLOOM_WRITE_DOCS") == "1":
        DOCUMENT.write_text(document(), encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run this test with ADLOOM_WRITE_DOCS=1"
