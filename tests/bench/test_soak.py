"""`make soak`: the kill matrix again and again, with other moments each time, until there were as many as KILLS says.

Writes what it saw to docs/kills.md.
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.kills.matrix import CELLS, Outcome, table
from tests.integration.kills.proof import kill, undisturbed
from tests.integration.kills.stage import open_stage, small_world

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "kills.md"
KILLS = int(os.environ.get("KILLS", "200"))
FIRST_SEED = int(os.environ.get("ADLOOM_KILLS_SEED", "1"))

WORDS = """# What survives a kill

Each process is killed with SIGKILL at each point of progress of a sync, on the stack that `make up` starts, while it
syncs the sandbox's Google, Meta and TikTok at once. Afterwards every exported cell is compared with the facts folder,
and the database is searched for anything that is there twice: days stored by two runs, events told twice, accounts
found twice, restatements of numbers that never changed, days read twice where the first reader lived on. `make test`
does a round of it, `make soak` writes this page.

A cell says how many kills there were, how many exported cells differed after them, and how many kills left anything
lost or double. At "after the broker's duplicate window" the killed process stays away until the broker has forgotten
which events it has and takes a second copy for a new one.

Three mutants show that the matrix would notice: without the transaction around a window, without the account's lock and
without the inbox check it fails (`tests/mutants/`, `tests/integration/test_kill_mutants.py`).

"""


@pytest.mark.soak
def test_soak(tmp_path: Path) -> None:
    facts = small_world(tmp_path / "facts")
    outcomes: list[Outcome] = []
    seed = FIRST_SEED
    with open_stage(tmp_path / "home", facts, tmp_path / "failpoint") as stage:
        should_be = undisturbed(stage)
        while len(outcomes) < KILLS:  # a round is never cut short: no cell stays empty
            for cell in CELLS:
                outcomes.append(kill(stage, cell, seed, should_be, tmp_path / "exports"))
                print(f"seed {seed}: {outcomes[-1]}", flush=True)
            seed += 1
    PAGE.write_text(report(outcomes, seed - 1), encoding="utf-8")
    assert [str(outcome) for outcome in outcomes if not outcome.is_good] == []


def report(outcomes: list[Outcome], last_seed: int) -> str:
    """The page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    bad = [f"- {outcome}" for outcome in outcomes if not outcome.is_good]
    compared = sum(outcome.compared for outcome in outcomes)
    differing = sum(outcome.differing for outcome in outcomes)
    seeds = f"Seeds {FIRST_SEED} to {last_seed} at commit {commit or 'unknown'}, {datetime.now(UTC):%Y-%m-%d}"
    lines = [
        f"{seeds}: {len(outcomes)} kills, {compared} cells compared, {differing} differ.",
        "",
        *table(outcomes),
        *(["", "Not good:", "", *bad] if bad else []),
    ]
    return WORDS + "\n".join(lines) + "\n"
