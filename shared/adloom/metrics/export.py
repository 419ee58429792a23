"""Exports stored metrics in the columns of the facts format, exact to the last digit."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import IO

from sqlalchemy import Connection

from adloom.metrics import provenance
from adloom.metrics.provenance import Source
from adloom.metrics.query import Filters, Level, Period, Query, Row, stream
from adloom.platforms import smaller

_BATCH = 5000

COLUMNS = (
    *("platform", "account_id", "currency", "timezone"),
    *("campaign_id", "campaign_name", "adgroup_id", "adgroup_name", "ad_id", "ad_name", "date"),
    *("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views", "reach"),
)

# Whether the day may still move.
PROVISIONAL = ("provisional",)
# The run that wrote the row, and how it asked: time zone, currency and attribution are the account's of then.
PROVENANCE = (
    *("run_id", "api_version", "fetched_at", "read_timezone", "read_currency", "attribution", "query"),
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which rows, and what is told of them besides the columns of the facts format.

    `as_of` shows what stood at the end of that UTC day; `currency` converts spend and conversion value, where there
    are rates, at the day's own.
    """

    level: Level
    period: Period
    accounts: tuple[int, ...] = ()
    as_of: date | None = None
    currency: str | None = None
    provisional: bool = False
    provenance: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return (*COLUMNS, *(PROVISIONAL if self.provisional else ()), *(PROVENANCE if self.provenance else ()))

    @property
    def query(self) -> Query:
        filters = Filters(account_ids=self.accounts)
        return Query(
            self.level,
            self.period,
            ("day", "entity"),
            filters,
            as_of=self.as_of,
            currency=self.currency,
            provenance=self.provenance,
        )


def rows(
    connection: Connection, level: Level, period: Period, *, accounts: tuple[int, ...] = (), as_of: date | None = None
) -> Iterator[dict[str, str]]:
    """The rows of `read` in the columns of the facts format alone."""
    return read(connection, Wanted(level, period, accounts, as_of))


def read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, str]]:
    """One dictionary of texts per entity and local day; an empty text is what the platform does not say or level lacks.

    Ordered by day, account and entity, so that equal data gives equal bytes.
    """
    runs: dict[int, Source] = {}
    for batch in smaller.chunks(stream(connection, wanted.query), _BATCH):
        if wanted.provenance:
            new = {row.run_id for row in batch if row.run_id is not None} - runs.keys()
            runs |= provenance.sources(connection, wanted.level, new) if new else {}
        for row in batch:
            cells = _cells(wanted.level, row)
            if wanted.provisional:
                cells["provisional"] = "true" if row.is_provisional else "false"
            if wanted.provenance:
                cells |= _source(runs.get(row.run_id or 0))
            yield cells


def _source(source: Source | None) -> dict[str, str]:
    if source is None:
        return dict.fromkeys(PROVENANCE, "")
    return {
        "run_id": str(source.run_id),
        "api_version": source.api_version,
        "fetched_at": source.fetched_at.astimezone(UTC).isoformat() if source.fetched_at else "",
        "read_timezone": source.timezone,
        "read_currency": source.currency,
        "attribution": source.attribution or "",
        "query": json.dumps(source.query, ensure_ascii=False, sort_keys=True),
    }


def write_csv(found: Iterator[dict[str, str]], target: IO[str], columns: tuple[str, ...] = COLUMNS) -> int:
    """Write the rows with a header; returns how many there were."""
    writer = csv.DictWriter(target, columns, lineterminator="\n")
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
