"""How the numbers of past days moved: what changed and when, and how much of a day usually still changes how late.

Read from an account's own history. A day counts for "N days after" only if its numbers were known by then and were
read again later: a day that was fetched years afterwards says nothing about how late it moved. All inside a tenant
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from adloom.platforms.model import Level

# Whole days from the day itself on, closer together where most of the change is.
AFTER_DAYS = (0, 1, 2, 3, 7, 14, 21, 28)
_MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value")
_DIGITS = Decimal("0.0001")


@dataclass(frozen=True)
class Lateness:
    """What still changed of an account's days later than `after_days` after them. Money in the account's currency.

    `days` and `spend` are those that were watched long enough, `days_changed` of them moved later; `spend_moved` and
    `conversions_moved` add up by how much, upwards or downwards. A day ends at midnight of the account's zone.
    """

    account_id: int
    after_days: int
    days: int
    days_changed: int
    spend: Decimal
    spend_moved: Decimal
    conversions: Decimal
    conversions_moved: Decimal

    @property
    def share_of_days(self) -> Decimal | None:
        """0..1; None while no day was watched so long."""
        return _share(Decimal(self.days_changed), Decimal(self.days))

    @property
    def share_of_spend(self) -> Decimal | None:
        """What moved by what there is now, 0 and more; None where nothing is."""
        return _share(self.spend_moved, self.spend)

    @property
    def share_of_conversions(self) -> Decimal | None:
        return _share(self.conversions_moved, self.conversions)


@dataclass(frozen=True)
class Numbers:
    """A row's measures; None where the platform says nothing."""

    impressions: int | None
    clicks: int | None
    spend: Decimal | None
    conversions: Decimal | None
    conversion_value: Decimal | None


@dataclass(frozen=True)
class Change:
    """A row that said one thing and then another. `after` is None where the row went away.

    `changed_at` is business time, aware, `days_after` whole local days between the day and the change. Of several
    changes within a UTC day `after` is what the last one left.
    """

    account_id: int
    account_name: str
    platform: str
    currency: str
    level: Level
    entity_id: str
    day: date
    changed_at: datetime
    days_after: int
    before: Numbers
    after: Numbers | None
    run_id: int
    replaced_by_run_id: int


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(_DIGITS) if whole else None


_WHOSE = "(:everything or m.account_id = any (:accounts)) and m.day between :since and :until"
_LATENESS = f"""
with versions as (
    select m.account_id, m.day, m.spend, m.conversions, m.valid_from, 'infinity'::timestamptz as valid_to
      from visible_metrics m where m.level = 'account' and {_WHOSE}
    union all
    select m.account_id, m.day, m.spend, m.conversions, m.valid_from, m.valid_to
      from restatements m where m.level = 'account' and {_WHOSE}
), watched as (
    select v.account_id, v.day, a.timezone, min(v.valid_from) as first_seen,
           greatest(max(v.valid_from), max(v.valid_to) filter (where v.valid_to < 'infinity')) as last_change,
           sum(v.spend) filter (where v.valid_to = 'infinity') as spend,
           sum(v.conversions) filter (where v.valid_to = 'infinity') as conversions
      from versions v join ad_accounts a on a.account_id = v.account_id
     group by v.account_id, v.day, a.timezone
), ends as (
    select w.*, n.after_days, (w.day + n.after_days + 1)::timestamp at time zone w.timezone as ended,
           greatest(r.checked_at, w.last_change) as last_read
      from watched w
      left join reconciliations r on r.account_id = w.account_id and r.day = w.day and r.level = 'account'
     cross join unnest(cast(:after as integer[])) as n (after_days)
)
select e.account_id, e.after_days, count(*) as days, count(*) filter (where e.last_change >= e.ended) as days_changed,
       coalesce(sum(e.spend), 0) as spend,
       coalesce(sum(abs(coalesce(e.spend, 0) - coalesce(v.spend, 0))), 0) as spend_moved,
       coalesce(sum(e.conversions), 0) as conversions,
       coalesce(sum(abs(coalesce(e.conversions, 0) - coalesce(v.conversions, 0))), 0) as conversions_moved
  from ends e
  left join versions v on v.account_id = e.account_id and v.day = e.day
   and v.valid_from < e.ended and v.valid_to >= e.ended
 where e.first_seen < e.ended and e.last_read >= e.ended
 group by e.account_id, e.after_days order by e.account_id, e.after_days
"""


def lateness(
    connection: Connection,
    since: date,
    until: date,
    account_ids: tuple[int, ...] = (),
    after_days: tuple[int, ...] = AFTER_DAYS,
) -> list[Lateness]:
    """How late the days of this period changed, per account; of all accounts in scope when none is named.

    There is no entry for an account and number of days of which no day was watched so long.
    """
    values = {**_values(since, until, account_ids), "after": list(after_days)}
    return [Lateness(**row) for row in connection.execute(text(_LATENESS), values).mappings()]


_BEFORE = ", ".join(f"m.{measure} as before_{measure}" for measure in _MEASURES)
_AFTER = ", ".join(f"n.{measure} as after_{measure}" for measure in _MEASURES)
_CHANGES = f"""
select m.account_id, a.name as account_name, a.platform, a.currency, m.level, m.entity_id, m.day,
       m.valid_to as changed_at, (m.valid_to at time zone a.timezone)::date - m.day as days_after,
       m.run_id, m.replaced_by_run_id, n.found is not null as is_there, {_BEFORE}, {_AFTER}
  from restatements m join ad_accounts a on a.account_id = m.account_id
  left join lateral (
      -- What stood at the end of the UTC day of the change.
      select 1 as found, {", ".join(f"v.{measure}" for measure in _MEASURES)}
        from (select level, entity_id, day, {", ".join(_MEASURES)}, account_id, valid_from,
                     'infinity'::timestamptz as valid_to from visible_metrics
              union all
              select level, entity_id, day, {", ".join(_MEASURES)}, account_id, valid_from, valid_to
                from restatements) v
       where v.account_id = m.account_id and v.level = m.level and v.entity_id = m.entity_id and v.day = m.day
         and v.valid_from < date_trunc('day', m.valid_to, 'UTC') + interval '1 day'
         and v.valid_to >= date_trunc('day', m.valid_to, 'UTC') + interval '1 day'
       limit 1
  ) n on true
 where m.level = :level and (cast(:entity_id as text) is null or m.entity_id = :entity_id) and {_WHOSE}
 order by m.valid_to desc, m.account_id, m.day desc, m.entity_id limit :most
"""


def changes(
    connection: Connection,
    since: date,
    until: date,
    account_ids: tuple[int, ...] = (),
    *,
    level: Level = "account",
    entity_id: str | None = None,
    most: int = 100,
) -> list[Change]:
    """What was restated of the days of this period, the latest change first."""
    values = {**_values(since, until, account_ids), "level": level, "entity_id": entity_id, "most": most}
    return [_change(row) for row in connection.execute(text(_CHANGES), values).mappings()]


def _values(since: date, until: date, account_ids: tuple[int, ...]) -> dict[str, Any]:
    return {"since": since, "until": until, "everything": not account_ids, "accounts": list(account_ids)}


def _change(row: Any) -> Change:
    plain = {name: row[name] for name in Change.__dataclass_fields__ if name not in ("before", "after")}
    after = _numbers(row, "after") if row["is_there"] else None
    return Change(**plain, before=_numbers(row, "before"), after=after)


def _numbers(row: Any, when: str) -> Numbers:
    return Numbers(**{measure: row[f"{when}_{measure}"] for measure in _MEASURES})
