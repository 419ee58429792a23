"""A facts folder in memory, indexed by account and local day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from infra.sandbox.facts.cells import Text

Level = Literal["account", "campaign", "ad_group", "ad"]
# An ad's id, or campaign and ad group of delivery that has no ad row.
Key = str | tuple[str, str]


class Numbers(msgspec.Struct, gc=False):
    """What the platform says for one row or a sum of rows; None where it says nothing.

    Counts are ints, spend, conversions and conversion value Decimals in the account's currency.
    """

    impressions: int | None = None
    clicks: int | None = None
    spend: Decimal | None = None
    conversions: Decimal | None = None
    conversion_value: Decimal | None = None
    video_views: int | None = None
    reach: int | None = None

    def is_nothing(self) -> bool:
        """Whether this is no delivery at all: a row of zeros equals no row."""
        return not (
            self.impressions
            or self.clicks
            or self.spend
            or self.conversions
            or self.conversion_value
            or self.video_views
            or self.reach
        )


class Version(msgspec.Struct, gc=False):
    """What a row said before `until`."""

    until: datetime
    numbers: Numbers


class Slot(msgspec.Struct, gc=False):
    """One row of facts.csv with its earlier versions (ascending); `final` is None for a row that vanished."""

    campaign_id: str
    adgroup_id: str
    ad_id: str
    campaign_name: str
    adgroup_name: str
    ad_name: str
    final: Numbers | None
    versions: list[Version] | None = None

    def at(self, now: datetime) -> Numbers | None:
        """What the row says at an instant."""
        if self.versions:
            for version in self.versions:
                if version.until > now:
                    return version.numbers
        return self.final


class HourRow(msgspec.Struct, gc=False):
    """One campaign and local hour (0 to 23)."""

    campaign_id: str
    hour: int
    numbers: Numbers


class EntityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of entities.csv. Budgets in the account's currency; instants aware."""

    name: str
    status: str
    kind: str
    daily_budget: Decimal | None
    lifetime_budget: Decimal | None
    objective: str
    final_url: str
    image_url: str
    texts: tuple[Text, ...]
    labels: tuple[str, ...]
    review_status: str
    review_reason: str
    conversion_window_days: int | None
    created_at: datetime | None
    updated_at: datetime | None
    deleted_at: datetime | None


@dataclass
class Entity:
    """A campaign, ad group or ad. `name` is that of its rows; `names` its history where it changed."""

    level: Level
    id: str
    account_id: str
    campaign_id: str
    adgroup_id: str = ""
    name: str = ""
    renamed: bool = False
    names: list[tuple[date, str]] = field(default_factory=list)
    first_day: date | None = None
    row: EntityRow | None = None


@dataclass
class Day:
    """The rows of one account and local day."""

    date: date
    slots: dict[Key, Slot] = field(default_factory=dict)
    hours: list[HourRow] = field(default_factory=list)
    total: Numbers | None = None
    # Filled by serving.py: the rows served between two instants at which a version ends.
    instants: list[datetime] | None = None
    cache_epoch: int = -1
    cache: dict[str, dict[str, Numbers]] = field(default_factory=dict)


@dataclass
class Account:
    """An ad account with everything in it."""

    platform: str
    id: str
    currency: str
    zone: ZoneInfo
    days: dict[date, Day] = field(default_factory=dict)
    dates: list[date] = field(default_factory=list)
    row: EntityRow | None = None
    campaigns: dict[str, Entity] = field(default_factory=dict)
    adgroups: dict[str, Entity] = field(default_factory=dict)
    ads: dict[str, Entity] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of entities.csv; without one the account is called by its id, as platforms do."""
        return self.row.name if self.row and self.row.name else f"Account {self.id}"

    @property
    def born(self) -> datetime:
        """When it was made; where nobody says, the start of its first day."""
        made = self.row.created_at if self.row else None
        return made or datetime.combine(self.dates[0], time(), self.zone)

    def today(self, now: datetime) -> date:
        """The account's local day at an instant."""
        return now.astimezone(self.zone).date()

    def objects(self, level: Level) -> dict[str, Entity]:
        """Campaigns, ad groups or ads by id."""
        return {"campaign": self.campaigns, "ad_group": self.adgroups, "ad": self.ads}[level]


@dataclass
class Catalogue:
    """Every object of one platform by id, over all its accounts."""

    campaigns: dict[str, Entity] = field(default_factory=dict)
    adgroups: dict[str, Entity] = field(default_factory=dict)
    ads: dict[str, Entity] = field(default_factory=dict)


@dataclass
class Folder:
    """A whole facts folder."""

    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    catalogues: dict[str, Catalogue] = field(default_factory=dict)
    rates: dict[str, dict[date, Decimal]] = field(default_factory=dict)

    def of(self, platform: str) -> dict[str, Account]:
        """The accounts of a platform by id."""
        return {key[1]: account for key, account in self.accounts.items() if key[0] == platform}
