"""`make e2e-faasd` where it cannot run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faasd import run


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENFAAS_BIN", raising=False)
    monkeypatch.setattr(run, "DEFAULT_BINARIES", tmp_path / "none")
    monkeypatch.setattr(sys, "argv", ["tests.faasd"])


def test_without_the_programs_it_says_that_nothing_was_tested(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main() == 0
    assert capsys.readouterr().out == "skipped: no OpenFaaS binaries\n"


@pytest.mark.parametrize("there", [None, "faasd"])
def test_a_folder_that_was_named_and_has_not_all_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, there: str | None
) -> None:
    if there:
        (tmp_path / there).touch()
    monkeypatch.setenv("OPENFAAS_BIN", str(tmp_path))
    assert run.main() == 2
    said = capsys.readouterr().out
    assert "gateway" in said
    assert "Set OPENFAAS_BIN" in said
