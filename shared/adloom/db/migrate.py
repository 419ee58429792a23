"""Bring a database to a migration, and give the login roles their passwords."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, create_engine, text

from adloom.db.engine import CONNECT_TIMEOUT_S, raw
from adloom.errors import ConfigurationError, Unavailable

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
LOGIN_ROLES = (
    "adloom_auth",
    "adloom_oauth_callback",
    "adloom_sync_meta",
    "adloom_dashboard",
    "adloom_connector",
    "adloom_cli",
    "adloom_backup",
)
_LOCK_KEY = 0x6164_6C6F_6F6D  # "adloom"
_LOCK_WAIT_S = 120.0
_POLL_S = 0.25


def upgrade(admin_url: str, revision: str = "head", *, folder: Path = MIGRATIONS) -> None:
    """Run the migrations up to a revision; a no-op where the database is there already."""
    with _migrating(admin_url, folder) as config:
        command.upgrade(config, revision)


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
