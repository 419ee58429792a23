"""How a page of a daily report is read: column by column, as whatever is done to each row is done millions of times."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, compress, repeat
from operator import attrgetter

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.model import FactColumns, Level
from adloom.platforms.readable import is_plain
from adloom.platforms.tiktok import conversions
from adloom.platforms.tiktok.report import ESSENTIAL, EXTRAS, ID, NO_VALUE, NOTHING, WANTED, Metrics, Row

_DAY = len("2026-01-01")
# How many numbers FactColumns has.
_COUNTED = 7
_encode = msgspec.json.Encoder().encode
# Ids of the objects above, of the campaign, and names.
_Who = tuple[Sequence[str], Sequence[str], Sequence[str]]


def facts(rows: list[Row], level: Level, account_id: str, definition: str = conversions.DEFAULT) -> FactColumns:
    """The facts of a page; PlatformProtocolError for a row without the id of its level.

    A row of zeros says what no row says: TikTok sends such rows or leaves them out as it likes.
    """
    dimensions, metrics = [row.dimensions for row in rows], [row.metrics for row in rows]
    ids, days = (list(map(attrgetter(name), dimensions)) for name in (ID[level], "stat_time_day"))
    if not (all(ids) and all(days)):
        raise PlatformProtocolError(f"TikTok sent a row of {level} without its id or day", platform_code="shape")
    numbers, plain = _numbers(metrics, _numbers_of(definition))
    if not NOTHING.isdisjoint(numbers[0]):
        is_said = [not NOTHING.issuperset(row) for row in zip(*numbers, strict=True)]
        if not all(is_said):
            return facts(list(compress(rows, is_said)), level, account_id, definition)
    counted, extras = numbers[:_COUNTED], numbers[_COUNTED:]
    actions = _actions(extras) if plain else list(map(_encoded, zip(*extras, strict=True)))
    local_days = [day[:_DAY] for day in days]
    return FactColumns(ids, *_who(level, account_id, ids, metrics), local_days, counted, actions, is_plain=plain)


def _numbers_of(definition: str) -> tuple[str, ...]:
    """The metrics that are numbers: first those that FactColumns has, in its order, then the others."""
    spend, impressions, clicks = ESSENTIAL
    reach, views = WANTED
    return impressions, clicks, spend, definition, conversions.value_of(definition), views, reach, *EXTRAS


def _numbers(metrics: list[Metrics], names: tuple[str, ...]) -> tuple[list[list[str | None]], bool]:
    """The columns, and whether every number is there and plain; None where there is no value.

    Each object is looked at once and whatever is in one list is looked at together: much of the time goes into waiting
    for memory.
    """
    found = list(chain.from_iterable(map(attrgetter(*names), metrics)))
    try:
        plain = is_plain("".join(found))
    except TypeError:
        plain = False
    if not plain:
        found = [None if text == NO_VALUE else text for text in found]
    return [found[place :: len(names)] for place in range(len(names))], plain


def _who(level: Level, account_id: str, ids: Sequence[str], metrics: list[Metrics]) -> _Who:
    """Attributes are empty where TikTok does not say them, as of objects that it has removed."""
    if level == "account":
        return ([""] * len(ids),) * 3
    if level == "campaign":
        return [account_id] * len(ids), ids, _said(metrics, "campaign_name")
    campaign_ids = _said(metrics, "campaign_id")
    if level == "ad_group":
        return campaign_ids, campaign_ids, _said(metrics, "adgroup_name")
    return _said(metrics, "adgroup_id"), campaign_ids, _said(metrics, "ad_name")


def _said(metrics: list[Metrics], name: str) -> list[str]:
    return ["" if text is None or text == NO_VALUE else text for text in map(attrgetter(name), metrics)]


def _actions(extras: list[list[str | None]]) -> list[bytes | None]:
    """The other numbers as JSON, all of them plain; None where all are 0."""
    pieces = [piece for name, column in zip(EXTRAS, extras, strict=True) for piece in (repeat(f'","{name}":"'), column)]
    pieces[0] = repeat(f'{{"{EXTRAS[0]}":"')
    # Encoded at once: nothing in it has a line's end.
    found = "\n".join(map("".join, zip(*pieces, repeat('"}')))).encode().split(b"\n")
    if any(map(NOTHING.isdisjoint, extras)):
        return list(found)
    rows = zip(found, zip(*extras, strict=True), strict=True)
    return [None if NOTHING.issuperset(one) else text for text, one in rows]


def _encoded(extras: tuple[str | None, ...]) -> bytes | None:
    """The other numbers of a row as JSON, without those that have no value; None where the others are 0."""
    if NOTHING.issuperset(extras):
        return None
    return _encode({name: text for name, text in zip(EXTRAS, extras, strict=True) if text is not None})
