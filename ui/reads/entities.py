"""Campaigns, ad groups and ads, a page of them at a time: sorted, filtered and cut in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from adloom.errors import NotFound
from adloom.metrics.query import Filters, Level, Period, Query, Result, Row, run
from ui.params import Params
from ui.reads.situation import Situation, situation

PAGE_SIZE = 50
# The level below, by level.
BELOW: dict[Level, Level] = {"campaign": "ad_group", "ad_group": "ad"}


@dataclass(frozen=True)
class Listing:
    """A page of entities. `totals` are the sums of all, without the filter; `above` is the way down to them."""

    situation: Situation
    level: Level
    currency: str
    result: Result
    totals: Sequence[Row]
    spent_today: Mapping[tuple[int, str], Decimal]
    above: Sequence[Row] = ()

    @property
    def platforms(self) -> set[str]:
        """Whose the entities may be."""
        if self.above:
            return {row.platform for row in self.above if row.platform}
        return {account.platform for account in self.situation.looked_at if account.currency == self.currency}


def campaigns(connection: Connection, params: Params, level: Level) -> Listing:
    """All entities of a level, of one currency, so that they can be sorted by money."""
    now = situation(connection, params)
    currency = now.currency(params)
    ids = now.account_ids(currency)
    if not ids:
        return Listing(now, level, currency, Result([], 0), [], {})
    result = _page(connection, now, params, level, Filters(account_ids=ids, search=params.search or None))
    totals = run(
        connection, Query(level, now.dates.period, filters=Filters(account_ids=ids), comparison=now.dates.previous)
    )
    return Listing(now, level, currency, result, totals.rows, spent_today(connection, level, now, result.rows))


def below(connection: Connection, params: Params, account_id: int, parents: tuple[tuple[Level, str], ...]) -> Listing:
    """What a campaign or ad group consists of; NotFound when it is not there or not the viewer's."""
    now = situation(connection, Params(**{**vars(params), "account": account_id}))
    if now.unknown_account:
        raise NotFound("There is no such account in the viewer's scope")
    above = [_parent(connection, now, account_id, level, entity_id) for level, entity_id in parents]
    parent_level, parent_id = parents[-1]
    level = BELOW[parent_level]
    filters = Filters(account_ids=(account_id,), parent_id=parent_id, search=params.search or None)
    result = _page(connection, now, params, level, filters)
    spent = spent_today(connection, level, now, result.rows)
    return Listing(now, level, above[-1].currency, result, above[-1:], spent, above)


def _page(connection: Connection, now: Situation, params: Params, level: Level, filters: Filters) -> Result:
    query = Query(
        level,
        now.dates.period,
        ("entity",),
        filters,
        comparison=now.dates.previous,
        include_idle=True,
        sort=params.sort,
        descending=params.descending,
        limit=PAGE_SIZE,
        offset=(params.page - 1) * PAGE_SIZE,
    )
    return run(connection, query)


def _parent(connection: Connection, now: Situation, account_id: int, level: Level, entity_id: str) -> Row:
    """The campaign or ad group itself: its own sums are the total, not those of its parts."""
    filters = Filters(account_ids=(account_id,), entity_ids=(entity_id,))
    for period, idle in (
        (now.dates.period, True),
        (Period(now.today.replace(year=now.today.year - 4), now.today), False),
    ):
        query = Query(level, period, ("entity",), filters, comparison=now.dates.previous, include_idle=idle)
        rows = run(connection, query).rows
        if rows:
            return rows[0]
    raise NotFound("There is no such campaign or ad group in the viewer's scope")


def spent_today(
    connection: Connection, level: Level, now: Situation, rows: Sequence[Row]
) -> dict[tuple[int, str], Decimal]:
    """What the rows that have a budget spent on their account's own today."""
    budgeted = [row for row in rows if row.daily_budget and row.entity_id and row.account_id]
    todays = {account.account_id: account.today for account in now.looked_at}
    spent: dict[tuple[int, str], Decimal] = {}
    for day in set(todays.values()):
        mine = [row for row in budgeted if todays.get(row.account_id or 0) == day]
        if not mine:
            continue
        filters = Filters(
            account_ids=tuple({row.account_id or 0 for row in mine}),
            entity_ids=tuple(row.entity_id or "" for row in mine),
        )
        for row in run(connection, Query(level, Period(day, day), ("entity",), filters)).rows:
            spent[(row.account_id or 0, row.entity_id or "")] = row.current.spend
    return spent
