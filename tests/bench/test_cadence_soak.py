"""`make soak`: 200 accounts every 15 minutes for as long as MINUTES says, in real time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adloom.metrics.schedule import USUAL
from tests.integration.fleet import open_fleet

ACCOUNTS = 200
ROUNDS = max(2, int(float(os.environ.get("MINUTES", "120")) * 60 / USUAL.total_seconds()))


@pytest.mark.soak
def test_200_accounts_stay_on_time(tmp_path: Path) -> None:
    with open_fleet(tmp_path, ACCOUNTS, ads=1200, days=40) as fleet:
        seen = fleet.run(cadence_s=USUAL.total_seconds(), rounds=ROUNDS)
        print(
            f"{ACCOUNTS} accounts, {ROUNDS} cadences: {sum(seen.syncs.values())} windows stored, {len(seen.late)}"
            f" accounts late, at most {max(seen.queued)} waiting, {seen.most_queued(ROUNDS - 1)} of them in the last cadence",
            flush=True,
        )
        assert seen.faults == []
        assert seen.late == {}
        assert seen.most_queued(ROUNDS - 1) <= seen.most_queued(0) + ACCOUNTS // 10
