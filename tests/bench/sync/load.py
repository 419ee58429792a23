"""COPY and upsert as anyone would write them: no comparison, no proof, no provenance."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from types import TracebackType
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

ORG_ID = UUID(int=17)
BARE = "bare_metrics"
VIEW = "visible_metrics"
_COLUMNS = (
    *("level", "entity_id", "day", "impressions", "clicks", "spend", "conversions", "conversion_value"),
    *("video_views", "reach", "actions"),
)
_KEY = ("account_id", "level", "day", "entity_id")
_CONSTANT = {"account_id": "17::bigint", "org_id": f"'{ORG_ID}'::uuid", "valid_from": "now()", "run_id": "1::bigint"}
_PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_IDS = {"account": "account_id", "campaign": "campaign_id", "adset": "adset_id", "ad": "ad_id"}
_LEVELS = {"adset": "ad_group"}

Row = dict[str, Any]


def make_table(admin_url: str) -> None:
    """A table of the shape of `metrics`, its primary key and storage included, without view and row security."""
    with psycopg.connect(admin_url) as connection:
        connection.execute(f"create table if not exists {BARE} (like metrics including all)".encode())


def empty(admin_url: str, table: str) -> None:
    """Nothing is left in the table, nor in the write-ahead log to be flushed while the next one is measured."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("truncate {}").format(sql.Identifier(table)))
        connection.execute("checkpoint")


def lines(level: str, rows: Iterable[Row]) -> bytes:
    """COPY text of a page."""
    return b"".join([_line(level, row) for row in rows])


def _line(level: str, row: Row) -> bytes:
    actions, values = row.get("actions") or (), row.get("action_values") or ()
    counted = {action["action_type"]: action["value"] for action in actions}
    valued = {action["action_type"]: action["value"] for action in values}
    raw = orjson.dumps({"actions": actions, "action_values": values}).replace(b"\\", b"\\\\")
    head = "\t".join(
        (
            _LEVELS.get(level, level),
            row[_IDS[level]],
            row["date_start"],
            row.get("impressions", "\\N"),
            row.get("clicks", "\\N"),
            row.get("spend", "\\N"),
            next((counted[kind] for kind in _PURCHASES if kind in counted), "\\N"),
            next((valued[kind] for kind in _PURCHASES if kind in valued), "\\N"),
            counted.get("video_view", "\\N"),
            row.get("reach", "\\N"),
        )
    )
    return head.encode() + b"\t" + raw + b"\n"


class Loader:
    """One connection. Each `with loader:` block is a transaction: `copy` into it, upserted at its end."""

    def __init__(self, url: str, target: str, *, staged: bool = True) -> None:
        self._connection = psycopg.connect(url)
        self._staged = staged
        self._connection.execute("select set_config('app.org_id', %s, false)", (str(ORG_ID),))
        self._connection.execute("select set_config('app.account_scope', '*', false)")
        self._connection.execute(_staging().encode())
        self._connection.commit()
        self._upsert = _upsert(target).encode()
        where, columns = ("pg_temp.staged", _COLUMNS) if staged else (target, (*_CONSTANT, *_COLUMNS))
        self._copy = f"copy {where} ({', '.join(columns)}) from stdin".encode()

    def __enter__(self) -> None:
        self._cursor = self._connection.cursor()
        self._copying = self._cursor.copy(self._copy)
        self._into = self._copying.__enter__()

    def copy(self, page: bytes) -> None:
        self._into.write(page)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._copying.__exit__(kind, error, trace)
        if self._staged:
            self._cursor.execute(self._upsert)
        self._cursor.close()
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def with_constants(page: bytes) -> bytes:
    """The same COPY text for a copy that goes straight into the table."""
    constant = f"17\t{ORG_ID}\t2026-04-01T00:00:00Z\t1\t".encode()
    return b"".join([constant + line + b"\n" for line in page.splitlines()])


def _staging() -> str:
    types = {"level": "text", "entity_id": "text", "day": "date", "actions": "jsonb"}
    money = dict.fromkeys(("spend", "conversions", "conversion_value"), "numeric")
    columns = ", ".join(f"{name} {({**types, **money}).get(name, 'bigint')}" for name in _COLUMNS)
    return f"create temporary table staged ({columns}) on commit delete rows"


def _upsert(target: str) -> str:
    updated = [name for name in (*_CONSTANT, *_COLUMNS) if name not in _KEY]
    return (
        f"insert into {target} ({', '.join(_CONSTANT)}, {', '.join(_COLUMNS)})"
        f" select {', '.join(_CONSTANT.values())}, {', '.join(_COLUMNS)} from pg_temp.staged"
        f" on conflict ({', '.join(_KEY)}) do update set"
        f" {', '.join(f'{name} = excluded.{name}' for name in updated)}"
    )


def count(admin_url: str, table: str) -> int:
    with closing(psycopg.connect(admin_url)) as connection:
        found = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    return int(found[0]) if found else 0
