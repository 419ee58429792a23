"""Reports by the hour: one day at a time, of the account and its campaigns.

https://business-api.tiktok.com/portal/docs?id=1740302848100353
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import HourFact, HourLevel
from adloom.platforms.tiktok import conversions, report
from adloom.platforms.tiktok.report import Metrics, Row

# `2026-03-01 05:00:00`, the account's own hour.
_DAY, _HOUR = slice(0, 10), slice(11, 13)


def query(level: HourLevel, refused: frozenset[str], definition: str) -> dict[str, object]:
    """The parameters for a level, without account and day."""
    counted = (definition, conversions.value_of(definition))
    asked = report.query(level, [*report.ESSENTIAL, *(name for name in counted if name not in refused)])
    return {**asked, "dimensions": [report.ID[level], "stat_time_hour"]}


def facts(rows: list[Row], level: HourLevel, definition: str) -> Iterator[HourFact]:
    """The rows of a page, without those of zeros; PlatformProtocolError for one without its hour or id."""
    entity_of: Callable[[Row], str] = attrgetter(f"dimensions.{report.ID[level]}")
    numbers_of: Callable[[Metrics], tuple[str | None, ...]] = attrgetter(
        "impressions", "clicks", "spend", definition, conversions.value_of(definition)
    )
    for row in rows:
        at, entity_id = row.dimensions.stat_time_hour, entity_of(row)
        if not entity_id or not at[_HOUR].isdigit():
            raise PlatformProtocolError(f"TikTok sent a row of {level} without its id or hour", platform_code="shape")
        numbers = numbers_of(row.metrics)
        if not report.NOTHING.issuperset(numbers):
            said = [None if value == report.NO_VALUE else value for value in numbers]
            yield HourFact(entity_id, at[_DAY], int(at[_HOUR]), *said)
