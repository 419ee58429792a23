"""Makes the stored entities equal to what the platform lists, touching only those that differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.db.texts import storable
from adloom.metrics import staging
from adloom.metrics.intake import Strangers
from adloom.metrics.store import Changes
from adloom.platforms import smaller
from adloom.platforms.model import LEVELS, Account, Entity, Level

_BATCH = 2000
_COMPARED = (
    "parent_id", "name", "status", "kind", "objective", "daily_budget", "lifetime_budget", "created_at", "updated_at",
    "labels", "texts", "final_url", "review_status", "review_reason", "conversion_window_days",
)  # fmt: skip
_PLAIN = (*_COMPARED, "image_url")
# Of these the history is kept.
_TRACKED = (
    "parent_id", "name", "status", "objective", "daily_budget", "lifetime_budget", "labels", "texts", "final_url",
    "review_status", "review_reason", "conversion_window_days",
)  # fmt: skip
# Platforms sign an image's address anew with every answer, and serve it from any of their hosts: another path is
# another image. The address that is kept expires, so it is taken over again from time to time.
_IMAGE = "regexp_replace({}.image_url, '^[a-z]+://[^/]*|[?#].*$', '', 'g')"
_OTHER_IMAGE = f"{_IMAGE.format('e')} is distinct from {_IMAGE.format('s')}"
_OLD_ADDRESS = (
    "(s.image_url is distinct from e.image_url and e.image_seen_at < cast(:now as timestamptz) - interval '3 days')"
)

_TABLE = """
create temporary table staged_entities (
    place bigint generated always as identity,
    level text not null,
    external_id text not null,
    parent_id text,
    name text not null,
    status text not null,
    kind text,
    objective text,
    daily_budget numeric,
    lifetime_budget numeric,
    created_at timestamptz,
    updated_at timestamptz,
    labels jsonb not null,
    texts jsonb not null,
    final_url text,
    review_status text,
    review_reason text,
    conversion_window_days integer,
    image_url text
) on commit delete rows
"""
_COPY = f"copy pg_temp.staged_entities (level, external_id, {', '.join(_PLAIN)}) from stdin"
# A page may come twice; the later word counts.
_ONCE = """
delete from pg_temp.staged_entities s using pg_temp.staged_entities later
 where later.level = s.level and later.external_id = s.external_id and later.place > s.place
"""
_SAME = "e.account_id = :account_id and e.level = s.level and e.external_id = s.external_id"
_CHANGES = f"""
insert into entity_changes (account_id, org_id, level, external_id, field, old_value, new_value, seen_at, run_id)
select :account_id, :org_id, e.level, e.external_id, c.field, c.old_value, c.new_value, :now, :run_id
  from pg_temp.staged_entities s join entities e on {_SAME}
 cross join lateral (values {", ".join(f"('{f}', e.{f}::text, s.{f}::text)" for f in _TRACKED)},
            ('image_url', e.image_url, case when {_OTHER_IMAGE} then s.image_url else e.image_url end))
            as c (field, old_value, new_value)
 where (({", ".join(f"e.{f}" for f in _TRACKED)}) is distinct from ({", ".join(f"s.{f}" for f in _TRACKED)})
        or {_OTHER_IMAGE})
   and c.old_value is distinct from c.new_value
"""
_UPDATE = f"""
update entities e set {", ".join(f"{column} = s.{column}" for column in _PLAIN)}, run_id = :run_id,
       image_seen_at = case when s.image_url is not null then cast(:now as timestamptz) end,
       deleted_at = case when s.status <> 'deleted' then null else coalesce(e.deleted_at, :now) end
  from pg_temp.staged_entities s
 where {_SAME}
   and (({", ".join(f"e.{column}" for column in _COMPARED)})
        is distinct from ({", ".join(f"s.{column}" for column in _COMPARED)})
        or {_OTHER_IMAGE} or {_OLD_ADDRESS})
"""
_INSERT = f"""
insert into entities
    (account_id, org_id, level, external_id, {", ".join(_PLAIN)}, image_seen_at, deleted_at, first_seen_at, run_id)
select :account_id, :org_id, s.level, s.external_id, {", ".join(f"s.{column}" for column in _PLAIN)},
       case when s.image_url is not null then cast(:now as timestamptz) end,
       case when s.status = 'deleted' then cast(:now as timestamptz) end, :now, :run_id
  from pg_temp.staged_entities s
 where not exists (select from entities e where {_SAME})
"""
# What a whole list does not hold any more was removed for good.
_GONE = """
e.account_id = :account_id and e.status <> 'deleted' and e.level <> 'account' and e.first_seen_at < :now
and not exists (select from pg_temp.staged_entities s where s.level = e.level and s.external_id = e.external_id)
"""
_NOTE_GONE = f"""
insert into entity_changes (account_id, org_id, level, external_id, field, old_value, new_value, seen_at, run_id)
select e.account_id, e.org_id, e.level, e.external_id, 'status', e.status, 'deleted', :now, :run_id
  from entities e where {_GONE}
"""
_MARK_GONE = f"update entities e set status = 'deleted', deleted_at = :now, run_id = :run_id where {_GONE}"


@dataclass(frozen=True)
class Listing:
    """Whose entities, and the run and business time that a change will carry."""

    org_id: UUID
    account_id: int
    run_id: int
    now: datetime

    @property
    def values(self) -> dict[str, Any]:
        return {"org_id": self.org_id, "account_id": self.account_id, "run_id": self.run_id, "now": self.now}


def stage(connection: Connection, account: Account, entities: Iterable[Entity]) -> int:
    """Copy a list into the transaction's staging table, a batch at a time; how many there were."""
    staging.prepare(connection, "staged_entities", _TABLE)
    own = Entity("account", account.external_id, None, account.name, account.status, created_at=account.created_at)
    counted = _copy(connection, [own])
    for batch in smaller.chunks(entities, _BATCH):
        counted += _copy(connection, batch)
    return counted


def _copy(connection: Connection, batch: list[Entity]) -> int:
    with staging.copying(connection, _COPY) as into:
        for entity in batch:
            into.write_row(_row(entity))
    return len(batch)


def _row(entity: Entity) -> tuple[object, ...]:
    return (
        entity.level,
        entity.external_id,
        entity.parent_id,
        # Most of Google's ads have no name.
        storable(entity.name) or entity.external_id,
        entity.status,
        entity.kind,
        entity.objective,
        entity.daily_budget,
        entity.lifetime_budget,
        entity.created_at,
        entity.updated_at,
        _json(sorted(map(storable, set(entity.labels)))) if entity.labels else "[]",
        _json([{"field": field, "text": storable(text)} for field, text in entity.texts]) if entity.texts else "[]",
        _or_null(entity.final_url),
        entity.review_status,
        _or_null(entity.review_reason),
        entity.conversion_window_days,
        _or_null(entity.image_url),
    )


def _json(value: list[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _or_null(text: str | None) -> str | None:
    return storable(text) if text else None


def replace(connection: Connection, listing: Listing, *, is_whole: bool) -> Changes:
    """Make the stored entities equal to the staged ones. Of a list that is not whole nothing is taken as gone."""
    values = listing.values
    connection.execute(text(_ONCE))
    connection.execute(text(_CHANGES), values)
    updated = connection.execute(text(_UPDATE), values).rowcount
    if is_whole:
        connection.execute(text(_NOTE_GONE), values)
        updated += connection.execute(text(_MARK_GONE), values).rowcount
    return Changes(inserted=connection.execute(text(_INSERT), values).rowcount, updated=updated)


def add_strangers(connection: Connection, listing: Listing, strangers: Strangers, today: date) -> None:
    """Give a name to what has facts but stands on no list; it was removed, unless it delivers today."""
    if not strangers:
        return
    connection.execute(
        text(
            "insert into entities (account_id, org_id, level, external_id, parent_id, name, status, deleted_at,"
            " first_seen_at, run_id)"
            " values (:account_id, :org_id, :level, :external_id, :parent_id, :name, :status,"
            " case when :status = 'deleted' then cast(:now as timestamptz) end, :now, :run_id)"
            " on conflict (account_id, level, external_id) do nothing"
        ),
        [
            {
                **listing.values,
                "level": level,
                "external_id": external_id,
                "parent_id": parent_id or None,
                "name": storable(name) or external_id,
                "status": "active" if day >= today.isoformat() else "deleted",
            }
            for (level, external_id), (name, parent_id, day) in strangers.items()
        ],
    )


def known_ids(connection: Connection, account_id: int) -> dict[Level, set[str]]:
    """The ids of every level that have a name."""
    found: dict[Level, set[str]] = {level: set() for level in LEVELS}
    rows = connection.execute(
        text("select level, external_id from entities where account_id = :account_id"), {"account_id": account_id}
    )
    for level, external_id in rows:
        found[level].add(external_id)
    return found
