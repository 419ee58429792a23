"""What an ad delivers on a day, by the hour and as the platform restates it. Whole numbers, money in minor units."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import NamedTuple

from infra.sandbox.generator.chance import MILLION, around, draws
from infra.sandbox.generator.lives import Place
from infra.sandbox.generator.shapes import HOURS, SEASONS, AdSet, Campaign, Platform

_UP_TO_HOUR = (0, *accumulate(HOURS))
# Shares of a day's conversions, in per cent, that are known on the day itself and at each later look.
LATE_SHARES = (70, 85, 95)
_OVERRUN_FROM_DAY, _OVERRUN = 10, 1380
_ANOMALY_EVERY_DAYS, _ANOMALY_SPEND, _ANOMALY_CONVERSIONS = 23, 2600, 150
# Into how many parts a conversion is split: Google attributes them to several clicks.
PARTS: dict[Platform, int] = {"google": 100, "meta": 1, "tiktok": 1}
_RESIDUAL = AdSet("", 1, 0, 650, 10500, 15000, 9000)


class Delivery(NamedTuple):
    """Numbers of one row; spend and value in minor units, conversions in the platform's `PARTS`."""

    impressions: int
    clicks: int
    spend: int
    conversions: int
    value: int
    views: int
    reach: int

    def up_to(self, hour: int, share: int) -> Delivery:
        """What had come in by an hour of the day, with a share (per cent) of the conversions known."""
        part, whole = _UP_TO_HOUR[hour], _UP_TO_HOUR[-1]
        known = self.conversions * share // 100
        conversions = known * part // whole
        value = self.value * conversions // self.conversions if self.conversions else 0
        return Delivery(
            self.impressions * part // whole,
            self.clicks * part // whole,
            self.spend * part // whole,
            conversions,
            value,
            self.views * part // whole,
            self.reach * part // whole,
        )


NOTHING = Delivery(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Setting:
    """What bears on every ad of a campaign on a day, in per mille."""

    spend: int
    conversions: int


def setting(seed: int, campaign_id: str, campaign: Campaign, week: tuple[int, ...], day: date) -> Setting:
    """Season, weekday and trouble."""
    months = SEASONS[campaign.season]
    here, following = months[day.month - 1], months[day.month % 12]
    season = here + (following - here) * (day.day - 1) // monthrange(day.year, day.month)[1]
    mood = around(draws(seed, campaign_id, day)[0], 60)
    spend, conversions = season * week[day.weekday()] * mood // MILLION, 1000
    if campaign.trouble == "overrun" and day.day >= _OVERRUN_FROM_DAY:
        spend = spend * _OVERRUN // 1000
    if campaign.trouble == "anomaly" and is_anomalous(seed, campaign_id, day):
        spend, conversions = spend * _ANOMALY_SPEND // 1000, _ANOMALY_CONVERSIONS
    return Setting(spend, conversions)


def is_anomalous(seed: int, campaign_id: str, day: date) -> bool:
    """One day in 23: the spend leaps and hardly anybody buys."""
    offset = draws(seed, campaign_id, "anomaly")[0] % _ANOMALY_EVERY_DAYS
    return day.toordinal() % _ANOMALY_EVERY_DAYS == offset


def of_ad(seed: int, ad_id: str, place: Place, at: Setting, day: date) -> Delivery:
    """A day of an ad."""
    weight = 700 + 600 * draws(seed, ad_id)[0] // MILLION
    daily = place.adset.daily * weight // (1000 * place.adset.slots)
    return _delivery(draws(seed, ad_id, day), daily, place.adset, at, PARTS[place.account.platform])


def residual(  # noqa: PLR0917 - one number, made of all these
    seed: int, campaign_id: str, campaign: Campaign, at: Setting, day: date, platform: Platform
) -> Delivery:
    """A day of delivery that has no ad row."""
    like = campaign.adsets[0] if campaign.adsets else _RESIDUAL
    return _delivery(draws(seed, campaign_id, "residual", day), campaign.residual, like, at, PARTS[platform])


def _delivery(drawn: tuple[int, ...], daily: int, adset: AdSet, at: Setting, parts: int) -> Delivery:
    spend = daily * at.spend * around(drawn[0], 130) // MILLION
    impressions = spend * MILLION // (adset.cpm * around(drawn[1], 110))
    clicks = impressions * adset.ctr * around(drawn[2], 150) // (1000 * MILLION)
    likely = clicks * adset.cvr * around(drawn[3], 200) // 1000 * at.conversions // 1000
    conversions = (likely * parts + drawn[4]) // MILLION
    value = conversions * adset.order * around(drawn[5], 120) // (1000 * parts)
    views = impressions * (180 + 120 * drawn[6] // MILLION) // 1000 if adset.video else 0
    reach = impressions * 1000 // (1080 + 700 * drawn[7] // MILLION)
    return Delivery(impressions, clicks, spend, conversions, value, views, reach)
