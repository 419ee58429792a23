"""The runtime takes the programs of the PostgreSQL that it is told, and says so when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import postgres
from infra.local.errors import RuntimeFault
from infra.local.home import Home


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the programs of a server of version 17."""
    folder = tmp_path / "usr" / "lib" / "postgresql" / "17" / "bin"
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 17.11'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv(postgres.PROGRAMS, str(folder))
    return folder


def test_programs_are_taken_from_the_folder_that_is_named(programs):
    assert postgres.binary("postgres") == str(programs / "postgres")


def test_a_folder_without_the_program_is_refused_with_its_name(programs):
    with pytest.raises(RuntimeFault, match="where there is no program pg_dump"):
        postgres.binary("pg_dump")


def test_without_a_folder_the_programs_are_those_that_come_along(monkeypatch):
    monkeypatch.setenv(postgres.PROGRAMS, "")
    assert "pginstall" in postgres.binary("postgres")
    assert not postgres.has_timescale()


def test_timescaledb_is_loaded_where_its_library_lies(programs, tmp_path):
    cluster = postgres.Cluster(Home(tmp_path), 5432, "secret")
    assert "shared_preload_libraries=timescaledb" not in cluster.parts({})[1].command
    (programs.parent / "lib").mkdir()
    (programs.parent / "lib" / "timescaledb.so").touch()
    command = cluster.parts({})[1].command
    assert "shared_preload_libraries=timescaledb" in command
    assert "timescaledb.telemetry_level=off" in command


def test_data_of_another_version_are_refused_with_what_to_do(programs, tmp_path):
    cluster = postgres.Cluster(Home(tmp_path), 5432, "secret")
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("18\n")
    before = cluster.parts({})[1].before
    assert before is not None
    with pytest.raises(RuntimeFault, match="are of PostgreSQL 18"):
        before()
    (cluster.data / "PG_VERSION").write_text("17\n")
    before()
