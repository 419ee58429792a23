"""Exports stored metrics in the columns of the facts format, exact to the last digit."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import IO

from sqlalchemy import Connection

from adloom.metrics.query import Filters, Level, Period, Query, Row, stream

COLUMNS = (
    *("platform", "account_id", "currency", "timezone"),
    *("campaign_id", "campaign_name", "adgroup_id", "adgroup_name", "ad_id", "ad_name", "date"),
    *("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views", "reach"),
)


def rows(
    connection: Connection, level: Level, period: Period, *, accounts: tuple[int, ...] = (), as_of: date | None = None
) -> Iterator[dict[str, str]]:
    """One dictionary of texts per entity and local day; an empty text is what the platform does not say or level lacks.

    Ordered by day, account and entity, so that equal data gives equal bytes.
    """
    query = Query(level, period, ("day", "entity"), Filters(account_ids=accounts), as_of=as_of)
    for row in stream(connection, query):
        yield _cells(level, row)


def write_csv(found: Iterator[dict[str, str]], target: IO[str]) -> int:
    """Write the rows with a header; returns how many there were."""
    writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
    writer.writeheader()
    count = 0
    for count, row in enumerate(found, start=1):  # noqa: B007 - the count is wanted
        writer.writerow(row)
    return count


def write_json(found: Iterator[dict[str, str]], target: IO[str]) -> int:
    """Write a JSON list of objects, numbers as decimal texts; returns how many there were."""
    count = 0
    target.write("[")
    for count, row in enumerate(found, start=1):
        target.write(("" if count == 1 else ",") + "\n" + json.dumps(row, ensure_ascii=False))
    target.write("\n]\n")
    return count


def _cells(level: Level, row: Row) -> dict[str, str]:
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {
        "platform": row.platform or "",
        "account_id": row.account_external_id or "",
        "currency": row.currency,
        "timezone": row.timezone or "",
        "date": row.day.isoformat() if row.day else "",
    }
    cells |= _names(level, row)
    measures = row.current
    cells |= {
        "impressions": str(measures.impressions),
        "clicks": str(measures.clicks),
        "spend": _exact(measures.spend),
        "conversions": _exact(measures.conversions),
        "conversion_value": _exact(measures.conversion_value),
        "video_views": "" if measures.video_views is None else str(measures.video_views),
        "reach": "" if measures.reach is None else str(measures.reach),
    }
    return cells


def _names(level: Level, row: Row) -> dict[str, str]:
    own = (row.entity_id or "", row.entity_name or "")
    parent = (row.parent_id or "", row.parent_name or "")
    grandparent = (row.grandparent_id or "", row.grandparent_name or "")
    path = {
        "account": (),
        "campaign": (own,),
        "ad_group": (parent, own),
        "ad": (grandparent, parent, own),
    }[level]
    cells: dict[str, str] = {}
    for prefix, (identity, name) in zip(("campaign", "adgroup", "ad"), path, strict=False):
        cells |= {f"{prefix}_id": identity, f"{prefix}_name": name}
    return cells


def _exact(value: Decimal) -> str:
    return format(value, "f")
