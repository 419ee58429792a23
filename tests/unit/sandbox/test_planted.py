"""`make verify` says whether reconciliation names exactly what a folder has planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.local import planted
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size

DAYS = 240
Differences = list[dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted")
    acceptance.write(path, 5, Size(accounts=6, ads=12, days=40, until=date(2026, 3, 31)))
    return path


@pytest.fixture
def differences(folder: Path) -> Differences:
    """What reconciliation has to name."""
    return [
        {"account": day["account_id"], "day": day["date"], "level": "campaign", "measure": measure, "platform": total,
         "stored": rows, "kind": "unexplained"}
        for day in json.loads((folder / acceptance.PLANTED_FILE).read_text(encoding="utf-8"))
        for measure, (rows, total) in day["metrics"].items()
    ]  # fmt: skip


def compared(target: Path, folder: Path, differences: Differences, days: int = DAYS) -> planted.Reconciled:
    said: dict[str, Any] = {"days_compared": days, "differences": differences}
    (target / planted.RECONCILED).write_text(json.dumps(said), encoding="utf-8")
    return planted.compare(target, folder, DAYS)


def test_all_that_was_planted_and_nothing_else_is_right(folder: Path, differences: Differences, tmp_path: Path) -> None:
    found = compared(tmp_path, folder, differences)
    assert len(differences) > 3
    assert found.is_right
    assert str(found) == f"240 account-days reconciled, {len(differences)} differences planted, all named, no other"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: found[1:], "1 not named, no other"),
        (lambda _: [], "not named, no other"),
        (lambda found: [*found, found[0] | {"day": "2026-01-01"}], "all named, 1 other"),
        (lambda found: [*found, found[0]], "all named, 1 other"),
        (lambda found: [found[0] | {"stored": "1"}, *found[1:]], "1 not named, 1 other"),
        (lambda found: [found[0] | {"level": "ad"}, *found[1:]], "1 not named, 1 other"),
        (lambda found: [found[0] | {"kind": "stored"}, *found[1:]], "1 not named, 1 other"),
    ],
)
def test_what_is_not_named_or_named_wrongly_is_told(
    folder: Path,
    differences: Differences,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Differences], Differences],
    words: str,
) -> None:
    found = compared(tmp_path, folder, change(differences))
    assert not found.is_right
    assert words in str(found)
    found.show()
    assert differences[0]["account"] in capsys.readouterr().err


def test_a_day_that_was_not_compared_is_told(folder: Path, differences: Differences, tmp_path: Path) -> None:
    found = compared(tmp_path, folder, differences, days=DAYS - 1)
    assert not found.is_right
    assert str(found).startswith("239 of 240 account-days reconciled")
