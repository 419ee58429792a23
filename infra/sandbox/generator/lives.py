"""Which ad runs where: each place in an ad set has one ad at a time, and a new one follows it after some months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from infra.sandbox.generator.catalogue import Account, AdSet, Campaign
from infra.sandbox.generator.chance import MILLION, draws, identifier

_SHORTEST_DAYS, _SPREAD_DAYS = 70, 60
_DELETED_SHARE = 450_000
_FORMATS = ("Image", "Carousel", "Collection", "Image")


@dataclass(frozen=True)
class Ad:
    """An ad in its place. It delivers from `start` until the day before `end`; then it is deleted, or only idle."""

    id: str
    name: str
    subject: str
    slot: int
    start: date
    end: date
    deleted: bool


@dataclass(frozen=True)
class Place:
    """An ad set with the ids of what it belongs to."""

    account: Account
    account_id: str
    campaign: Campaign
    campaign_id: str
    adset: AdSet
    adset_id: str


def account_id(seed: int, account: Account) -> str:
    """Sixteen digits."""
    return identifier("1", 16, seed, account.name)


def campaign_id(seed: int, account: Account, campaign: Campaign) -> str:
    """Eighteen digits, more than a double can hold."""
    return identifier("1202", 18, seed, account.name, campaign.name)


def places(seed: int, account: Account) -> list[Place]:
    """Every ad set of an account."""
    own = account_id(seed, account)
    return [
        Place(
            account,
            own,
            campaign,
            campaign_id(seed, account, campaign),
            adset,
            identifier("1203", 18, seed, account.name, campaign.name, adset.name),
        )
        for campaign in account.campaigns
        for adset in campaign.adsets
    ]


def ads_on(seed: int, place: Place, day: date) -> list[Ad]:
    """The ads of an ad set that deliver on a day."""
    return [_ad(seed, place, slot, day) for slot in range(place.adset.slots)]


@cache
def _rhythm(seed: int, adset_id: str, slot: int) -> tuple[int, int]:
    """How many days an ad runs in a place, and on which day of that count the calendar begins."""
    period_draw, phase_draw = draws(seed, adset_id, slot)[:2]
    period = _SHORTEST_DAYS + _SPREAD_DAYS * period_draw // MILLION
    return period, period * phase_draw // MILLION


def _ad(seed: int, place: Place, slot: int, day: date) -> Ad:
    period, phase = _rhythm(seed, place.adset_id, slot)
    turn = (day.toordinal() - phase) // period
    start = turn * period + phase
    video = place.adset.video and slot == 0
    return _made(seed, place.adset_id, slot, turn, place.account.subjects, video, start, start + period)


@cache
def _made(  # noqa: PLR0917 - cached by exactly these
    seed: int, adset_id: str, slot: int, turn: int, subjects: tuple[str, ...], video: bool, start: int, end: int
) -> Ad:  # fmt: skip
    own = draws(seed, adset_id, slot, turn)
    subject = subjects[own[0] * len(subjects) // MILLION]
    form = "Video 15s" if video else _FORMATS[own[1] * len(_FORMATS) // MILLION]
    return Ad(
        identifier("1204", 18, seed, adset_id, slot, turn),
        f"{form} · {subject} · {date.fromordinal(start):%y-%m}",
        subject,
        slot,
        date.fromordinal(start),
        date.fromordinal(end),
        own[2] < _DELETED_SHARE,
    )
