"""The way back from an upgrade: which migrations need a backup for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adloom.db.migrate import MIGRATIONS
from infra.faasd import migrations
from infra.faasd.errors import MachineFault


def write(folder: Path, revision: str, below: str | None, more: str = "") -> None:
    (folder / "versions").mkdir(exist_ok=True)
    text = f'revision = "{revision}"\ndown_revision = {below!r}\n{more}\n\ndef upgrade():\n    pass\n'
    (folder / "versions" / f"{revision}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "0001", None)
    write(tmp_path, "0002", "0001", "destructive = True")
    write(tmp_path, "0003", "0002", "destructive = False")
    return tmp_path


def test_what_lies_between_two_is_told_oldest_first(folder: Path) -> None:
    assert migrations.head(folder) == "0003"
    assert migrations.between(folder, None, "0003") == ["0001", "0002", "0003"]
    assert migrations.between(folder, "0001", "0003") == ["0002", "0003"]
    assert migrations.between(folder, "0003", "0003") == []


def test_only_a_marked_migration_is_destructive(folder: Path) -> None:
    assert migrations.destructive(folder, ["0001", "0002", "0003"]) == ["0002"]
    assert migrations.destructive(folder, ["0003"]) == []


def test_a_database_of_a_newer_release_is_refused(folder: Path) -> None:
    with pytest.raises(MachineFault, match="does not know the migration 0009"):
        migrations.between(folder, "0009", "0003")


def test_no_migration_so_far_takes_away_what_the_release_before_it_needs() -> None:
    every = migrations.between(MIGRATIONS, None, migrations.head(MIGRATIONS))
    assert len(every) >= 9
    assert migrations.destructive(MIGRATIONS, every) == []
