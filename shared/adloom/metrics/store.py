"""Makes (account, level, day) equal to what the platform delivered, touching only the rows that differ.

Everything runs inside the window's transaction, through the barrier view. What stood at the end of a UTC day of the
business clock and is replaced or deleted now goes to `restatements`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.errors import AdloomError
from adloom.metrics.intake import Branches
from adloom.metrics.sums import Sums
from adloom.platforms.model import LEVELS, Days, Level

_MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views", "reach")
_LIST = ", ".join(_MEASURES)


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{measure}" for measure in _MEASURES)


# The levels are named one by one so that the primary key's index is used.
_WINDOW = (
    "m.account_id = :account_id and m.level in ('account', 'campaign', 'ad_group', 'ad')"
    " and m.day between :since and :until"
)
_SAME = "s.level = m.level and s.day = m.day and s.entity_id = m.entity_id"
_RESTATED = f"({_of('m')}) is distinct from ({_of('s')})"

_IS_EMPTY = f"select not exists (select from visible_metrics m where {_WINDOW})"
_FILL = f"""
insert into visible_metrics
    (account_id, org_id, level, entity_id, day, {_LIST}, actions, valid_from, run_id)
select :account_id, :org_id, level, entity_id, day, {_LIST}, actions, :now, :run_id
  from pg_temp.staged_metrics
"""
# A sandbox's clock that was set back may come to the same instant again: what was written first stays.
_KEEP_VERSIONS = f"""
insert into restatements
    (account_id, org_id, level, entity_id, day, {_LIST}, valid_from, valid_to, run_id, replaced_by_run_id)
select m.account_id, m.org_id, m.level, m.entity_id, m.day, {_of("m")}, m.valid_from, :now, m.run_id, :run_id
  from visible_metrics m left join pg_temp.staged_metrics s on {_SAME}
 where {_WINDOW} and m.valid_from < :midnight and (s.entity_id is null or {_RESTATED})
on conflict do nothing
"""
_DELETE = f"""
delete from visible_metrics m
 where {_WINDOW} and not exists (select from pg_temp.staged_metrics s where {_SAME})
"""
# A row of which only the raw actions moved says the same numbers since the same time.
_CHANGED = f"({_RESTATED} or m.actions is distinct from s.actions)"
# Not MERGE, which TimescaleDB refuses where rows are compressed.
_UPDATE = f"""
update visible_metrics m
   set {", ".join(f"{measure} = s.{measure}" for measure in _MEASURES)}, actions = s.actions,
       valid_from = case when {_RESTATED} then :now else m.valid_from end, run_id = :run_id
  from pg_temp.staged_metrics s
 where {_WINDOW} and {_SAME} and {_CHANGED}
"""
_INSERT = f"""
insert into visible_metrics
    (account_id, org_id, level, entity_id, day, {_LIST}, actions, valid_from, run_id)
select :account_id, :org_id, s.level, s.entity_id, s.day, {_of("s")}, s.actions, :now, :run_id
  from pg_temp.staged_metrics s
 where not exists (select from visible_metrics m where {_WINDOW} and {_SAME})
"""
# Statements that would find nothing are not run: they would unpack compressed rows to see that.
_COMPARE = f"""
select count(*) filter (where s.entity_id is null) as gone,
       count(*) filter (where m.entity_id is null) as missing,
       count(*) filter (where s.entity_id is not null and m.entity_id is not null and {_CHANGED}) as changed
  from (select * from visible_metrics m where {_WINDOW}) m full join pg_temp.staged_metrics s on {_SAME}
"""
_STORED = f"""
select m.level, m.day, count(*) as row_count, sum(m.impressions) as impressions, sum(m.clicks) as clicks,
       sum(m.spend) as spend, sum(m.conversions) as conversions, sum(m.conversion_value) as conversion_value
  from visible_metrics m where {_WINDOW} group by m.level, m.day
"""


@dataclass(frozen=True)
class Changes:
    """Rows of facts that a window touched."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    restated: int = 0

    @property
    def total(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class Target:
    """Which rows, and the run and business time that they will carry."""

    org_id: UUID
    account_id: int
    days: Days
    run_id: int
    now: datetime

    @property
    def values(self) -> dict[str, Any]:
        return {
            "org_id": self.org_id,
            "account_id": self.account_id,
            "since": self.days.since,
            "until": self.days.until,
            "run_id": self.run_id,
            "now": self.now,
            "midnight": datetime.combine(self.now.astimezone(UTC).date(), time(), UTC),
        }


class StoredDiffersError(AdloomError):
    """What is in the table is not what was delivered. A mistake of ours: the transaction must not be committed."""

    code = "stored_differs"
    title = "What was stored is not what the platform delivered"


def replace(connection: Connection, target: Target) -> Changes:
    """Make the window's rows equal to the staged ones."""
    values = target.values
    if connection.execute(text(_IS_EMPTY), values).scalar_one():
        return Changes(inserted=connection.execute(text(_FILL), values).rowcount)
    found = connection.execute(text(_COMPARE), values).one()

    def where(count: int, statement: str) -> int:
        return connection.execute(text(statement), values).rowcount if count else 0

    restated = where(found.gone + found.changed, _KEEP_VERSIONS)
    deleted = where(found.gone, _DELETE)
    updated = where(found.changed, _UPDATE)
    return Changes(where(found.missing, _INSERT), updated, deleted, restated)


def stored_sums(connection: Connection, account_id: int, days: Days) -> dict[tuple[Level, date], Sums]:
    """What the table holds, added up per level and local day."""
    values = {"account_id": account_id, "since": days.since, "until": days.until}
    zero = Decimal(0)
    return {
        (row.level, row.day): Sums(
            row.row_count,
            int(row.impressions or 0),
            int(row.clicks or 0),
            row.spend or zero,
            row.conversions or zero,
            row.conversion_value or zero,
        )
        for row in connection.execute(text(_STORED), values)
    }


def prove(connection: Connection, target: Target, delivered: dict[Level, Branches]) -> None:
    """Raise StoredDiffersError unless the table now holds exactly what was delivered."""
    expected: dict[tuple[Level, date], Sums] = {}
    for level in LEVELS:
        for (day, _), sums in delivered.get(level, {}).items():
            key = (level, date.fromisoformat(day))
            expected[key] = expected.get(key, Sums()) + sums
    stored = stored_sums(connection, target.account_id, target.days)
    if stored != expected:
        differing = sorted(key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key))
        raise StoredDiffersError(f"{differing[0]} and {len(differing) - 1} more differ from what was delivered")
