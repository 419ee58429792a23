"""What the server under test offers of TimescaleDB, and metrics in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine

from adloom.db import timescale
from tests.conftest import Postgres

PLAIN, APACHE, COMMUNITY = "plain", "apache", "timescale"


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def offered(database: Postgres) -> timescale.Server:
    with connected(database.admin_url) as connection:
        return timescale.look(connection)


def edition(database: Postgres) -> str:
    """What a migrated database stands on."""
    with psycopg.connect(database.admin_url) as connection:
        if connection.execute("select from pg_extension where extname = 'timescaledb'").fetchone() is None:
            return PLAIN
        return str(value(connection, "select current_setting('timescaledb.license')"))


def need(database: Postgres, *editions: str) -> None:
    """Skip the test on a server that offers something else."""
    if (found := edition(database)) not in editions:
        pytest.skip(f"this server's edition is {found}; the test is about {' and '.join(editions)}")


def value(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    found = connection.execute(query.encode(), values).fetchone()
    assert found is not None
    return found[0]


def deliver(
    connection: psycopg.Connection[Any], org: uuid.UUID, account: int, since: str, until: str, entities: int = 3
) -> None:
    """A row per entity and day at the level of ads, as the superuser."""
    connection.execute(
        "insert into metrics (account_id, org_id, level, entity_id, day, impressions, clicks, spend, reach, valid_from,"
        " run_id) select %s, %s, 'ad', 'ad' || e, d::date, 100, e, e * 1.01, 7, now(), 1"
        " from generate_series(1, %s) e, generate_series(%s::date, %s::date, '1 day') d",
        (account, org, entities, since, until),
    )


def tend(database: Postgres, **config: str) -> None:
    """The job of the Community edition, now."""
    settings = ", ".join(f'"{name}": "{setting}"' for name, setting in ({"quiet": "0 seconds"} | config).items())
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(f"call tend_metrics(0, '{{{settings}}}')".encode())
