"""Who delivers in an acceptance folder: accounts of three platforms, their campaigns, ad groups and ads."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from infra.sandbox.generator.chance import identifier, stream
from infra.sandbox.generator.lives import IDS
from infra.sandbox.generator.shapes import Platform

PLATFORMS: tuple[Platform, ...] = ("google", "meta", "tiktok")
# From the first to begin a day to the last, with half hours, both ways of summer time and none.
PLACES = (
    *(("JPY", 0, "Asia/Tokyo"), ("EUR", 2, "Europe/Berlin"), ("USD", 2, "America/Los_Angeles")),
    *(("KWD", 3, "Asia/Kuwait"), ("USD", 2, "America/New_York"), ("EUR", 2, "Europe/Lisbon")),
    *(("KWD", 3, "Asia/Kolkata"), ("USD", 2, "America/Sao_Paulo")),
)
# Names that break what is put together carelessly: separators, quotes, tags, right-to-left, wide, a formula.
_WORDS = (
    *("Winter coats · Prospecting", 'Sale, "50 %" off', "<b>bold</b> & more", "عروض الشتاء", "新春セール 2026"),
    *("it's ; drop table metrics; --", "Ünïcödé Straße", "two  spaces", "null", "0", "=1+1", "A/B | test #3"),
)
_ADS_OF_GROUP, _GROUPS_OF_CAMPAIGN = 4, 3
_SHORTEST, _LONGEST = 8, 30
_RENAMED_SHARE = 0.1
_GOOGLE_KINDS = ("search", "display", "shopping", "video", "search")
_KINDS: dict[Platform, tuple[str, ...]] = {
    "google": _GOOGLE_KINDS,
    "meta": ("",),
    "tiktok": ("", "", "smart_plus", ""),
}


@dataclass(frozen=True)
class Size:
    """How much there is; `until` is the last local day of every account."""

    accounts: int = 48
    ads: int = 5400
    days: int = 210
    until: date = date(2026, 3, 31)

    @property
    def since(self) -> date:
        """The first day."""
        return self.until - timedelta(self.days - 1)


@dataclass(frozen=True)
class Object:
    """A campaign, ad group or ad. It is called `before` until the day before `renamed`, then `name`."""

    id: str
    name: str
    before: str = ""
    renamed: date = date.min

    def called(self, day: date) -> str:
        """Its name in the rows of a day."""
        return self.before if day < self.renamed else self.name


@dataclass(frozen=True)
class Ad:
    """An ad and what it belongs to, and its first and last day."""

    campaign: Object
    adgroup: Object
    ad: Object
    since: date
    until: date


@dataclass(frozen=True)
class Account:
    """An account. `residuals` deliver without an ad: a campaign, and the ad group or asset group if there is one."""

    platform: Platform
    id: str
    name: str
    currency: str
    digits: int
    zone: str
    kind: str
    campaigns: dict[str, tuple[Object, str]]
    ads: tuple[Ad, ...]
    residuals: tuple[tuple[Object, Object | None], ...]


def accounts(seed: int, size: Size) -> list[Account]:
    """Every account; each platform has every currency and zone when there are enough of them."""
    return [_account(seed, size, number) for number in range(size.accounts)]


def _account(seed: int, size: Size, number: int) -> Account:
    platform = PLATFORMS[number % len(PLATFORMS)]
    place = number // len(PLATFORMS)
    currency, digits, zone = PLACES[place % len(PLACES)]
    chance = stream(seed, platform, number)
    maker = _Maker(seed, platform, number, size, chance)
    share = size.ads // size.accounts + (number < size.ads % size.accounts)
    ads = maker.ads(share)
    campaigns = {ad.campaign.id: (ad.campaign, maker.kind(ad.campaign)) for ad in ads}
    groups = {ad.adgroup.id: (ad.campaign, ad.adgroup) for ad in ads[:: max(share // 3, 1)]}
    residuals: list[tuple[Object, Object | None]] = list(groups.values())
    if platform == "google":
        for name, group in (("max", None), ("max with assets", maker.object(2, "assets"))):
            largest = maker.object(1, name)
            campaigns[largest.id] = (largest, "performance_max")
            residuals.append((largest, group))
    elif platform == "meta":
        residuals.append((ads[-1].campaign, None))
    own_kind = ("", "direct", "sub_manager")[place % 3] if platform == "google" else ""
    own = identifier(*IDS[platform][0], seed, "acceptance", number)
    return Account(
        platform, own, f"Account {number + 1}, {zone.rpartition('/')[2]}", currency, digits, zone, own_kind, campaigns,
        tuple(ads), tuple(residuals),
    )  # fmt: skip


@dataclass(frozen=True)
class _Maker:
    seed: int
    platform: Platform
    number: int
    size: Size
    chance: random.Random

    def ads(self, count: int) -> list[Ad]:
        """So many ads. The first delivers on every day, so that every day of the account has a row."""
        found: list[Ad] = []
        for n in range(count):
            group = n // _ADS_OF_GROUP
            same_group = bool(n % _ADS_OF_GROUP)
            same_campaign = bool(group % _GROUPS_OF_CAMPAIGN) or same_group
            campaign = found[-1].campaign if same_campaign else self.object(1, group)
            adgroup = found[-1].adgroup if same_group else self.object(2, group)
            since, until = self._life() if n else (self.size.since, self.size.until)
            found.append(Ad(campaign, adgroup, self.object(3, n), since, until))
        return found

    def _life(self) -> tuple[date, date]:
        length = min(self.chance.randint(_SHORTEST, _LONGEST), self.size.days)
        since = self.size.since + timedelta(self.chance.randrange(self.size.days - length + 1))
        return since, since + timedelta(length - 1)

    def object(self, depth: int, own: object) -> Object:
        """An object, one in ten of which is renamed in the middle of the folder."""
        made = identifier(*IDS[self.platform][depth], self.seed, "acceptance", self.number, own)
        name = f"{self.chance.choice(_WORDS)} {made[-4:]}"
        if self.chance.random() >= _RENAMED_SHARE:
            return Object(made, name)
        renamed = self.size.since + timedelta(self.chance.randrange(self.size.days))
        return Object(made, name, f"{self.chance.choice(_WORDS)} {made[-3:]}", renamed)

    def kind(self, campaign: Object) -> str:
        """A campaign's kind, the same each time."""
        kinds = _KINDS[self.platform]
        return kinds[int(campaign.id) % len(kinds)]
