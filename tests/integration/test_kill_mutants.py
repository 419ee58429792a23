"""The kill matrix is worth something: without what protects the numbers it fails, and says why."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from infra.local.postgres import PROGRAMS
from tests.integration.kills import mutants
from tests.integration.kills.matrix import CELLS

# They run on the server of the project's own packages whatever other one is under test.
pytestmark = pytest.mark.skipif(PROGRAMS in os.environ, reason="the same on every server")

CAUGHT_BY = {
    "no_transaction": ("sync-meta-sync.transaction", "days of an account stored by two runs"),
    "no_account_lock": ("connector-sync.page", "days asked of the platform twice"),
    # Whether the same is asked for twice besides depends on when the second delivery comes.
    "no_inbox_check": ("connector-delivery.answered", "events without a note of their effect"),
}


def run(folder: Path, mutant: str, cell: str) -> str:
    """What pytest says of one cell of the matrix in a copy of the project with the mutant in it."""
    assert cell in {each.slug for each in CELLS}
    python = mutants.make(folder, mutant)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "COV_"))}
    done = subprocess.run(
        [str(python), "-m", "pytest", f"tests/integration/test_kills.py::test_a_kill_changes_nothing[{cell}]", "-q"],
        cwd=folder,
        env={**environment, "ADLOOM_KILLS_SEED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def test_every_shipped_mutant_is_tried():
    assert {path.stem for path in mutants.PATCHES.glob("*.patch")} == set(CAUGHT_BY)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", CAUGHT_BY)
def test_the_matrix_fails_for_a_mutant_and_names_the_damage(mutant, tmp_path):
    cell, damage = CAUGHT_BY[mutant]
    said = run(tmp_path, mutant, cell)
    assert said.startswith("1\n"), said[-3000:]
    assert re.search(rf"AssertionError: .*{damage}", said), said[-3000:]
