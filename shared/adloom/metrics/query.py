"""The one query layer: a typed `Query` becomes SQL. Dashboard, export, reports and alerts read through it only.

Every row carries one currency: amounts of two currencies are never added. Sums are made of one level's own rows, never
of the level below: an account's spend is its account-level row. Ratios are computed from sums when read. A reporting
currency converts each row at its own day's rate, and what has no rate stays on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, text

from adloom import clock
from adloom.metrics import query_sql

Level = Literal["account", "campaign", "ad_group", "ad"]
Dimension = Literal["day", "platform", "account", "entity"]
LEVELS: tuple[Level, ...] = ("account", "campaign", "ad_group", "ad")

_RATIO_DIGITS = Decimal("0.000001")
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True)
class Period:
    """Local days of each account, both inclusive."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ValueError("a period ends on or after the day on which it begins")

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    def before(self) -> Period:
        """The period of the same length that ends the day before this one."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))


@dataclass(frozen=True)
class Filters:
    """Empty tuples and None do not filter. Ids of entities are the platform's, as text."""

    account_ids: tuple[int, ...] = ()
    platforms: tuple[str, ...] = ()
    parent_id: str | None = None
    entity_ids: tuple[str, ...] = ()
    search: str | None = None
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """What to read.

    `dimensions` split the sums; the currency always does. `include_idle` adds entities without delivery in either
    period (only with the dimension entity). `as_of` shows what stood at the end of that UTC day of the business clock.
    `sort` is one of `query_sql.SORTS`. `currency` is the one to report in, None for each account's own. With
    `provenance` every row names the run that wrote it (only with the dimensions day and entity).
    """

    level: Level
    period: Period
    dimensions: tuple[Dimension, ...] = ()
    filters: Filters = field(default_factory=Filters)
    comparison: Period | None = None
    include_idle: bool = False
    sort: str | None = None
    descending: bool = True
    limit: int | None = None
    offset: int = 0
    as_of: date | None = None
    currency: str | None = None
    provenance: bool = False

    def __post_init__(self) -> None:
        if self.currency is not None and not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"{self.currency!r} is no currency; write its three letters, such as EUR")


def _ratio(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return (Decimal(part) / Decimal(whole)).quantize(_RATIO_DIGITS) if whole else None


@dataclass(frozen=True)
class Measures:
    """Sums of one group. Money in the row's currency. `video_views` and `reach`: None where the platform says nothing.

    `reach` is given only where the group is one delivered row: it is not additive.
    """

    impressions: int = 0
    clicks: int = 0
    spend: Decimal = Decimal(0)
    conversions: Decimal = Decimal(0)
    conversion_value: Decimal = Decimal(0)
    video_views: int | None = None
    reach: int | None = None

    @property
    def ctr(self) -> Decimal | None:
        """Clicks per impression, 0..1."""
        return _ratio(self.clicks, self.impressions)

    @property
    def cpc(self) -> Decimal | None:
        """Spend per click."""
        return _ratio(self.spend, self.clicks)

    @property
    def cpm(self) -> Decimal | None:
        """Spend per thousand impressions."""
        return _ratio(self.spend * 1000, self.impressions)

    @property
    def cpa(self) -> Decimal | None:
        """Spend per conversion."""
        return _ratio(self.spend, self.conversions)

    @property
    def roas(self) -> Decimal | None:
        """Conversion value per spend."""
        return _ratio(self.conversion_value, self.spend)


@dataclass(frozen=True)
class Row:
    """One group. Fields of dimensions that the query did not ask for are None.

    `is_provisional`: a day of it may still move (`adloom.metrics.settling`). `run_id` is the run that wrote it, where
    the query asked.
    """

    currency: str
    current: Measures
    previous: Measures | None
    day: date | None = None
    platform: str | None = None
    account_id: int | None = None
    account_external_id: str | None = None
    account_name: str | None = None
    timezone: str | None = None
    entity_id: str | None = None
    entity_name: str | None = None
    entity_status: str | None = None
    daily_budget: Decimal | None = None
    parent_id: str | None = None
    parent_name: str | None = None
    grandparent_id: str | None = None
    grandparent_name: str | None = None
    is_provisional: bool = False
    run_id: int | None = None


@dataclass(frozen=True)
class Result:
    """`total` counts the rows without limit and offset."""

    rows: list[Row]
    total: int


def end_of(day: date) -> datetime:
    """The instant at which a UTC day ends; of the calendar's last day its last moment."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def moment(query: Query) -> datetime:
    """The business time of which a query speaks, aware: now, or the last moment of the day it goes back to."""
    return end_of(query.as_of) - timedelta(microseconds=1) if query.as_of else clock.now()


def run(connection: Connection, query: Query) -> Result:
    """Read the rows of a query inside a tenant transaction."""
    from_sums = _from_sums(connection, query)
    statement, parameters = query_sql.build(query, from_sums=from_sums)
    found = connection.execute(statement, parameters).mappings().all()
    total = int(found[0]["total"]) if found else _total_beyond(connection, query, from_sums=from_sums)
    if query.limit is None:
        total = len(found)
    return Result([_row(item, query) for item in found], total)


def stream(connection: Connection, query: Query, *, batch: int = 5000) -> Iterator[Row]:
    """The rows of a query one by one, with flat memory however many there are."""
    statement, parameters = query_sql.build(query, from_sums=_from_sums(connection, query))
    found = connection.execution_options(yield_per=batch).execute(statement, parameters)
    for item in found.mappings():
        yield _row(item, query)


def _from_sums(connection: Connection, query: Query) -> bool:
    """Whether to read sums: they say the same as the rows, and are less to read only where the database stores them."""
    return query_sql.gains_from_sums(query) and bool(connection.execute(text("select sums_are_stored()")).scalar_one())


def _total_beyond(connection: Connection, query: Query, *, from_sums: bool) -> int:
    """A page behind the last row has no rows to carry the count."""
    if not query.offset:
        return 0
    statement, parameters = query_sql.build(query, count_only=True, from_sums=from_sums)
    return int(connection.execute(statement, parameters).scalar_one())


def _measures(item: Any, prefix: str) -> Measures:
    return Measures(
        impressions=int(item[f"{prefix}impressions"] or 0),
        clicks=int(item[f"{prefix}clicks"] or 0),
        spend=item[f"{prefix}spend"] or Decimal(0),
        conversions=item[f"{prefix}conversions"] or Decimal(0),
        conversion_value=item[f"{prefix}conversion_value"] or Decimal(0),
        video_views=None if item[f"{prefix}video_views"] is None else int(item[f"{prefix}video_views"]),
        reach=None if item[f"{prefix}reach"] is None else int(item[f"{prefix}reach"]),
    )


def _row(item: Any, query: Query) -> Row:
    attributes = {name: item[name] for name in query_sql.attributes(query)}
    previous = _measures(item, "previous_") if query.comparison else None
    return Row(
        current=_measures(item, ""),
        previous=previous,
        is_provisional=item["is_provisional"],
        run_id=item["run_id"] if query.provenance else None,
        **attributes,
    )
