"""Every fault that Meta is known for: how it ends, who acts, the most requests it costs, and the least wait.

The cases are in `fault_cases.py` and the table in `docs/faults-meta.md`; each is driven through the sandbox's fault
script in the first sync of an account and judged by the sandbox's request log. Whatever the outcome, once the cause is
gone the account is stored to the last cell.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Postgres
from tests.integration.fault_cases import CASES, CLEAN_REQUESTS, RAW, Case, document, recorded
from tests.integration.fault_rig import ADS, NOON, QUICK, assert_whole, judge, ready, requests, sync, week
from tests.integration.sync_rig import Rig, rig_in, sandbox_on
from tests.unit.sandbox.support import ROOT, Sandbox, fact, facts

DOCUMENT = ROOT / "docs" / "faults-meta.md"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("faults")
    with sandbox_on(facts(folder / "facts", *week(fact)), folder, NOON) as started:
        yield started


@pytest.fixture
def rig(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[Rig]:
    with ready(postgres, *shared) as made:
        yield made


def test_without_a_fault_a_sync_takes_twelve_requests(rig: Rig) -> None:
    sync(rig)
    assert len(requests(rig)) == CLEAN_REQUESTS
    assert_whole(rig)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_fault(rig: Rig, case: Case) -> None:
    judge(rig, case, CLEAN_REQUESTS)


def test_one_bad_account_never_stops_another(rig: Rig, postgres: Postgres, shared: tuple[Sandbox, Path]) -> None:
    rig.sandbox.faults({"match": {"path": "insights", "times": 1}, "fault": recorded(10)})
    with rig_in(postgres, *shared) as other:
        other.retry = QUICK
        sync(rig)
        other.settle()
        assert rig.one("select error_code from ad_accounts where org_id = %s") == "platform_setup"
        assert other.one("select error_code from ad_accounts where org_id = %s") is None
        assert other.one("select count(*) from metrics where org_id = %s and level = 'ad'") == ADS * 7


def test_the_recorded_bodies_are_those_of_the_file_byte_for_byte() -> None:
    for case in CASES:
        for line in case.script:
            if "body_base64" in line["fault"]:
                body = base64.b64decode(line["fault"]["body_base64"]).decode()
                assert body in " ".join(RAW.split()).replace("{ ", "{").replace(" }", "}")


def test_the_document_is_this_table() -> None:
    if os.environ.get("ADLOOM_WRITE_DOCS") == "1":
        DOCUMENT.write_text(document(), encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run this test with ADLOOM_WRITE_DOCS=1"
