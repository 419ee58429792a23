"""Writes facts folders that are as awkward as the format allows, by seed: what `make verify` must get right."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from adloom.money import digits

FACTS = (
    *("platform", "account_id", "currency", "timezone", "campaign_id", "campaign_name"),
    *("adgroup_id", "adgroup_name", "ad_id", "ad_name", "date"),
    *("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views", "reach"),
)
METRICS = FACTS[-7:]
ACCOUNTS = (("EUR", "Europe/Berlin"), ("JPY", "Asia/Tokyo"), ("USD", "America/Los_Angeles"), ("KWD", "Asia/Kolkata"))
# Names that break what is put together carelessly: separators, quotes, tags, right-to-left, emoji, lookalikes.
NAMES = (
    *("Winter coats · Prospecting", 'Sale, "50 %" off', "<b>bold</b> & more", "عروض الشتاء", "🔥 Hot deals 🔥"),
    *("it's ; drop table metrics; --", "Ünïcödé Straße", "tab\there", "x" * 200, "null", "0", "=1+1"),
)


@dataclass(frozen=True)
class Ad:
    account: int
    campaign: str
    adgroup: str
    ad: str


class Folder:
    """One folder in the making. `seed` decides every number."""

    def __init__(self, path: Path, seed: int, *, accounts: int, days: int, ads: int, last: date) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.first = last - timedelta(days=days - 1)
        self.days = [self.first + timedelta(days=number) for number in range(days)]
        self.accounts = [(str(10**15 + seed * 100 + n), *ACCOUNTS[n % len(ACCOUNTS)]) for n in range(accounts)]
        self.ads = [self._ad(number) for number in range(ads)]
        self.facts: list[dict[str, str]] = []
        path.mkdir(parents=True, exist_ok=True)

    def _ad(self, number: int) -> Ad:
        account = number % len(self.accounts)
        big = 2**60 + account * 10**12
        group = number // 3
        return Ad(account, str(big + group // 2), str(big + 10**9 + group), str(big + 10**10 + number))

    def write(self) -> None:
        for ad in self.ads:
            self._deliver(ad)
        self._without_ads()
        self.random.shuffle(self.facts)
        self._csv("facts.csv", FACTS, self.facts)
        self._entities()
        self._restated()
        self._totals()
        self._hourly()

    def _deliver(self, ad: Ad) -> None:
        for day in self.days:
            if self.random.random() < 0.8:  # there are gaps
                self.facts.append(self._row(ad, day))

    def _row(self, ad: Ad, day: date) -> dict[str, str]:
        identity, currency, zone = self.accounts[ad.account]
        row = dict.fromkeys(FACTS, "") | {"platform": "meta", "account_id": identity}
        row |= {"currency": currency, "timezone": zone, "date": day.isoformat()}
        row |= {"campaign_id": ad.campaign, "campaign_name": self._name(ad.campaign, day)}
        row |= {"adgroup_id": ad.adgroup, "adgroup_name": self._name(ad.adgroup, day)}
        row |= {"ad_id": ad.ad, "ad_name": self._name(ad.ad, day)}
        return row | self._metrics(currency)

    def _name(self, identity: str, day: date) -> str:
        """Names change under one id in the middle of the folder."""
        later = day > self.first + (self.days[-1] - self.first) / 2
        return NAMES[(int(identity) + later) % len(NAMES)] + f" {identity[-4:]}"

    def _metrics(self, currency: str) -> dict[str, str]:
        chance = self.random
        impressions = chance.randrange(1, 50_000)
        unit = Decimal(1).scaleb(-digits(currency))
        metrics = {
            "impressions": str(impressions),
            "clicks": str(chance.randrange(impressions + 1)),
            "spend": str((Decimal(chance.randrange(1, 10**7)) * unit).quantize(unit)),
            "conversions": chance.choice([str(chance.randrange(50)), "0.5", "12.25"]),
            "conversion_value": str((Decimal(chance.randrange(10**7)) * unit).quantize(unit)),
            "video_views": chance.choice(["", str(chance.randrange(1000))]),
            "reach": chance.choice(["", str(chance.randrange(1, impressions + 1))]),
        }
        kind = chance.random()
        if kind < 0.03:
            return dict.fromkeys(METRICS, "0")
        if kind < 0.15:  # the platform says nothing of some
            metrics |= dict.fromkeys(chance.sample(METRICS[:6], chance.randrange(1, 4)), "")
        return metrics

    def _without_ads(self) -> None:
        """Delivery that exists at the campaign only, or at the ad group."""
        for number, ad in enumerate(self.ads[::5]):
            for day in self.days[:: 3 + number % 4]:
                row = self._row(ad, day) | {"ad_id": "", "ad_name": "", "reach": ""}
                if number % 2:
                    row |= {"adgroup_id": "", "adgroup_name": ""}
                self.facts.append(row)

    def _entities(self) -> None:
        columns = (
            "platform",
            "account_id",
            "level",
            "id",
            "parent_id",
            "name",
            "status",
            "daily_budget",
            "texts",
            "deleted_at",
        )
        made: dict[tuple[str, str], dict[str, str]] = {}
        ended = datetime.combine(self.days[-1], time_of_day(3), UTC).isoformat()
        for ad in self.ads:
            identity = self.accounts[ad.account][0]
            for level, own, parent in (
                ("campaign", ad.campaign, identity),
                ("ad_group", ad.adgroup, ad.campaign),
                ("ad", ad.ad, ad.adgroup),
            ):
                status = self.random.choice(["active", "active", "paused", "archived", "deleted"])
                made[level, own] = {
                    "platform": "meta",
                    "account_id": identity,
                    "level": level,
                    "id": own,
                    "parent_id": parent,
                    "name": f"{NAMES[int(own) % len(NAMES)]} now",
                    "status": status,
                    "daily_budget": str(100 * (1 + int(own) % 9)) if level == "campaign" else "",
                    "texts": json.dumps([{"field": "headline", "text": "Buy, now"}]) if level == "ad" else "",
                    "deleted_at": ended if status == "deleted" else "",
                }
        for identity, *_ in self.accounts:
            made["account", identity] = dict.fromkeys(columns, "") | {
                "platform": "meta",
                "account_id": identity,
                "level": "account",
                "id": identity,
                "name": f"Account {identity}",
                "status": "active",
            }
        self._csv("entities.csv", columns, list(made.values()))

    def _restated(self) -> None:
        """Earlier versions of some rows; the last of them ends a few hours after the last day."""
        columns = (*FACTS, "visible_until")
        rows = []
        for row in self.random.sample(self.facts, len(self.facts) // 10):
            ends = datetime.combine(date.fromisoformat(row["date"]), time_of_day(20), ZoneInfo(row["timezone"]))
            for hours in (0, 30):
                version = row | self._metrics(row["currency"])
                if not row["ad_id"]:
                    version["reach"] = ""
                rows.append(version | {"visible_until": (ends + timedelta(hours=hours)).isoformat()})
        self._csv("restated.csv", columns, rows)

    def _totals(self) -> None:
        """What the platform says for an account where it is not the sum of its rows."""
        columns = ("platform", "account_id", "date", *METRICS[:5])
        rows = []
        for identity, currency, _ in self.accounts[::2]:
            for day in self.days[::7]:
                metrics = self._metrics(currency)
                rows.append(
                    {"platform": "meta", "account_id": identity, "date": day.isoformat()}
                    | {name: metrics[name] or "0" for name in METRICS[:5]}
                )
        self._csv("account_totals.csv", columns, rows)

    def _hourly(self) -> None:
        columns = ("platform", "account_id", "campaign_id", "date", "hour", *METRICS[:5])
        rows = []
        for campaign, account in sorted({(ad.campaign, ad.account) for ad in self.ads}):
            identity, currency, _ = self.accounts[account]
            for hour in (0, 13, 23):
                metrics = self._metrics(currency)
                rows.append(
                    {"platform": "meta", "account_id": identity, "campaign_id": campaign, "hour": str(hour)}
                    | {"date": self.days[-1].isoformat()}
                    | {name: metrics[name] for name in METRICS[:5]}
                )
        self._csv("hourly.csv", columns, rows)

    def _csv(self, name: str, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
        """In any order of columns, as the format allows."""
        order = list(columns)
        self.random.shuffle(order)
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, order)
            writer.writeheader()
            writer.writerows(rows)


def write_folder(
    path: Path, seed: int, *, accounts: int = 4, days: int = 40, ads: int = 60, last: date = date(2026, 3, 31)
) -> Path:
    """A folder with all five files; the default spans a change to summer time."""
    Folder(path, seed, accounts=accounts, days=days, ads=ads, last=last).write()
    return path
