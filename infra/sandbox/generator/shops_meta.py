"""The demo's shops on Meta, invented: campaigns, seasons and troubles."""

from __future__ import annotations

from infra.sandbox.generator.shapes import SHOPPING_WEEK, Account, AdSet, Campaign, Reviewed

_SALES, _TRAFFIC = "OUTCOME_SALES", "OUTCOME_TRAFFIC"

ACCOUNTS = (
    Account(
        "meta",
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
                labels=("Winter 26", "Prospecting"),
            ),
            Campaign(
                "Winter coats · Retargeting",
                _SALES,
                "winter",
                (
                    AdSet(
                        "Visitors · 30 days",
                        3,
                        9500,
                        1180,
                        22600,
                        42000,
                        19900,
                        reviewed=Reviewed(
                            "Last chance", "disapproved", "Claims of scarcity that the landing page does not support."
                        ),
                    ),
                ),
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
        "meta",
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
                    AdSet("West coast · Broad", 2, 26000, 1240, 12400, 17000, 21900, video=True),
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
        "meta",
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
                    AdSet("Home owners · 30-60", 2, 16500, 960, 10800, 6200, 64900),
                    AdSet("Lookalike 3 % · Buyers", 1, 11000, 890, 11600, 7400, 61900, video=True),
                ),
                daily_budget=34000,
            ),
            Campaign(
                "Garden furniture",
                _SALES,
                "summer",
                (AdSet("Gardens · Broad", 2, 12500, 780, 12300, 9100, 38900),),
                trouble="anomaly",
                residual=1100,
                labels=("Garden",),
            ),
        ),
    ),
)
