"""`make soak`: what is tested with small numbers elsewhere, with large ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 3600


@pytest.mark.soak
@pytest.mark.parametrize(
    ("file", "variable", "count"),
    [
        ("test_reconcile.py", "ADLOOM_ACCOUNT_DAYS", 10_000),
        ("test_export_as_of.py", "ADLOOM_AS_OF_SEEDS", 200),
    ],
)
def test_with_large_numbers(file: str, variable: str, count: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", f"tests/integration/{file}"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, variable: str(count)}, timeout=LONGEST_S, check=False)
    assert done.returncode == 0
