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
    with open_fleet(tmp_path, ACCOUNTS, ads=1200, days=40, history=True) as fleet:
        seen = fleet.run(cadence_s=USUAL.total_seconds(), rounds=ROUNDS)
        queue = [seen.most_queued(number) for number in range(ROUNDS)]
        print(
            f"{ACCOUNTS} accounts, {ROUNDS} cadences: {sum(seen.syncs.values())} syncs, {len(seen.late)} accounts late"
        )
        print(f"The longest that an account was without a sync: {max(seen.longest.values())}")
        print(f"Ranges of days that waited at most, history with them, cadence by cadence: {queue}", flush=True)
        assert seen.faults == []
        assert seen.late == {}
        assert queue[-1] <= queue[0] + ACCOUNTS // 10
