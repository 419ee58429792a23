"""Google's rows of numbers as facts. Money is millionths, exactly; conversions are doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from adloom.platforms.google import conversions, errors
from adloom.platforms.model import Account, Fact, HourFact

MICROS = 1_000_000
_ALL = conversions.ALL
_Of = tuple[int | str, str, str, str]


def money(micros: int) -> str:
    """Millionths as an exact decimal of the account's currency: `12.5`."""
    sign, amount = ("-", -micros) if micros < 0 else ("", micros)
    whole, rest = divmod(amount, MICROS)
    return f"{sign}{whole}.{rest:06}".rstrip("0").rstrip(".")


def _of_account(row: Any, account_id: str) -> _Of:
    return row.customer.id or account_id, "", "", ""


def _of_campaign(row: Any, account_id: str) -> _Of:
    campaign = row.campaign
    return campaign.id, account_id, str(campaign.id), campaign.name


def _of_ad_group(row: Any, _account_id: str) -> _Of:
    campaign_id = str(row.campaign.id)
    return row.ad_group.id, campaign_id, campaign_id, row.ad_group.name


def _of_asset_group(row: Any, _account_id: str) -> _Of:
    campaign_id = str(row.campaign.id)
    return row.asset_group.id, campaign_id, campaign_id, row.asset_group.name


def _of_ad(row: Any, _account_id: str) -> _Of:
    ad = row.ad_group_ad.ad
    return ad.id, str(row.ad_group.id), str(row.campaign.id), ad.name


_IDENTIFY: dict[str, Callable[[Any, str], _Of]] = {
    "customer": _of_account,
    "campaign": _of_campaign,
    "ad_group": _of_ad_group,
    "asset_group": _of_asset_group,
    "ad_group_ad": _of_ad,
}


def facts(rows: Iterable[Any], source: str, account: Account) -> Iterator[Fact]:
    """The rows of a batch; PlatformProtocolError for one without its id or day.

    A row of zeros says what no row says. A number that Google leaves out is None.
    """
    identify, account_id, is_all = _IDENTIFY[source], account.external_id, conversions.is_all(account)
    for row in rows:
        metrics = row.metrics
        has = metrics.HasField
        impressions, clicks, micros = metrics.impressions, metrics.clicks, metrics.cost_micros
        counted, value, others = _conversions(metrics, is_all=is_all)
        views = metrics.video_trueview_views
        if not (impressions or clicks or micros or counted or value or views or any(others)):
            continue
        entity_id, parent_id, branch, name = identify(row, account_id)
        day = row.segments.date
        if not entity_id or not day:
            raise errors.unreadable(f"a row of {source} without id or day")
        yield Fact(
            str(entity_id),
            parent_id,
            branch,
            name,
            day,
            str(impressions) if impressions or has("impressions") else None,
            str(clicks) if clicks or has("clicks") else None,
            money(micros) if micros or has("cost_micros") else None,
            repr(counted) if counted or has(_ALL if is_all else "conversions") else None,
            repr(value) if value or has(f"{_ALL}_value" if is_all else "conversions_value") else None,
            str(views) if views or has("video_trueview_views") else None,
            None,
            _actions(*others, is_all=is_all) if others != (counted, value) else None,
        )


def hours(rows: Iterable[Any], source: str, account: Account) -> Iterator[HourFact]:
    """The rows of a batch that are cut by the hour, as `facts` reads those by day."""
    identify, account_id, is_all = _IDENTIFY[source], account.external_id, conversions.is_all(account)
    for row in rows:
        metrics, segments = row.metrics, row.segments
        has = metrics.HasField
        impressions, clicks, micros = metrics.impressions, metrics.clicks, metrics.cost_micros
        counted, value, _ = _conversions(metrics, is_all=is_all)
        if not (impressions or clicks or micros or counted or value):
            continue
        entity_id = identify(row, account_id)[0]
        if not entity_id or not segments.date or not segments.HasField("hour"):
            raise errors.unreadable(f"a row of {source} without id, day or hour")
        yield HourFact(
            str(entity_id),
            segments.date,
            segments.hour,
            str(impressions) if impressions or has("impressions") else None,
            str(clicks) if clicks or has("clicks") else None,
            money(micros) if micros or has("cost_micros") else None,
            repr(counted) if counted or has(_ALL if is_all else "conversions") else None,
            repr(value) if value or has(f"{_ALL}_value" if is_all else "conversions_value") else None,
        )


def _conversions(metrics: Any, *, is_all: bool) -> tuple[float, float, tuple[float, float]]:
    """What this account counts, its value, and both of the other definition."""
    own = metrics.conversions, metrics.conversions_value
    every = metrics.all_conversions, metrics.all_conversions_value
    return (*every, own) if is_all else (*own, every)


def _actions(count: float, value: float, *, is_all: bool) -> bytes:
    """The conversions of the definition by which is not counted, as JSON; left out where they are the same."""
    name, value_name = ("conversions", "conversions_value") if is_all else (_ALL, f"{_ALL}_value")
    return msgspec.json.encode({name: repr(count), value_name: repr(value)})
