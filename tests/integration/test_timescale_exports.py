"""Exports are the same bytes, whatever the metrics stand on."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from adloom.db import Database, migrate
from adloom.metrics import export, planning
from adloom.metrics.query import LEVELS, Filters, Period, Query, run
from infra.local.postgres import PROGRAMS
from infra.local.stack import Stack
from tests.conftest import Postgres
from tests.facts import write_folder
from tests.integration.sync_rig import Rig, rig_on
from tests.integration.timescale_rig import COMMUNITY, PLAIN, edition, tend

LAST = date(2026, 3, 3)
NOON = f"{LAST.isoformat()}T12:00:00+00:00"
DAYS = 70


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Postgres]:
    """A database on the plain PostgreSQL that the runtime brings along."""
    with Stack(tmp_path / "plain", parts=["migrate"], settings={PROGRAMS: ""}) as stack:
        database = Postgres(stack, f"test_{uuid.uuid4().hex[:12]}")
        database.create()
        migrate.upgrade(database.admin_url)
        yield database


def exported(rig: Rig) -> dict[str, bytes]:
    """Every level as CSV and JSON, then sums of the whole period and of the one before it."""
    whole = Period(date(2025, 1, 1), LAST)
    files: dict[str, bytes] = {}
    with_cli = Database(rig.postgres.url("cli"), pool_size=1)
    with with_cli.tenant(rig.org_id) as connection:
        for level in LEVELS:
            for kind, write in (("csv", export.write_csv), ("json", export.write_json)):
                target = io.StringIO()
                assert write(export.rows(connection, level, whole), target) > 0
                files[f"{level}.{kind}"] = target.getvalue().encode()
            rows = run(connection, Query(level, whole, ("entity",), Filters(), comparison=whole.before())).rows
            files[f"{level} sums"] = "\n".join(f"{row.entity_id} {row.currency} {row.current}" for row in rows).encode()
    with_cli.close()
    return files


def synced(database: Postgres, folder: Path, home: Path, between: Callable[[], None]) -> dict[str, bytes]:
    """Exports after a sync, and after the same days were read once more."""
    home.mkdir()
    with rig_on(database, folder, home, NOON) as rig:
        rig.settle()
        between()
        planning.request(rig.sync, org_id=rig.org_id, account_scope="*", since=date(2026, 2, 1), until=None)
        rig.settle()
        return exported(rig)


def test_exports_from_plain_tables_and_from_timescaledb_are_the_same_bytes(
    postgres: Postgres, plain: Postgres, tmp_path: Path
) -> None:
    if (found := edition(postgres)) == PLAIN:
        pytest.skip(f"this server's edition is {found}: there is nothing else to compare with")
    folder = write_folder(tmp_path / "facts", 11, accounts=3, days=DAYS, ads=12, last=LAST)
    assert edition(plain) == PLAIN
    refresh = (lambda: tend(postgres, compress_after="10 days")) if found == COMMUNITY else (lambda: None)
    ours = synced(plain, folder, tmp_path / "a", lambda: None)
    theirs = synced(postgres, folder, tmp_path / "b", refresh)
    assert ours.keys() == theirs.keys()
    for name, content in ours.items():
        assert theirs[name] == content, name
