"""`make soak`: 200 accounts every 15 minutes for as long as MINUTES says, in real time. Writes docs/cadence.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adloom.metrics.schedule import USUAL
from tests.bench import page
from tests.cadence.fleet import SEED, Seen, open_fleet

ACCOUNTS = 200
ROUNDS = max(2, int(float(os.environ.get("MINUTES", "120")) * 60 / USUAL.total_seconds()))
PAGE = page.ROOT / "docs" / "cadence.md"

WORDS = """# Whether accounts are synced on time

`make soak` connects {accounts} accounts of three platforms to an empty installation. Once all of them were read,
everything goes on for {minutes} minutes of real time: a cadence of 15 minutes with history behind it, Google at its
Standard tier, TikTok at its lowest, all parts of the stack on one machine. `make test` does it for two
cadences in ten minutes, without history. An account is late when it was once without a sync of its newest days for
longer than the cadence and three minutes, or when it missed a turn.

At {made_with}, seed {seed}:

{table}
"""


@pytest.mark.soak
def test_200_accounts_stay_on_time(tmp_path: Path) -> None:
    with open_fleet(tmp_path, ACCOUNTS, ads=1200, days=40, history=True) as fleet:
        seen = fleet.run(cadence_s=USUAL.total_seconds(), rounds=ROUNDS)
    text = report(seen, fleet.first_read_s)
    print(text, flush=True)
    PAGE.write_text(text, encoding="utf-8")
    queue = queued(seen)
    assert seen.faults == []
    assert seen.late == {}
    assert queue[-1] <= queue[0] + ACCOUNTS // 10


def queued(seen: Seen) -> list[int]:
    """The most ranges of days that waited, cadence by cadence."""
    return [seen.most_queued(number) for number in range(seen.rounds)]


def report(seen: Seen, first_read_s: float) -> str:
    """The page."""
    rows = [
        ["", f"{seen.rounds} cadences"],
        ["until all accounts had their newest days first, s", f"{first_read_s:.0f}"],
        ["syncs", f"{sum(seen.syncs.values()):,}"],
        ["accounts late", str(len(seen.late))],
        ["longest that one was without a sync, min:s", _minutes(max(seen.longest.values()).total_seconds())],
        ["syncs that failed", str(sum(count for _, count in seen.faults))],
        ["ranges of days that waited at most, by cadence", ", ".join(map(str, queued(seen)))],
    ]
    return WORDS.format(
        accounts=len(seen.syncs), minutes=int(seen.rounds * USUAL.total_seconds() / 60), seed=SEED,
        made_with=page.made_with(), table=page.table(rows),
    )  # fmt: skip


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02}"
