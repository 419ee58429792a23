"""Two hundred accounts of three platforms at their cadence, for ten minutes of real time."""

from __future__ import annotations

from pathlib import Path

from tests.cadence.fleet import open_fleet

ACCOUNTS = 200
# The business clock goes so much faster that these minutes are two cadences.
MINUTES, ROUNDS = 10, 2


def test_200_accounts_are_on_time_and_no_queue_grows(tmp_path: Path) -> None:
    """`make soak` does the same with the real time for two hours, and with years of history behind."""
    with open_fleet(tmp_path, ACCOUNTS, ads=600, days=20, tiktok="ultimate") as fleet:
        seen = fleet.run(cadence_s=60 * MINUTES / ROUNDS, rounds=ROUNDS)
        queue = [seen.most_queued(number) for number in range(ROUNDS)]
        print(f"All {ACCOUNTS} accounts were read once within {fleet.first_read_s:.0f} s")
        print(f"The longest that one was without a sync then: {max(seen.longest.values())}; most that waited: {queue}")
        assert seen.faults == []
        assert seen.late == {}
        assert len(seen.syncs) == ACCOUNTS
        assert all(ROUNDS - 1 <= syncs <= ROUNDS + 1 for syncs in seen.syncs.values())
        assert queue[-1] <= queue[0] + ACCOUNTS // 10
        cadences = fleet.admin("select every = '15 minutes', reason from sync_paces()")
        assert cadences == [(True, "usual")] * 3
