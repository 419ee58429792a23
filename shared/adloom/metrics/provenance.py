"""Where a number comes from: the run that wrote it, how the platform was asked, and what stood before it.

Inside a tenant transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from adloom import clock
from adloom.errors import NotFound
from adloom.metrics import settling
from adloom.platforms.model import Level

MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views", "reach")


@dataclass(frozen=True)
class Source:
    """A run. `query` is how the level's rows were asked for; `fetched_at` real time, `business_at` business time.

    `timezone`, `currency` and `attribution` are the account's at that time, by which its days and amounts are meant.
    """

    run_id: int
    api_version: str
    query: Any
    since: date | None
    until: date | None
    fetched_at: datetime | None
    business_at: datetime
    timezone: str
    currency: str
    attribution: str | None


@dataclass(frozen=True)
class Version:
    """What a row said from `valid_from` until `valid_to`, business time; None: it says so still."""

    numbers: dict[str, Decimal | int | None]
    valid_from: datetime
    valid_to: datetime | None
    source: Source


@dataclass(frozen=True)
class Checked:
    """How the level of that day compares with the platform's own total of the account."""

    state: str
    explanation: str | None
    checked_at: datetime
    run_id: int


@dataclass(frozen=True)
class Explained:
    """One row: an entity on a local day. `versions` latest first; none of them is present where the row went away."""

    platform: str
    account: str
    account_name: str
    level: Level
    entity_id: str
    name: str | None
    day: date
    is_provisional: bool
    versions: list[Version]
    checked: Checked | None


_SOURCES = """
select run_id, api_version, coalesce(query -> cast(:level as text), query) as query, since, until, fetched_at,
       business_at, timezone, currency, attribution
  from sync_runs where run_id = any (:runs)
"""


def sources(connection: Connection, level: Level, run_ids: Collection[int]) -> dict[int, Source]:
    """The runs of these numbers, as far as they are in scope."""
    found = connection.execute(text(_SOURCES), {"level": level, "runs": list(run_ids)}).mappings()
    return {row["run_id"]: Source(**row) for row in found}


_VERSIONS = f"""
select {", ".join(MEASURES)}, valid_from, null::timestamptz as valid_to, run_id
  from visible_metrics
 where account_id = :account_id and level = :level and entity_id = :entity_id and day = :day
union all
select {", ".join(MEASURES)}, valid_from, valid_to, run_id
  from restatements
 where account_id = :account_id and level = :level and entity_id = :entity_id and day = :day
 order by valid_from desc
"""
_ACCOUNT = f"""
select a.platform, a.external_id, a.name, a.timezone, a.lookback_days,
       :day >= {settling.sql("a")} as is_provisional, e.name as entity_name
  from ad_accounts a
  left join entities e on e.account_id = a.account_id and e.level = :level and e.external_id = :entity_id
 where a.account_id = :account_id
"""
_CHECKED = """
select state, explanation, checked_at, run_id from reconciliations
 where account_id = :account_id and level = :level and day = :day
"""


def explain(connection: Connection, account_id: int, level: Level, entity_id: str, day: date) -> Explained:
    """All that is known of a number's origin; NotFound where nothing was ever stored of it."""
    values = {
        "account_id": account_id,
        "level": level,
        "entity_id": entity_id,
        "day": day,
        "moment": clock.now(),
    }
    account = connection.execute(text(_ACCOUNT), values).mappings().one_or_none()
    rows = connection.execute(text(_VERSIONS), values).mappings().all()
    if account is None or not rows:
        raise NotFound(f"Nothing was ever stored of the {level.replace('_', ' ')} {entity_id} on {day}")
    known = sources(connection, level, {row["run_id"] for row in rows})
    checked = connection.execute(text(_CHECKED), values).mappings().one_or_none()
    return Explained(
        platform=account["platform"],
        account=account["external_id"],
        account_name=account["name"],
        level=level,
        entity_id=entity_id,
        name=account["entity_name"],
        day=day,
        is_provisional=account["is_provisional"],
        versions=[_version(row, known[row["run_id"]]) for row in rows if row["run_id"] in known],
        checked=Checked(**checked) if checked else None,
    )


def _version(row: Any, source: Source) -> Version:
    numbers = {measure: row[measure] for measure in MEASURES}
    return Version(numbers, row["valid_from"], row["valid_to"], source)
