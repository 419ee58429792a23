"""Exports rows by the hour in the columns of the facts format's `hourly.csv`, exact to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import Connection, text

from adloom.metrics.query import Period
from adloom.platforms.model import HourLevel

_SUMS = ("impressions", "clicks", "spend", "conversions", "conversion_value")
COLUMNS = ("platform", "account_id", "campaign_id", "date", "hour", *_SUMS)
_BATCH = 5000
_ROWS = f"""
select a.platform, a.external_id, m.entity_id, m.day, m.hour, {", ".join(f"m.{name}" for name in _SUMS)}
  from visible_hourly m join ad_accounts a on a.account_id = m.account_id
 where m.level = :level and m.day between :since and :until
   and (cardinality(cast(:accounts as bigint[])) = 0 or m.account_id = any (:accounts))
 order by m.day, a.platform, a.external_id, m.entity_id, m.hour
"""


def rows(
    connection: Connection, level: HourLevel, period: Period, *, accounts: tuple[int, ...] = ()
) -> Iterator[dict[str, str]]:
    """One dictionary of texts per account or campaign, local day and hour; an empty text is what nobody says."""
    values = {"level": level, "since": period.since, "until": period.until, "accounts": list(accounts)}
    found = connection.execution_options(yield_per=_BATCH).execute(text(_ROWS), values)
    for platform, account, entity, day, hour, *numbers in found:
        cells = (platform, account, entity if level == "campaign" else "", day.isoformat(), str(hour))
        yield dict(zip(COLUMNS, (*cells, *map(_exact, numbers)), strict=True))


def _exact(value: Decimal | int | None) -> str:
    return "" if value is None else format(value, "f" if isinstance(value, Decimal) else "d")
