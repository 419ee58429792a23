"""Where delivered rows wait, inside the transaction that will compare them with what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, text

from adloom.db import raw
from adloom.errors import PlatformProtocolError, Unavailable
from adloom.metrics.intake import COLUMNS

# Temporary: no WAL, nobody else sees it, and it is empty again when the transaction ends.
_TABLE = """
create temporary table staged_metrics (
    level text not null,
    entity_id text not null,
    day date not null,
    impressions bigint,
    clicks bigint,
    spend numeric,
    conversions numeric,
    conversion_value numeric,
    video_views bigint,
    reach bigint,
    actions jsonb
) on commit delete rows
"""
_COPY = f"copy pg_temp.staged_metrics ({', '.join(COLUMNS)}) from stdin"


def prepare(connection: Connection, table: str = "staged_metrics", definition: str = _TABLE) -> None:
    """Have the temporary table in this connection, empty."""
    if connection.execute(text("select to_regclass(:name)"), {"name": f"pg_temp.{table}"}).scalar_one() is None:
        connection.execute(text(definition))


def copy(connection: Connection, lines: bytes) -> None:
    """Add rows, as COPY text; PlatformProtocolError for what no column can hold."""
    with copying(connection, _COPY) as into:
        into.write(lines)


@contextmanager
def copying(connection: Connection, statement: str) -> Iterator[psycopg.Copy]:
    """A COPY in the transaction; what psycopg raises becomes ours."""
    try:
        with raw(connection).cursor() as cursor, cursor.copy(statement) as into:
            yield into
    except psycopg.DataError as error:
        said = error.diag.message_primary or "it does not fit"
        raise PlatformProtocolError(f"The platform sent what cannot be stored: {said}", platform_code="value") from None
    except psycopg.OperationalError as error:
        raise Unavailable("The database went away; try again", code="database_down", retry_after=5) from error
