from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adloom.backup import files
from adloom.errors import ConfigurationError, Conflict

NAME = files.name_for(datetime(2026, 5, 2, 3, 15, tzinfo=UTC))


def test_a_file_gets_its_name_when_it_is_whole(tmp_path):
    folder = tmp_path / "new" / "folder"
    with files.new_file(folder, NAME) as file:
        file.write(b"whole")
        assert files.complete(folder) == []
    assert files.complete(folder) == [folder / NAME]
    assert (folder / NAME).read_bytes() == b"whole"
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_two_of_one_second_have_names_of_their_own_in_their_order(tmp_path):
    """Releases that came before named a backup to the second: those are still found, and sort before."""
    begun = datetime(2026, 5, 2, 3, 15, tzinfo=UTC)
    names = ["adloom-20260502T031459Z.tar.gz.age", *(files.name_for(begun.replace(microsecond=at)) for at in (0, 1))]
    for name in reversed(names):
        (tmp_path / name).touch()
    assert [path.name for path in files.complete(tmp_path)] == names


def fail(folder):
    with files.new_file(folder, NAME) as file:
        file.write(b"half")
        raise KeyError("anything")


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyError):
        fail(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_never_overwritten(tmp_path):
    (tmp_path / NAME).write_bytes(b"first")
    with pytest.raises(Conflict, match="try again"), files.new_file(tmp_path, NAME) as file:
        file.write(b"second")
    assert (tmp_path / NAME).read_bytes() == b"first"


def test_what_a_killed_run_left_is_cleared_away_and_what_one_writes_now_is_not(tmp_path):
    left = tmp_path / f".{NAME}.1.partial"
    left.write_bytes(b"half")
    with files.new_file(tmp_path, NAME) as file:
        assert not left.exists()
        with files.new_file(tmp_path, NAME.replace("0315", "0316")):
            file.write(b"on")
    assert len(files.complete(tmp_path)) == 2


def test_only_old_backups_are_pruned(tmp_path):
    names = [f"adloom-2026050{day}T031500Z.tar.gz.age" for day in (3, 1, 2)]
    others = [".adloom-x.partial", "adloom-20260501T031500Z.tar.gz.age.old", "adloom.tar.gz.age", "notes"]
    for name in [*names, *others]:
        (tmp_path / name).touch()
    (tmp_path / "adloom-20260401T031500Z.tar.gz.age").mkdir()
    assert files.prune(tmp_path, 2) == [tmp_path / names[1]]
    assert {path.name for path in files.complete(tmp_path)} == {names[0], names[2]}
    assert all((tmp_path / name).exists() for name in others)


def test_a_folder_that_cannot_be_one_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"), files.new_file(tmp_path / "file" / "x", NAME):
        pass
