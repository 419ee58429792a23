"""Google's rows of numbers as facts. Money is millionths, exactly; conversions are doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

import msgspec

from adloom.platforms.google import conversions, errors
from adloom.platforms.model import Account, Fact, HourFact

MICROS = 1_000_000
_ALL, _ALL_VALUE = conversions.ALL, f"{conversions.ALL}_value"
# Objects of which is kept what was read of them: more would be memory that grows with the account.
MOST_KNOWN = 20_000
# The object's id, its parent's, its campaign's, and its name.
Whose = tuple[str, str, str, str]
new = tuple.__new__


def money(micros: int) -> str:
    """Millionths as an exact decimal of the account's currency: `12.5`."""
    if micros < 0:
        return f"-{money(-micros)}"
    digits = f"{micros:07}"
    return f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")


def _of_account(row: Any, account_id: str) -> Whose:
    return str(row.customer.id or account_id), "", "", ""


def _of_campaign(row: Any, account_id: str) -> Whose:
    campaign = row.campaign
    return str(campaign.id), account_id, str(campaign.id), campaign.name


def _of_ad_group(row: Any, _account_id: str) -> Whose:
    campaign_id = str(row.campaign.id)
    return str(row.ad_group.id), campaign_id, campaign_id, row.ad_group.name


def _of_asset_group(row: Any, _account_id: str) -> Whose:
    campaign_id = str(row.campaign.id)
    return str(row.asset_group.id), campaign_id, campaign_id, row.asset_group.name


def _of_ad(row: Any, _account_id: str) -> Whose:
    ad = row.ad_group_ad.ad
    return str(ad.id), str(row.ad_group.id), str(row.campaign.id), ad.name


# The number by which a row's object is known, and what is read of the object once.
_NUMBERS: dict[str, Callable[[Any], int]] = {
    "customer": attrgetter("customer.id"),
    "campaign": attrgetter("campaign.id"),
    "ad_group": attrgetter("ad_group.id"),
    "asset_group": attrgetter("asset_group.id"),
    "ad_group_ad": attrgetter("ad_group_ad.ad.id"),
}
_IDENTIFY: dict[str, Callable[[Any, str], Whose]] = {
    "customer": _of_account,
    "campaign": _of_campaign,
    "ad_group": _of_ad_group,
    "asset_group": _of_asset_group,
    "ad_group_ad": _of_ad,
}


def facts(rows: Iterable[Any], source: str, account: Account, known: dict[int, Whose] | None = None) -> Iterator[Fact]:
    """The rows of a batch; PlatformProtocolError for one without its id or day.

    A row of zeros says what no row says. A number that Google leaves out is None. `known` keeps what was read of an
    object for the rows of its other days. All of this is done for every row there is, so little is done twice.
    """
    number_of, is_all = _NUMBERS[source], conversions.is_all(account)
    known = {} if known is None else known
    for row in rows:
        metrics = row.metrics
        impressions, clicks, micros = metrics.impressions, metrics.clicks, metrics.cost_micros
        counted, value, views = metrics.conversions, metrics.conversions_value, metrics.video_trueview_views
        other, other_value = metrics.all_conversions, metrics.all_conversions_value
        if not (impressions or clicks or micros or counted or value or views or other or other_value):
            continue
        if is_all:
            counted, value, other, other_value = other, other_value, counted, value
        day = row.segments.date
        if not day:
            raise errors.unreadable(f"a row of {source} without its day")
        whose = known.get(number_of(row)) or _met(row, source, account, known)
        # A named tuple's own way of being made takes twice as long.
        yield new(Fact, (
            *whose,
            day,
            str(impressions) if impressions or metrics.HasField("impressions") else None,
            str(clicks) if clicks or metrics.HasField("clicks") else None,
            money(micros) if micros or metrics.HasField("cost_micros") else None,
            repr(counted) if counted or metrics.HasField(_ALL if is_all else "conversions") else None,
            repr(value) if value or metrics.HasField(_ALL_VALUE if is_all else "conversions_value") else None,
            str(views) if views or metrics.HasField("video_trueview_views") else None,
            None,
            None if other == counted and other_value == value else _actions(other, other_value, is_all=is_all),
        ))  # fmt: skip


def _met(row: Any, source: str, account: Account, known: dict[int, Whose]) -> Whose:
    """Whose a row is, of an object that has had none."""
    number = _NUMBERS[source](row)
    if not number and source != "customer":
        raise errors.unreadable(f"a row of {source} without its id")
    found = _IDENTIFY[source](row, account.external_id)
    if len(known) < MOST_KNOWN:
        known[number] = found
    return found


def hours(rows: Iterable[Any], source: str, account: Account) -> Iterator[HourFact]:
    """The rows of a batch that are cut by the hour, as `facts` reads those by day."""
    known: dict[int, Whose] = {}
    number_of, is_all = _NUMBERS[source], conversions.is_all(account)
    for row in rows:
        metrics, segments = row.metrics, row.segments
        has = metrics.HasField
        impressions, clicks, micros = metrics.impressions, metrics.clicks, metrics.cost_micros
        counted = metrics.all_conversions if is_all else metrics.conversions
        value = metrics.all_conversions_value if is_all else metrics.conversions_value
        if not (impressions or clicks or micros or counted or value):
            continue
        if not segments.date or not segments.HasField("hour"):
            raise errors.unreadable(f"a row of {source} without its day or hour")
        whose = known.get(number_of(row)) or _met(row, source, account, known)
        yield HourFact(
            whose[0],
            segments.date,
            segments.hour,
            str(impressions) if impressions or has("impressions") else None,
            str(clicks) if clicks or has("clicks") else None,
            money(micros) if micros or has("cost_micros") else None,
            repr(counted) if counted or has(_ALL if is_all else "conversions") else None,
            repr(value) if value or has(_ALL_VALUE if is_all else "conversions_value") else None,
        )


def _actions(count: float, value: float, *, is_all: bool) -> bytes:
    """The conversions of the definition by which is not counted, as JSON; left out where they are the same."""
    return msgspec.json.encode(
        {"conversions": count, "conversions_value": value} if is_all else {_ALL: count, _ALL_VALUE: value}
    )
