"""Accounts at their cadence, with a business clock that goes as fast as this machine can follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fleet import open_fleet

ACCOUNTS, ROUNDS = 18, 2


@pytest.mark.slow
def test_every_account_is_on_time_and_no_queue_grows(tmp_path: Path) -> None:
    """`make soak` does the same with 200 accounts and the real time, for two hours."""
    with open_fleet(tmp_path, ACCOUNTS, ads=36, days=20) as fleet:
        seen = fleet.run(cadence_s=max(15.0, 2 * fleet.first_read_s), rounds=ROUNDS)
        assert seen.faults == []
        assert seen.late == {}
        assert len(seen.syncs) == ACCOUNTS
        assert all(ROUNDS - 1 <= syncs <= ROUNDS + 1 for syncs in seen.syncs.values())
        assert seen.most_queued(ROUNDS - 1) <= seen.most_queued(0) + ACCOUNTS // 4
        cadences = fleet.admin("select every = '15 minutes', reason from sync_paces()")
        assert cadences == [(True, "usual")] * 3
