"""What lies between two migrations, and whether the way back needs a backup.

A migration that takes something away that the release before it reads or writes says so with a line
`destructive = True`. After any other one the release before it still runs on the newer database.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory

from infra.faasd.errors import MachineFault


def _scripts(folder: Path) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)


def head(folder: Path) -> str:
    return str(_scripts(folder).get_current_head())


def between(folder: Path, older: str | None, newer: str) -> list[str]:
    """The migrations after the older one up to the newer one, oldest first; None is an empty database."""
    scripts = _scripts(folder)
    known = {script.revision for script in scripts.walk_revisions()}
    if unknown := {older, newer} - known - {None}:
        raise MachineFault(f"{folder} does not know the migration {', '.join(sorted(map(str, unknown)))}.")
    return [script.revision for script in scripts.iterate_revisions(newer, older or "base")][::-1]


def destructive(folder: Path, revisions: list[str]) -> list[str]:
    """Those of the migrations after which the release before cannot run."""
    scripts = _scripts(folder)
    found = [(revision, scripts.get_revision(revision)) for revision in revisions]
    return [revision for revision, script in found if script and getattr(script.module, "destructive", False)]


def current(admin_url: str) -> str | None:
    """The migration that a database is at; None where it has none."""
    with psycopg.connect(admin_url, connect_timeout=10) as connection:
        if connection.execute("select to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None
