"""The values that a query's SQL is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adloom.metrics.query import Query


def of(query: Query) -> dict[str, Any]:
    """The parameters of every statement that `query_sql` builds, but for those of its sources."""
    from adloom.metrics.query import LEVELS, end_of, moment

    depth = LEVELS.index(query.level)
    filters = query.filters
    parameters: dict[str, Any] = {
        "level": query.level,
        "since": query.period.since,
        "until": query.period.until,
        "account_ids": list(filters.account_ids),
        "platforms": list(filters.platforms),
        "entity_ids": list(filters.entity_ids),
        "parent_id": filters.parent_id,
        "search": filters.search,
        "statuses": list(filters.statuses),
        "parent_level": LEVELS[depth - 1] if depth >= 1 else "",
        "grandparent_level": LEVELS[depth - 2] if depth >= 2 else "",  # noqa: PLR2004 - two levels up
        "limit": query.limit,
        "offset": query.offset,
        "moment": moment(query),
    }
    if query.comparison:
        parameters |= {"previous_since": query.comparison.since, "previous_until": query.comparison.until}
    if query.as_of:
        parameters |= {"as_of": end_of(query.as_of), "levels": list(LEVELS[max(depth - 2, 0) : depth + 1])}
    if query.currency:
        periods = [query.period, *([query.comparison] if query.comparison else [])]
        parameters |= {
            "currency": query.currency,
            "first": min(period.since for period in periods),
            "last": max(period.until for period in periods),
            "rates_as_of": end_of(query.as_of) if query.as_of else None,
        }
    return parameters
