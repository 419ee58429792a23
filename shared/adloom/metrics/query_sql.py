"""Turns a `Query` into SQL. Names come from the constants of this module only; every value is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import TextClause, text

from adloom.metrics import query_as_of, query_money, query_parameters, query_spans, settling

if TYPE_CHECKING:
    from adloom.metrics.query import Period, Query

SUMMED = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views")

SORTS = {
    "name": "lower(coalesce(e.name, g.entity_id))",
    "status": "e.status",
    "day": "g.day",
    "spend": "g.spend",
    "impressions": "g.impressions",
    "clicks": "g.clicks",
    "conversions": "g.conversions",
    "conversion_value": "g.conversion_value",
    "ctr": "g.clicks / nullif(g.impressions, 0)::numeric",
    "cpc": "g.spend / nullif(g.clicks, 0)",
    "cpm": "g.spend * 1000 / nullif(g.impressions, 0)",
    "cpa": "g.spend / nullif(g.conversions, 0)",
    "roas": "g.conversion_value / nullif(g.spend, 0)",
    "change": "(g.spend - g.previous_spend) / nullif(g.previous_spend, 0)",
}
# Sorts that need the entity's own row.
_ENTITY_SORTS = frozenset({"name", "status"})

_KEYS = {"day": ("day",), "platform": ("platform",), "account": ("account_id",), "entity": ("account_id", "entity_id")}
_ATTRIBUTES = {
    "day": ("day",),
    "platform": ("platform",),
    "account": ("platform", "account_id", "account_external_id", "account_name", "timezone"),
    "entity": (
        *("platform", "account_id", "account_external_id", "account_name", "timezone"),
        *("entity_id", "entity_name", "entity_status", "daily_budget"),
        *("parent_id", "parent_name", "grandparent_id", "grandparent_name"),
    ),
}


class _Source(NamedTuple):
    """Where the rows of a period come from, as SQL."""

    relation: str
    condition: str
    row_count: str


def attributes(query: Query) -> tuple[str, ...]:
    """The names of a row's attributes for the query's dimensions, the currency first."""
    names = dict.fromkeys(["currency", *(name for item in query.dimensions for name in _ATTRIBUTES[item])])
    return tuple(names)


def gains_from_sums(query: Query) -> bool:
    """Whether stored weeks and months save work: not for single days, for what stood earlier, or where each day has a
    rate of its own.
    """
    if "day" in query.dimensions or query.as_of or query.currency:
        return False
    periods = [query.period, query.comparison] if query.comparison else [query.period]
    return any(query_spans.is_long(period.since, period.until) for period in periods)


def build(query: Query, *, count_only: bool = False, from_sums: bool = False) -> tuple[TextClause, dict[str, Any]]:
    """The statement and its parameters. `from_sums` takes whole weeks and months of long periods from their sums."""
    if query.sort is not None and query.sort not in SORTS:
        raise ValueError(f"cannot sort by {query.sort!r}; one of {', '.join(SORTS)}")
    keys = _keys(query)
    parameters = query_parameters.of(query)
    source = _source(query, query.period, "", parameters, from_sums=from_sums)
    parts = [*_helpers(query), f"f as ({_facts(query, keys, source)})"]
    if query.comparison:
        source = _source(query, query.comparison, "previous_", parameters, from_sums=from_sums)
        parts.append(f"p as ({_facts(query, keys, source)})")
    parts.append(f"g as ({_groups(query, keys)})")
    columns = "count(*)" if count_only else _select(query)
    sql = f"with {', '.join(parts)} select {columns} from {_joined(query)} {_where(query)}"
    if not count_only:
        sql += f" {_order(query, keys)}"
        if query.limit is not None:
            sql += " limit :limit offset :offset"
    return text(sql), parameters


def _keys(query: Query) -> tuple[str, ...]:
    if query.comparison and "day" in query.dimensions:
        raise ValueError("two periods have no common days: ask for each of them by itself")
    if query.include_idle and ("day" in query.dimensions or "entity" not in query.dimensions):
        raise ValueError("idle entities can be shown where entities are listed without days")
    if query.provenance and not {"day", "entity"} <= set(query.dimensions):
        raise ValueError("rows have a source: ask for the days of entities")
    names = dict.fromkeys(["currency", *(key for item in query.dimensions for key in _KEYS[item])])
    return tuple(names)


def _helpers(query: Query) -> list[str]:
    """Relations that the others refer to: what was known at the instant, and rates."""
    parts = []
    if query.as_of:
        parts += [f"known_accounts as materialized ({query_as_of.accounts()})"]
        if "entity" in query.dimensions:
            parts += [f"known_entities as materialized ({query_as_of.entities()})"]
    if query.currency:
        parts += [f"exchange as materialized ({query_money.EXCHANGE.format(accounts=_accounts(query))})"]
    return parts


def _accounts(query: Query) -> str:
    return "known_accounts" if query.as_of else "ad_accounts"


def _entities(query: Query) -> str:
    return "known_entities" if query.as_of else "entities"


def _source(query: Query, period: Period, prefix: str, parameters: dict[str, Any], *, from_sums: bool) -> _Source:
    """Where the period's rows come from; adds the parameters that it needs."""
    if from_sums and query_spans.is_long(period.since, period.until):
        found = query_spans.spans(period.since, period.until)
        parameters |= query_spans.parameters(prefix, found)
        return _Source(query_spans.source_of(prefix, found, SUMMED), "true", "sum(m.row_count)")
    relation = query_as_of.facts(SUMMED) if query.as_of else "visible_metrics"
    return _Source(relation, f"m.day between :{prefix}since and :{prefix}until", "count(*)")


def _facts(query: Query, keys: tuple[str, ...], source: _Source) -> str:
    is_converted = query.currency is not None
    columns = {
        "currency": query_money.CURRENCY if is_converted else "a.currency",
        "platform": "a.platform",
        "account_id": "m.account_id",
    }
    grouped = ", ".join(f"{columns.get(key, f'm.{key}')} as {key}" for key in keys)
    sums = ", ".join(f"{query_money.summed(name, is_converted=is_converted)} as {name}" for name in SUMMED)
    sums += f", case when {source.row_count} = 1 then max(m.reach) end as reach"
    if query.provenance:
        sums += ", max(m.run_id) as run_id"
    positions = ", ".join(str(number) for number in range(1, len(keys) + 1))
    return (
        f"select {grouped}, {sums} from {source.relation} m"
        f" join {_accounts(query)} a on a.account_id = m.account_id {query_money.JOIN if is_converted else ''}"
        f" where {_facts_where(query, source)} group by {positions}"
    )


def _facts_where(query: Query, source: _Source) -> str:
    conditions = [f"m.level = :level and {source.condition}"]
    if query.filters.account_ids:
        conditions.append("m.account_id = any (:account_ids)")
    if query.filters.platforms:
        conditions.append("a.platform = any (:platforms)")
    if query.filters.entity_ids:
        conditions.append("m.entity_id = any (:entity_ids)")
    return " and ".join(conditions)


def _groups(query: Query, keys: tuple[str, ...]) -> str:
    """The groups of both periods and of idle entities side by side."""
    using = ", ".join(keys)
    measures = [f"f.{name}" for name in (*SUMMED, "reach", *(["run_id"] if query.provenance else []))]
    joined = "f"
    if query.comparison:
        measures += [f"p.{name} as previous_{name}" for name in (*SUMMED, "reach")]
        joined += f" full join p using ({using})"
    if query.include_idle:
        joined += f" full join ({_idle(query)}) i using (currency, account_id, entity_id)"
    return f"select {using}, {', '.join(measures)} from {joined}"


def _joined(query: Query) -> str:
    joined = "g"
    if _has_account(query):
        joined += f" join {_accounts(query)} a on a.account_id = g.account_id"
    if "entity" in query.dimensions:
        entities = _entities(query)
        joined += (
            f" left join {entities} e on e.account_id = g.account_id and e.level = :level"
            " and e.external_id = g.entity_id"
            f" left join {entities} e2 on e2.account_id = e.account_id and e2.level = :parent_level"
            " and e2.external_id = e.parent_id"
            f" left join {entities} e3 on e3.account_id = e2.account_id and e3.level = :grandparent_level"
            " and e3.external_id = e2.parent_id"
        )
    return joined


def _has_account(query: Query) -> bool:
    return "account" in query.dimensions or "entity" in query.dimensions


def _idle(query: Query) -> str:
    """Entities that could deliver: shown even when they did not."""
    conditions = ["i.level = :level and i.status in ('active', 'paused')"]
    if query.filters.account_ids:
        conditions.append("i.account_id = any (:account_ids)")
    if query.filters.platforms:
        conditions.append("y.platform = any (:platforms)")
    if query.filters.entity_ids:
        conditions.append("i.external_id = any (:entity_ids)")
    currency = query_money.idle_currency("y") if query.currency else "y.currency"
    return (
        f"select {currency} as currency, i.account_id, i.external_id as entity_id from {_entities(query)} i"
        f" join {_accounts(query)} y on y.account_id = i.account_id where {' and '.join(conditions)}"
    )


def _where(query: Query) -> str:
    conditions = []
    if "entity" in query.dimensions:
        if query.filters.parent_id is not None:
            conditions.append("e.parent_id = :parent_id")
        if query.filters.search:
            conditions.append("strpos(lower(e.name), lower(:search)) > 0")
        if query.filters.statuses:
            conditions.append("e.status = any (:statuses)")
    return f"where {' and '.join(conditions)}" if conditions else ""


def _select(query: Query) -> str:
    known = {
        "account_external_id": "a.external_id",
        "account_name": "a.name",
        "timezone": "a.timezone",
        "platform": "g.platform" if "platform" in query.dimensions else "a.platform",
        "entity_name": "coalesce(e.name, g.entity_id)",
        "entity_status": "e.status",
        # A budget is of no day, so there is no rate for it.
        "daily_budget": "case when g.currency = a.currency then e.daily_budget end",
        "parent_id": "e.parent_id",
        "parent_name": "e2.name",
        "grandparent_id": "e2.parent_id",
        "grandparent_name": "e3.name",
    }
    columns = [f"{known.get(attribute, f'g.{attribute}')} as {attribute}" for attribute in attributes(query)]
    measures = (*SUMMED, "reach")
    columns += [f"g.{measure}" for measure in (*measures, *(["run_id"] if query.provenance else []))]
    columns.append(f"{_provisional(query)} as is_provisional")
    if query.comparison:
        columns += [f"g.previous_{measure}" for measure in measures]
    columns.append("count(*) over () as total" if query.limit is not None else "0 as total")
    return ", ".join(columns)


def _provisional(query: Query) -> str:
    """Whether any day of the row may still move: the day itself, or else the last of the period."""
    last = "g.day" if "day" in query.dimensions else "cast(:until as date)"
    if _has_account(query):
        return f"{last} >= {settling.sql('a')}"
    conditions = ["y.platform = g.platform"] if "platform" in query.dimensions else []
    if query.filters.account_ids:
        conditions.append("y.account_id = any (:account_ids)")
    if query.filters.platforms:
        conditions.append("y.platform = any (:platforms)")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return f"coalesce({last} >= (select min({settling.sql('y')}) from {_accounts(query)} y {where}), false)"


def _order(query: Query, keys: tuple[str, ...]) -> str:
    """The asked-for order, then the keys, days first, so that pages never overlap."""
    order = [f"g.{key}" for key in sorted(keys, key=lambda key: key != "day")]
    if query.sort is not None:
        if query.sort in _ENTITY_SORTS and "entity" not in query.dimensions:
            raise ValueError(f"only entities can be sorted by {query.sort}")
        if query.sort == "change" and query.comparison is None:
            raise ValueError("a change needs a comparison period")
        if query.sort == "day" and "day" not in query.dimensions:
            raise ValueError("only days can be sorted by day")
        order.insert(0, f"{SORTS[query.sort]} {'desc' if query.descending else 'asc'} nulls last")
    return f"order by {', '.join(order)}"
