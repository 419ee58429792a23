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
        stored, at_last = sum(seen.syncs.values()), seen.most_queued(ROUNDS - 1)
        print(f"{ACCOUNTS} accounts, {ROUNDS} cadences: {stored} windows stored, {len(seen.late)} accounts late")
        print(f"The longest that an account was without a sync: {max(seen.longest.values())}")
        print(f"At most {max(seen.queued)} ranges of days waited at once, {at_last} in the last cadence", flush=True)
        assert seen.faults == []
        assert seen.late == {}
        assert seen.most_queued(ROUNDS - 1) <= seen.most_queued(0) + ACCOUNTS // 10
