"""Which ad runs where: each place in an ad set has one ad at a time, and a new one follows it after some months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple

from infra.sandbox.generator.chance import MILLION, draws, identifier
from infra.sandbox.generator.shapes import Account, AdSet, Campaign, Platform, Reviewed

_SHORTEST_DAYS, _SPREAD_DAYS = 70, 60
_DELETED_SHARE = 450_000
_FORMATS: dict[Platform, tuple[str, ...]] = {
    "google": ("Responsive search",),
    "meta": ("Image", "Carousel", "Collection", "Image"),
    "tiktok": ("Video 9s", "Spark ad"),
}
# How ids begin and how long they are: of accounts, campaigns, ad groups and ads. None fits in a double, but Google's.
IDS: dict[Platform, tuple[tuple[str, int], ...]] = {
    "google": (("4", 10), ("2", 11), ("15", 12), ("70", 12)),
    "meta": (("1", 16), ("1202", 18), ("1203", 18), ("1204", 18)),
    "tiktok": (("7", 19), ("1811", 16), ("1812", 16), ("1813", 16)),
}


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


class _Look(NamedTuple):
    """What the ads of a place can be."""

    platform: Platform
    subjects: tuple[str, ...]
    formats: tuple[str, ...]


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
    """The account's, as its platform would give it."""
    return _id(account.platform, 0, seed, account.name)


def campaign_id(seed: int, account: Account, campaign: Campaign) -> str:
    """A campaign's."""
    return _id(account.platform, 1, seed, account.name, campaign.name)


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
            _id(account.platform, 2, seed, account.name, campaign.name, adset.name),
        )
        for campaign in account.campaigns
        for adset in campaign.adsets
    ]


def ads_on(seed: int, place: Place, day: date) -> list[Ad]:
    """The ads of an ad set that deliver on a day."""
    return [_ad(seed, place, slot, day) for slot in range(place.adset.slots)]


def reviewed_id(seed: int, place: Place, reviewed: Reviewed) -> str:
    """Of an ad that the review holds back."""
    return _id(place.account.platform, 3, seed, place.adset_id, "reviewed", reviewed.subject)


def _id(platform: Platform, depth: int, *what: object) -> str:
    return identifier(*IDS[platform][depth], *what)


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
    formats = ("Video 15s",) if video else _FORMATS[place.account.platform]
    look = _Look(place.account.platform, place.account.subjects, formats)
    return _made(seed, place.adset_id, slot, turn, look, start, start + period)


@cache
def _made(  # noqa: PLR0917 - cached by exactly these
    seed: int, adset_id: str, slot: int, turn: int, look: _Look, start: int, end: int
) -> Ad:  # fmt: skip
    own = draws(seed, adset_id, slot, turn)
    subject = look.subjects[own[0] * len(look.subjects) // MILLION]
    form = look.formats[own[1] * len(look.formats) // MILLION]
    return Ad(
        _id(look.platform, 3, seed, adset_id, slot, turn),
        f"{form} · {subject} · {date.fromordinal(start):%y-%m}",
        subject,
        slot,
        date.fromordinal(start),
        date.fromordinal(end),
        own[2] < _DELETED_SHARE,
    )
