"""The demo's shops on Google, invented. Performance Max delivers without ads; conversions come in fractions."""

from __future__ import annotations

from infra.sandbox.generator.shapes import OFFICE_WEEK, SHOPPING_WEEK, Account, AdSet, Campaign, Reviewed

ACCOUNTS = (
    Account(
        "google",
        "Nordlicht Outdoor · Search",
        "EUR",
        2,
        "Europe/Berlin",
        "https://nordlicht-outdoor.example",
        SHOPPING_WEEK,
        ("Winter coats", "Down parkas", "Waterproof shells", "Free returns", "Made to be mended"),
        (
            Campaign(
                "Search · Brand",
                "",
                "steady",
                (AdSet("Nordlicht", 1, 4200, 9200, 182000, 61000, 14900),),
                daily_budget=6000,
                kind="search",
                labels=("Brand",),
            ),
            Campaign(
                "Search · Winter coats",
                "",
                "winter",
                (
                    AdSet(
                        "Parkas",
                        2,
                        14000,
                        24500,
                        51000,
                        29000,
                        18900,
                        reviewed=Reviewed("Warmest ever", "disapproved", "UNSUPPORTED_CLAIMS"),
                    ),
                    AdSet("Rain jackets", 1, 8200, 21000, 47000, 25000, 16900),
                ),
                daily_budget=26000,
                kind="search",
                labels=("Winter 26",),
            ),
            Campaign(
                "Performance Max · Catalogue",
                "",
                "gifts",
                (),
                daily_budget=24000,
                residual=19000,
                kind="performance_max",
            ),
        ),
    ),
    Account(
        "google",
        "Hoshi Ceramics",
        "JPY",
        0,
        "Asia/Tokyo",
        "https://hoshi-ceramics.example",
        SHOPPING_WEEK,
        ("Tea for two", "Hand thrown", "Indigo glaze", "New year set", "From the kiln", "A bowl a day"),
        (
            Campaign(
                "Tableware · Search",
                "",
                "gifts",
                (
                    AdSet("Tea bowls", 2, 24000, 9800, 44000, 21000, 8800),
                    AdSet("Gift sets", 2, 15000, 9100, 39000, 26000, 12400),
                ),
                daily_budget=60000,
                kind="search",
            ),
            Campaign(
                "Performance Max · Japan",
                "",
                "gifts",
                (AdSet("Gift sets", 0, 0, 650, 10500, 15000, 9000),),
                residual=21000,
                kind="performance_max",
            ),
        ),
        kind="sub_manager",
    ),
    Account(
        "google",
        "Kaffeewerk Lindau",
        "EUR",
        2,
        "Europe/Berlin",
        "https://kaffeewerk-lindau.example",
        OFFICE_WEEK,
        ("Office in an hour", "Beans by post", "Barista for a day", "Free tasting", "Single origin"),
        (
            Campaign(
                "Office coffee · Leads",
                "",
                "steady",
                (
                    AdSet("Coffee for offices", 2, 13000, 31000, 42000, 58000, 4200),
                    AdSet("Coffee machines to rent", 1, 8000, 36500, 38000, 51000, 4400),
                ),
                daily_budget=19000,
                trouble="overrun",
                kind="search",
                labels=("Leads",),
            ),
            Campaign(
                "How we roast",
                "",
                "gifts",
                (AdSet("Coffee lovers", 1, 5200, 5400, 9100, 6000, 2900, video=True),),
                kind="video",
            ),
        ),
        kind="direct",
    ),
)
