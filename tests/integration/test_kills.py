"""Each process is killed at each point of progress of a sync; the numbers stay exact and nothing is double.

`ADLOOM_KILLS_SEED` chooses the moments: which page, which transaction, which event. `make soak` goes on for longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kills.matrix import CELLS, Cell, Outcome, table
from tests.integration.kills.proof import Leavings, kill, undisturbed
from tests.integration.kills.stage import Stage, open_stage, small_world

SEED = int(os.environ.get("ADLOOM_KILLS_SEED", "1"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("kills")
    facts = small_world(folder / "facts")
    with open_stage(folder / "home", facts, folder / "failpoint") as opened:
        yield opened


@pytest.fixture(scope="module")
def should_be(stage: Stage) -> Leavings:
    return undisturbed(stage)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[list[Outcome]]:
    """What was seen in each cell; shown as a table at the end."""
    collected: list[Outcome] = []
    yield collected
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    for line in ("", f"Seed {SEED}:", *table(collected)):
        reporter.write_line(line)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.slug)
def test_a_kill_changes_nothing(
    stage: Stage, should_be: Leavings, outcomes: list[Outcome], cell: Cell, tmp_path: Path
) -> None:
    outcome = kill(stage, cell, SEED, should_be, tmp_path / "exports")
    outcomes.append(outcome)
    assert outcome.is_good, str(outcome)
