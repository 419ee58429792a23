"""The overview's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from adloom.metrics.query import Filters, Measures, Period, Query, Result, run
from ui.components.kpi import CurrencyLine
from ui.components.split import Share
from ui.params import Params
from ui.reads.entities import spent_today
from ui.reads.situation import Situation, situation

# The overview names the largest; the campaigns page has them all.
CAMPAIGNS_SHOWN = 8


@dataclass(frozen=True)
class Overview:
    """`days` and `previous_days` are the chart's, in the chosen currency, one entry per local day with delivery."""

    situation: Situation
    currency: str
    lines: Sequence[CurrencyLine]
    days: Mapping[date, Measures]
    previous_days: Mapping[date, Measures]
    shares: Sequence[Share]
    campaigns: Result
    spent_today: Mapping[tuple[int, str], Decimal]


def overview(connection: Connection, params: Params) -> Overview:
    now = situation(connection, params)
    currency = now.currency(params)
    ids = now.account_ids(currency)
    period, previous = now.dates.period, now.dates.previous
    campaigns = (
        run(
            connection,
            Query(
                "campaign",
                period,
                ("entity",),
                Filters(account_ids=ids, search=params.search or None),
                comparison=previous,
                sort=params.sort,
                descending=params.descending,
                limit=CAMPAIGNS_SHOWN,
            ),
        )
        if ids
        else Result([], 0)
    )
    return Overview(
        situation=now,
        currency=currency,
        lines=_lines(connection, now),
        days=_days(connection, now.dates.drawn.period, ids),
        previous_days=_days(connection, now.dates.drawn.previous, ids),
        shares=_shares(connection, now),
        campaigns=campaigns,
        spent_today=spent_today(connection, "campaign", now, campaigns.rows),
    )


def _lines(connection: Connection, now: Situation) -> list[CurrencyLine]:
    """One per currency of the accounts, those without delivery too."""
    query = Query(
        "account", now.dates.period, filters=Filters(account_ids=now.account_ids()), comparison=now.dates.previous
    )
    found = {row.currency: row for row in run(connection, query).rows} if now.looked_at else {}
    lines = []
    for currency in now.currencies:
        row = found.get(currency)
        sums, before = (row.current, row.previous or Measures()) if row else (Measures(), Measures())
        lines.append(CurrencyLine(currency, len(now.account_ids(currency)), sums, before))
    return lines


def _days(connection: Connection, period: Period, ids: tuple[int, ...]) -> dict[date, Measures]:
    if not ids:
        return {}
    rows = run(connection, Query("account", period, ("day",), Filters(account_ids=ids))).rows
    return {row.day: row.current for row in rows if row.day is not None}


def _shares(connection: Connection, now: Situation) -> list[Share]:
    if not now.looked_at:
        return []
    query = Query("account", now.dates.period, ("platform",), Filters(account_ids=now.account_ids()))
    order = {currency: place for place, currency in enumerate(now.currencies)}
    rows = sorted(run(connection, query).rows, key=lambda row: order.get(row.currency, len(order)))
    return [Share(row.currency, row.platform or "", row.current) for row in rows if row.current.spend]


def days_of(period: Period) -> list[date]:
    return [period.since + timedelta(days=offset) for offset in range(period.days)]
