"""Bring a database to a migration, and give the login roles their passwords."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, create_engine, text

from adloom.db import timescale
from adloom.db.engine import CONNECT_TIMEOUT_S, raw
from adloom.errors import ConfigurationError, Unavailable

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
LOGIN_ROLES = (
    "adloom_auth",
    "adloom_oauth_callback",
    "adloom_sync_google",
    "adloom_sync_meta",
    "adloom_sync_tiktok",
    "adloom_dashboard",
    "adloom_connector",
    "adloom_cli",
    "adloom_backup",
)
_LOCK_KEY = 0x6164_6C6F_6F6D  # "adloom"
_LOCK_WAIT_S = 120.0
_POLL_S = 0.25
_CREATE_TIMEOUT_S = 10


def upgrade(admin_url: str, revision: str = "head", *, folder: Path = MIGRATIONS) -> None:
    """Run the migrations up to a revision; a no-op where the database is there already.

    A new database takes what the server has of TimescaleDB.
    """
    with _migrating(admin_url, folder) as config:
        command.upgrade(config, revision)
        timescale.settle(config.attributes["connection"])


def move_to_timescale(admin_url: str) -> list[str]:
    """Put a database and its rows on what the server has of TimescaleDB; sentences on what was found and done."""
    with _migrating(admin_url, MIGRATIONS) as config:
        connection: Connection = config.attributes["connection"]
        said = timescale.move(connection)
    with _connect(admin_url) as connection:
        said += timescale.catch_up(connection)
    return said


def downgrade(admin_url: str, revision: str = "base", *, folder: Path = MIGRATIONS) -> None:
    """Run the migrations down to a revision. Data of what is taken down is gone."""
    with _migrating(admin_url, folder) as config:
        command.downgrade(config, revision)


def set_passwords(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Give login roles a password (role name -> password) and the right to log in."""
    if unknown := sorted(set(passwords) - set(LOGIN_ROLES)):
        raise ConfigurationError(f"There is no such login role: {', '.join(unknown)}")
    with _connect(admin_url) as connection, connection.begin():
        driver = raw(connection)
        for role, password in passwords.items():
            driver.execute(
                sql.SQL("alter role {} with login password {}").format(sql.Identifier(role), sql.Literal(password))
            )


def role_passwords(folder: Path) -> dict[str, str]:
    """Role -> password, read from the files `<process>-database-url` of a secrets folder."""
    files = [path for path in folder.glob("*-database-url") if path.name != "admin-database-url"]
    parsed = [conninfo_to_dict(path.read_text(encoding="utf-8").strip()) for path in files]
    return {str(one["user"]): str(one["password"]) for one in parsed}


def create_database(admin_url: str) -> None:
    """Make the database that the URL names, unless it is there."""
    name = str(conninfo_to_dict(admin_url)["dbname"])
    with _server(admin_url) as connection:
        if not _has_database(connection, name):
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def database_exists(admin_url: str) -> bool:
    """Whether the server has the database that the URL names."""
    with _server(admin_url) as connection:
        return _has_database(connection, str(conninfo_to_dict(admin_url)["dbname"]))


def _server(admin_url: str) -> psycopg.Connection[Any]:
    server = make_conninfo(admin_url, dbname="postgres", connect_timeout=_CREATE_TIMEOUT_S)
    return psycopg.connect(server, autocommit=True)


def _has_database(connection: psycopg.Connection[Any], name: str) -> bool:
    return connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None


def revisions(folder: Path = MIGRATIONS) -> list[str]:
    """Every migration there is, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@contextmanager
def no_migration(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Keep migrations from running for the length of the block; waits for one that does. `connection` autocommits.

    When an exception leaves the block, the lock goes with the connection.
    """
    deadline = time.monotonic() + _LOCK_WAIT_S
    while connection.execute("select pg_try_advisory_lock_shared(%s)", (_LOCK_KEY,)).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise Unavailable("A migration has been running for two minutes; try again when it is done")
        time.sleep(_POLL_S)
    yield
    connection.execute("select pg_advisory_unlock_shared(%s)", (_LOCK_KEY,))


@contextmanager
def _migrating(admin_url: str, folder: Path) -> Iterator[Config]:
    with _connect(admin_url) as connection:
        _wait_for_lock(connection)
        try:
            config = Config()
            config.set_main_option("script_location", str(folder))
            config.attributes["connection"] = connection
            yield config
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})
            connection.commit()


def _wait_for_lock(connection: Connection) -> None:
    """Poll for the lock: a blocking wait would hold a snapshot, on which CREATE INDEX CONCURRENTLY waits in turn."""
    deadline = time.monotonic() + _LOCK_WAIT_S
    while not connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}).scalar_one():
        connection.commit()
        if time.monotonic() > deadline:
            raise Unavailable("Another migration has been running for two minutes; try again when it is done")
        time.sleep(_POLL_S)
    connection.commit()


@contextmanager
def _connect(admin_url: str) -> Iterator[Connection]:
    engine = create_engine(
        admin_url.replace("postgresql://", "postgresql+psycopg://", 1),
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "adloom-migrate"},
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
