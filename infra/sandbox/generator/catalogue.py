"""The demo's accounts: invented shops with campaigns, seasons and troubles. Money in minor units of the currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
class AdSet:
    """`daily` is the spend of a normal day, `cpm` the price of 1000 impressions, rates in millionths of the base."""

    name: str
    slots: int
    daily: int
    cpm: int
    ctr: int
    cvr: int
    order: int
    video: bool = False


@dataclass(frozen=True)
class Campaign:
    """`trouble` is what goes wrong in it; `residual` spend of a normal day that has no ad row, nor an ad set's."""

    name: str
    objective: str
    season: Season
    adsets: tuple[AdSet, ...]
    daily_budget: int = 0
    trouble: Literal["", "overrun", "anomaly"] = ""
    residual: int = 0
    status: str = "active"


@dataclass(frozen=True)
class Account:
    """`digits` of its currency; `subjects` are what its ads show."""

    name: str
    currency: str
    digits: int
    zone: str
    site: str
    week: tuple[int, ...]
    subjects: tuple[str, ...]
    campaigns: tuple[Campaign, ...]


_SALES, _TRAFFIC, _LEADS = "OUTCOME_SALES", "OUTCOME_TRAFFIC", "OUTCOME_LEADS"

ACCOUNTS = (
    Account(
        "Nordlicht Outdoor · Europe",
        "EUR",
        2,
        "Europe/Berlin",
        "https://nordlicht-outdoor.example",
        SHOPPING_WEEK,
        ("First snow", "Down parka", "Shell jacket", "Two layers less", "Made to be mended", "Hut weekend"),
        (
            Campaign(
                "Winter coats · Prospecting",
                _SALES,
                "winter",
                (
                    AdSet("Lookalike 2 % · DACH", 3, 21000, 820, 14200, 21000, 18900, video=True),
                    AdSet("Broad · 25-54", 2, 15000, 690, 11800, 16000, 17900),
                ),
                daily_budget=52000,
                trouble="overrun",
            ),
            Campaign(
                "Winter coats · Retargeting",
                _SALES,
                "winter",
                (AdSet("Visitors · 30 days", 3, 9500, 1180, 22600, 42000, 19900),),
            ),
            Campaign(
                "Trail shoes · Always on",
                _SALES,
                "summer",
                (AdSet("Interests · Trail running", 2, 8800, 740, 13100, 19000, 12900, video=True),),
                daily_budget=14000,
            ),
            Campaign("Advantage+ catalogue", _SALES, "steady", (), residual=12000),
            Campaign("Store opening Leipzig", _TRAFFIC, "steady", (), status="paused", daily_budget=8000),
        ),
    ),
    Account(
        "Nordlicht Outdoor · US",
        "USD",
        2,
        "America/Los_Angeles",
        "https://nordlicht-outdoor.example/us",
        SHOPPING_WEEK,
        ("Storm tested", "The last parka", "Desert nights", "Pack light", "Free returns", "Rain or shine"),
        (
            Campaign(
                "US launch · Prospecting",
                _SALES,
                "gifts",
                (
                    AdSet("West coast · Broad", 3, 26000, 1240, 12400, 17000, 21900, video=True),
                    AdSet("Lookalike 1 % · Buyers", 3, 19000, 1390, 15100, 24000, 22900),
                ),
                trouble="anomaly",
            ),
            Campaign(
                "US launch · Retargeting",
                _SALES,
                "gifts",
                (AdSet("Cart · 14 days", 2, 7200, 1890, 24800, 51000, 23900),),
                daily_budget=11000,
            ),
        ),
    ),
    Account(
        "Hoshi Ceramics",
        "JPY",
        0,
        "Asia/Tokyo",
        "https://hoshi-ceramics.example",
        SHOPPING_WEEK,
        ("Tea for two", "Hand thrown", "Indigo glaze", "New year set", "From the kiln", "A bowl a day"),
        (
            Campaign(
                "Tableware · Prospecting",
                _SALES,
                "gifts",
                (
                    AdSet("Tokyo · Home and living", 3, 24000, 610, 11900, 15000, 8800, video=True),
                    AdSet("Kansai · Lookalike", 2, 15000, 570, 12800, 17000, 9200),
                ),
                daily_budget=60000,
            ),
            Campaign(
                "Gift sets · Season",
                _SALES,
                "gifts",
                (AdSet("Engaged shoppers", 3, 18000, 720, 14900, 26000, 12400),),
                residual=3000,
            ),
        ),
    ),
    Account(
        "Harbour & Oak",
        "GBP",
        2,
        "Europe/London",
        "https://harbour-and-oak.example",
        SHOPPING_WEEK,
        ("Solid oak", "A table for ten", "Made in Bristol", "Sofa in a week", "The reading chair", "Sample box"),
        (
            Campaign(
                "Dining · Prospecting",
                _SALES,
                "steady",
                (
                    AdSet("Home owners · 30-60", 3, 16500, 960, 10800, 6200, 64900),
                    AdSet("Lookalike 3 % · Buyers", 2, 11000, 890, 11600, 7400, 61900, video=True),
                ),
                daily_budget=34000,
            ),
            Campaign(
                "Garden furniture",
                _SALES,
                "summer",
                (AdSet("Gardens · Broad", 3, 12500, 780, 12300, 9100, 38900),),
                trouble="anomaly",
            ),
        ),
    ),
    Account(
        "Kaffeewerk Lindau",
        "EUR",
        2,
        "Europe/Berlin",
        "https://kaffeewerk-lindau.example",
        OFFICE_WEEK,
        ("Office in an hour", "Beans by post", "Barista for a day", "Free tasting", "Single origin", "Fair and fresh"),
        (
            Campaign(
                "Office coffee · Leads",
                _LEADS,
                "steady",
                (
                    AdSet("Office managers", 3, 13000, 1480, 9800, 38000, 4200),
                    AdSet("Founders · Bavaria", 2, 8000, 1560, 9100, 33000, 4400),
                ),
                daily_budget=24000,
            ),
            Campaign(
                "Bean subscription",
                _SALES,
                "gifts",
                (AdSet("Coffee lovers", 3, 9000, 720, 15800, 24000, 2900, video=True),),
            ),
        ),
    ),
)
