"""Fixtures of all tests: a real Postgres with migrations, and people and organisations in it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from adloom.db import Database, migrate
from infra.local.stack import Stack
from tests import servers

# A run of pytest lends its server, and a migrated database to copy, to runs that it starts.
LENT_HOME, LENT_TEMPLATE = "ADLOOM_TEST_HOME", "ADLOOM_TEST_TEMPLATE"


@dataclass(frozen=True)
class Postgres:
    """A database of its own, migrated, on the session's server or on one that was named for the tests."""

    stack: Stack
    name: str
    elsewhere: servers.Server | None = None

    def url(self, process: str) -> str:
        """The URL with which a process (auth, sync-meta, cli, ...) connects."""
        if self.elsewhere:
            return self.elsewhere.url(self.name, f"adloom_{process.replace('-', '_')}")
        return str(self.stack.secret("admin", f"{process}-database-url")).rsplit("/", 1)[0] + f"/{self.name}"

    @property
    def admin_url(self) -> str:
        if self.elsewhere:
            return self.elsewhere.url(self.name)
        return str(self.stack.secret("admin", "admin-database-url")).rsplit("/", 1)[0] + f"/{self.name}"

    def create(self, template: str = "template0") -> None:
        """An empty one, or a copy. Nobody can be at work in template0, as TimescaleDB's workers now and then are in
        template1, and a database at work cannot be copied.
        """
        query = sql.SQL("create database {} template {}").format(sql.Identifier(self.name), sql.Identifier(template))
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(query)

    def drop(self) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(self.name)))

    @property
    def server(self) -> str:
        return make_conninfo(self.admin_url, dbname="postgres")


@pytest.fixture(scope="session")
def postgres_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Postgres server for the whole run, with the login roles and their passwords."""
    if home := os.environ.get(LENT_HOME):
        yield Stack(Path(home))
        return
    with Stack(tmp_path_factory.mktemp("postgres") / "home", parts=["migrate"]) as stack:
        yield stack


@pytest.fixture(scope="session")
def name_database(postgres_stack: Stack) -> Callable[[], Postgres]:
    """`name_database()` is a database, not made yet, on the server under test."""
    elsewhere = servers.named()
    return lambda: Postgres(postgres_stack, f"test_{uuid.uuid4().hex[:12]}", elsewhere)


@pytest.fixture
def empty_database(name_database: Callable[[], Postgres]) -> Iterator[Postgres]:
    """A database without migrations, for one test."""
    database = name_database()
    database.create()
    yield database
    database.drop()


@pytest.fixture(scope="module")
def postgres(name_database: Callable[[], Postgres]) -> Iterator[Postgres]:
    """A migrated database for one test module."""
    database = name_database()
    if template := os.environ.get(LENT_TEMPLATE):
        database.create(template)
    else:
        database.create()
        migrate.upgrade(database.admin_url)
    yield database
    database.drop()


@pytest.fixture
def connect(postgres: Postgres) -> Iterator[Callable[[str], Database]]:
    """`connect("sync-meta")` is the module's database as that process sees it."""
    opened: list[Database] = []

    def as_process(process: str, pool_size: int = 3) -> Database:
        opened.append(Database(postgres.url(process), pool_size=pool_size))
        return opened[-1]

    yield as_process
    for database in opened:
        database.close()


@pytest.fixture
def make_organisation(connect: Callable[[str], Database]) -> Callable[..., uuid.UUID]:
    """`make_organisation("Acme")` is a new organisation's id."""
    auth = connect("auth")

    def make(name: str = "Acme") -> uuid.UUID:
        org_id = uuid.uuid4()
        with auth.tenant(org_id) as connection:
            connection.execute(
                text("insert into organisations (org_id, name) values (:org_id, :name)"),
                {"org_id": org_id, "name": name},
            )
        return org_id

    return make


@pytest.fixture
def make_account(connect: Callable[[str], Database]) -> Callable[..., int]:
    """`make_account(org_id, "1234")` connects an ad account, of Meta if not said, and returns our id of it."""

    def make(
        org_id: uuid.UUID,
        external_id: str,
        currency: str = "EUR",
        timezone: str = "Europe/Berlin",
        platform: str = "meta",
    ) -> int:
        connection_id = uuid.uuid4()
        values = {
            "org_id": org_id,
            "connection_id": connection_id,
            "external_id": external_id,
            "currency": currency,
            "timezone": timezone,
            "platform": platform,
        }
        with connect("oauth-callback").tenant(org_id) as connection:
            connection.execute(
                text(
                    "insert into connections (connection_id, org_id, platform, external_user_id, name)"
                    " values (:connection_id, :org_id, :platform, 'person-' || :external_id, 'A person')"
                ),
                values,
            )
        with connect("sync-meta").tenant(org_id) as connection:
            return int(
                connection.execute(
                    text(
                        "insert into ad_accounts"
                        " (org_id, connection_id, platform, external_id, name, currency, timezone)"
                        " values (:org_id, :connection_id, :platform, :external_id, 'Account ' || :external_id,"
                        " :currency, :timezone) returning account_id"
                    ),
                    values,
                ).scalar_one()
            )

    return make


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).resolve().parents[1]
