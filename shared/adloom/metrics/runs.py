"""The record of a run: the source of every number that names it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from adloom.errors import AdloomError
from adloom.metrics.accounts import Synced
from adloom.metrics.store import Changes
from adloom.platforms.model import Days, Reader


@dataclass(frozen=True)
class Fetched:
    """How a fetch went. Times are real but for `business_at`; `requests` counts calls, retries included."""

    started_at: datetime
    business_at: datetime
    finished_at: datetime
    requests: int
    rows: int


_BEGIN = """
insert into sync_runs
    (org_id, account_id, kind, since, until, api_version, query, attribution, timezone, currency, started_at,
     fetched_at, business_at, requests, rows_read, outcome)
values (:org_id, :account_id, :kind, :since, :until, :api_version, cast(:query as jsonb), :attribution, :timezone,
        :currency, :started_at, :fetched_at, :business_at, :requests, :rows, 'succeeded')
returning run_id
"""
_END = """
update sync_runs set finished_at = clock_timestamp(), rows_inserted = :inserted, rows_updated = :updated,
       rows_deleted = :deleted
 where run_id = :run_id
"""
_FAILED = """
insert into sync_runs
    (org_id, account_id, kind, since, until, api_version, query, attribution, timezone, currency, started_at,
     business_at, finished_at, outcome, error_code, error_detail)
values (:org_id, :account_id, :kind, :since, :until, :api_version, '{}', :attribution, :timezone, :currency,
        :started_at, :business_at, clock_timestamp(), 'failed', :code, :detail)
"""
Kind = Literal["entities", "metrics"]


def begin(
    connection: Connection,
    synced: Synced,
    reader: Reader,
    *,
    kind: Kind,
    fetched: Fetched,
    query: dict[str, object],
    days: Days | None = None,
) -> int:
    """Write the record of a fetch that succeeded; its id, which the rows will carry."""
    run_id = connection.execute(
        text(_BEGIN),
        {
            **_of(synced, reader, kind, days),
            "query": json.dumps(query),
            "started_at": fetched.started_at,
            "fetched_at": fetched.finished_at,
            "business_at": fetched.business_at,
            "requests": fetched.requests,
            "rows": fetched.rows,
        },
    ).scalar_one()
    return int(run_id)


def end(connection: Connection, run_id: int, changes: Changes) -> None:
    """Add what the run touched."""
    connection.execute(
        text(_END),
        {
            "run_id": run_id,
            "inserted": changes.inserted,
            "updated": changes.updated,
            "deleted": changes.deleted,
        },
    )


def failed(
    connection: Connection,
    synced: Synced,
    reader: Reader,
    *,
    kind: Kind,
    started_at: datetime,
    business_at: datetime,
    error: AdloomError,
    days: Days | None = None,
) -> None:
    """Write the record of a run that stored nothing."""
    connection.execute(
        text(_FAILED),
        {
            **_of(synced, reader, kind, days),
            "started_at": started_at,
            "business_at": business_at,
            "code": error.code,
            "detail": error.detail[:1000],
        },
    )


def _of(synced: Synced, reader: Reader, kind: Kind, days: Days | None) -> dict[str, object]:
    return {
        "org_id": synced.org_id,
        "account_id": synced.account_id,
        "kind": kind,
        "since": days.since if days else None,
        "until": days.until if days else None,
        "api_version": reader.api_version,
        "attribution": reader.attribution(synced.account) if kind == "metrics" else None,
        "timezone": synced.account.timezone,
        "currency": synced.account.currency,
    }
