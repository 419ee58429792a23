"""What the demo's accounts are made of. Money in minor units of the account's currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Platform = Literal["google", "meta", "tiktok"]
# Per mille of a normal day, January to December.
Season = Literal["winter", "summer", "gifts", "steady"]
SEASONS: dict[Season, tuple[int, ...]] = {
    "winter": (1250, 1050, 800, 550, 380, 300, 280, 360, 650, 1050, 1450, 1550),
    "summer": (420, 520, 760, 1050, 1350, 1500, 1480, 1300, 900, 600, 430, 400),
    "gifts": (620, 900, 800, 850, 980, 750, 700, 760, 850, 1050, 1650, 1900),
    "steady": (960, 980, 1000, 1010, 1020, 990, 950, 940, 1010, 1030, 1080, 1060),
}
# Monday to Sunday.
SHOPPING_WEEK = (960, 940, 960, 990, 1010, 1080, 1120)
OFFICE_WEEK = (1120, 1150, 1140, 1100, 980, 720, 750)
# Weights of the local hours of a day.
HOURS = (14, 9, 6, 5, 6, 10, 20, 34, 42, 45, 47, 49, 54, 52, 50, 51, 54, 60, 68, 76, 82, 76, 58, 32)


@dataclass(frozen=True)
class Reviewed:
    """An ad that the platform's review holds back: it has no delivery, and in `reason` the platform says why."""

    subject: str
    status: Literal["disapproved", "in_review"]
    reason: str = ""


@dataclass(frozen=True)
class AdSet:
    """`daily` is the spend of a normal day, `cpm` the price of 1000 impressions, rates in millionths of the base.

    One of no `slots` is an asset group of Performance Max: it has what people see itself, and its campaign's residual.
    `window` is the days after a click in which a conversion counts for it, where the platform keeps that here.
    """

    name: str
    slots: int
    daily: int
    cpm: int
    ctr: int
    cvr: int
    order: int
    video: bool = False
    reviewed: Reviewed | None = None
    window: int = 7


@dataclass(frozen=True)
class Campaign:
    """`trouble` is what goes wrong in it; `residual` spend of a normal day that has no ad row, nor an ad set's.

    `kind` is the platform's: Google's advertising channel, TikTok's Smart+.
    """

    name: str
    objective: str
    season: Season
    adsets: tuple[AdSet, ...]
    daily_budget: int = 0
    trouble: Literal["", "overrun", "anomaly"] = ""
    residual: int = 0
    status: str = "active"
    kind: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """`digits` of its currency; `subjects` are what its ads show; `kind` its place below Google's managers."""

    platform: Platform
    name: str
    currency: str
    digits: int
    zone: str
    site: str
    week: tuple[int, ...]
    subjects: tuple[str, ...]
    campaigns: tuple[Campaign, ...]
    kind: str = ""
