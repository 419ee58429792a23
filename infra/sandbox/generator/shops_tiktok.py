"""The demo's shops on TikTok, invented: videos, one campaign of Smart+, and a currency of three decimals."""

from __future__ import annotations

from infra.sandbox.generator.shapes import SHOPPING_WEEK, Account, AdSet, Campaign, Reviewed

_SALES, _TRAFFIC = "WEB_CONVERSIONS", "TRAFFIC"

ACCOUNTS = (
    Account(
        "tiktok",
        "Nordlicht Outdoor · US videos",
        "USD",
        2,
        "America/Los_Angeles",
        "https://nordlicht-outdoor.example/us",
        SHOPPING_WEEK,
        ("Storm tested", "The last parka", "Desert nights", "Pack light", "Rain or shine"),
        (
            Campaign(
                "US creators · Sales",
                _SALES,
                "gifts",
                (
                    AdSet("18-34 · Outdoor", 2, 15000, 640, 9800, 11000, 20900, video=True),
                    AdSet("Lookalike · Buyers", 2, 9500, 710, 11200, 15000, 21900, video=True, window=28),
                ),
                daily_budget=32000,
                trouble="anomaly",
            ),
            Campaign(
                "Smart+ · Jackets",
                _SALES,
                "winter",
                (AdSet("Smart+ ad group", 2, 12000, 590, 10400, 13000, 18900, video=True),),
                residual=900,
                kind="smart_plus",
            ),
        ),
    ),
    Account(
        "tiktok",
        "Dana Perfumes",
        "KWD",
        3,
        "Asia/Kuwait",
        "https://dana-perfumes.example",
        SHOPPING_WEEK,
        ("Oud at night", "Rose of Taif", "A drop is enough", "Gift box", "Musk and amber"),
        (
            Campaign(
                "Gift boxes · Gulf",
                _SALES,
                "gifts",
                (
                    AdSet(
                        "Women · 25-44",
                        2,
                        42000,
                        1900,
                        10600,
                        16000,
                        18500,
                        video=True,
                        reviewed=Reviewed("Wear it forever", "disapproved", "Misleading claim about the product."),
                    ),
                    AdSet("Engaged viewers", 1, 21000, 2100, 12900, 23000, 19500, video=True, window=14),
                ),
                daily_budget=70000,
            ),
            Campaign(
                "New store · Avenues",
                _TRAFFIC,
                "steady",
                (
                    AdSet(
                        "Kuwait City",
                        1,
                        12000,
                        1500,
                        12100,
                        0,
                        0,
                        video=True,
                        reviewed=Reviewed("See you there", "in_review"),
                    ),
                ),
            ),
        ),
    ),
)
