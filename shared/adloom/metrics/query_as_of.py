"""What stood at the end of an earlier day, as relations that stand in for today's: rows, entities and accounts.

Of a field that changed, the earliest change after the instant knows what stood before it.
"""

from __future__ import annotations

# Fields of entities that a query shows.
_ENTITY_FIELDS = {"parent_id": "", "name": "", "status": "", "daily_budget": "::numeric"}
_ACCOUNT_FIELDS = ("name", "currency", "timezone")


def facts(measures: tuple[str, ...]) -> str:
    """Rows that were there at `:as_of` and are still, and versions replaced or deleted since."""
    columns = f"account_id, level, entity_id, day, {', '.join(measures)}, reach, run_id"
    return (
        f"(select {columns} from visible_metrics where valid_from < :as_of"
        f" union all select {columns} from restatements where valid_from < :as_of and valid_to >= :as_of)"
    )


# What fields said before the first change that came later than the instant; null values included.
_WAS = """
select account_id, level, external_id, jsonb_object_agg(field, old_value) as was
  from (select distinct on (c.account_id, c.level, c.external_id, c.field)
               c.account_id, c.level, c.external_id, c.field, c.old_value
          from entity_changes c
         where c.seen_at >= :as_of and c.field = any (array[{fields}]) and {levels}
         order by c.account_id, c.level, c.external_id, c.field, c.change_id) later
 group by 1, 2, 3
"""


def entities() -> str:
    """Entities that we knew of at `:as_of`, of the levels `:levels`, as they were then."""
    fields = ", ".join(f"'{name}'" for name in _ENTITY_FIELDS)
    columns = ", ".join(f"{_then('e', name)}{cast} as {name}" for name, cast in _ENTITY_FIELDS.items())
    was = _WAS.format(fields=fields, levels="c.level = any (:levels)")
    return (
        f"select e.account_id, e.level, e.external_id, {columns} from entities e"
        f" left join ({was}) c using (account_id, level, external_id)"
        " where e.first_seen_at < :as_of and e.level = any (:levels)"
    )


def accounts() -> str:
    """Every account as it was at `:as_of`."""
    fields = ", ".join(f"'{name}'" for name in _ACCOUNT_FIELDS)
    columns = ", ".join(f"{_then('a', name)} as {name}" for name in _ACCOUNT_FIELDS)
    return (
        f"select a.account_id, a.platform, a.external_id, a.lookback_days, {columns} from ad_accounts a"
        f" left join ({_WAS.format(fields=fields, levels=_OF_ACCOUNTS)}) c"
        " on c.account_id = a.account_id and c.external_id = a.external_id"
    )


_OF_ACCOUNTS = "c.level = 'account'"


def _then(alias: str, name: str) -> str:
    return f"(case when jsonb_exists(c.was, '{name}') then c.was ->> '{name}' else {alias}.{name}::text end)"
