"""The rows of one account of an acceptance folder: as awkward as the format allows, but what its platform can say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from infra.sandbox.facts import columns
from infra.sandbox.generator.acceptance_world import Account, Ad, Object, Size
from infra.sandbox.generator.chance import stream
from infra.sandbox.generator.shapes import HOURS

Row = dict[str, str]
METRICS = columns.FACTS[columns.FACTS.index("impressions") :]
SUMS = columns.SUMS
# Hours are read eight weeks back: the last days have them, and of the others one in five.
HOURLY_DAYS, _LAST_HOURLY_DAYS, _HOURLY_EVERY = 50, 3, 5
_GAP_SHARE, _ZERO_SHARE, _SILENT_SHARE = 0.12, 0.02, 0.05
_RESTATED_SHARE, _LATE_SHARE, _TAKEN_BACK_SHARE = 0.12, 0.1, 0.02
# Once in so many days an account has a total of its own; some of these equal the sum of the rows.
_TOTAL_EVERY, _EQUAL_SHARE = 40, 0.3
_LAST_HOUR = 23
# Google's amounts are millionths and need not be whole cents.
_MICRO_DIGITS, _MICRO_SHARE = 6, 0.2
_FRACTIONS = ("0.5", "12.25", "3.33", "0.07")


@dataclass
class Rows:
    """What one account adds to each file; `planted` are the days on which its total is not the sum of its rows."""

    facts: list[Row] = field(default_factory=list)
    restated: list[Row] = field(default_factory=list)
    hourly: list[Row] = field(default_factory=list)
    totals: list[Row] = field(default_factory=list)
    planted: list[dict[str, object]] = field(default_factory=list)


def rows_of(seed: int, size: Size, account: Account) -> Rows:
    """Everything of an account that has a day."""
    return _Maker(size, account, stream(seed, "rows", account.platform, account.id)).made()


@dataclass
class _Maker:
    size: Size
    account: Account
    chance: random.Random
    rows: Rows = field(default_factory=Rows)

    def made(self) -> Rows:
        for number, ad in enumerate(self.account.ads):
            self._deliver(ad, always=number == 0)
        self._without_ads()
        # Planted days hold still: a restated row there would explain what nothing explains.
        still = self._totals()
        self._restate(still)
        self._hours()
        return self.rows

    def _deliver(self, ad: Ad, *, always: bool) -> None:
        for offset in range((ad.until - ad.since).days + 1):
            if always or self.chance.random() >= _GAP_SHARE:
                day = ad.since + timedelta(offset)
                self.rows.facts.append(self._row(day, ad.campaign, ad.adgroup, ad.ad, some=always))

    def _without_ads(self) -> None:
        """Performance Max and removed ads, every few days."""
        for number, (campaign, adgroup) in enumerate(self.account.residuals):
            for offset in range(number, self.size.days, 2 + 3 * number):
                day = self.size.since + timedelta(offset)
                self.rows.facts.append(self._row(day, campaign, adgroup, None) | {"reach": ""})

    def _row(
        self, day: date, campaign: Object, adgroup: Object | None, ad: Object | None, *, some: bool = False
    ) -> Row:
        account = self.account
        row = {
            "platform": account.platform, "account_id": account.id, "currency": account.currency,
            "timezone": account.zone, "campaign_id": campaign.id, "campaign_name": campaign.called(day),
            "adgroup_id": adgroup.id if adgroup else "", "adgroup_name": adgroup.called(day) if adgroup else "",
            "ad_id": ad.id if ad else "", "ad_name": ad.called(day) if ad else "", "date": day.isoformat(),
        }  # fmt: skip
        return row | self._metrics(some=some)

    def _metrics(self, *, some: bool = False) -> Row:
        """Numbers of a row; with `some` neither nothing nor unsaid."""
        chance = self.chance
        impressions = chance.randrange(1, 50_000)
        metrics = {
            "impressions": str(impressions),
            "clicks": str(chance.randrange(impressions + 1)),
            "spend": self._amount(10**6, micros=self.account.platform == "google"),
            "conversions": self._conversions(),
            "conversion_value": self._amount(10**7),
            "video_views": chance.choice(["", str(chance.randrange(1000))]),
            "reach": "" if self.account.platform == "google" else chance.choice(["", str(impressions // 2 + 1)]),
        }
        kind = chance.random()
        if some or kind >= _ZERO_SHARE + _SILENT_SHARE:
            return metrics
        if kind < _ZERO_SHARE:
            return dict.fromkeys(METRICS, "0") | {"reach": ""}
        return metrics | dict.fromkeys(chance.sample(METRICS[:5], 2), "")

    def _amount(self, most: int, *, micros: bool = False) -> str:
        digits = _MICRO_DIGITS if micros and self.chance.random() < _MICRO_SHARE else self.account.digits
        units = self.chance.randrange(1, most) * 10 ** (digits - self.account.digits)
        if digits > self.account.digits:
            units += self.chance.randrange(10 ** (digits - self.account.digits))
        return f"{Decimal(units).scaleb(-digits):f}"

    def _conversions(self) -> str:
        whole = str(self.chance.randrange(50))
        choices = (whole, *_FRACTIONS) if self.account.platform == "google" else (whole,)
        return self.chance.choice(choices)

    def _totals(self) -> set[str]:
        """What the platform says for the account itself; the days on which that is not the sum of its rows."""
        by_day: dict[str, list[Row]] = {}
        for row in self.rows.facts:
            by_day.setdefault(row["date"], []).append(row)
        days = sorted(by_day)
        planted: set[str] = set()
        for day in days[self.chance.randrange(_TOTAL_EVERY) :: _TOTAL_EVERY]:
            total = sums(by_day[day])
            told = total if self.chance.random() < _EQUAL_SHARE else self._other(total)
            self.rows.totals.append(
                {"platform": self.account.platform, "account_id": self.account.id, "date": day, **told}
            )
            if told != total:
                planted.add(day)
                self.rows.planted.append(
                    {"platform": self.account.platform, "account_id": self.account.id, "date": day,
                     "metrics": {name: [total[name], told[name]] for name in SUMS if told[name] != total[name]}}
                )  # fmt: skip
        return planted

    def _other(self, total: Row) -> Row:
        """A total that differs: in its spend by the smallest unit or by much, in its counts, or in its conversions."""
        smallest = Decimal(1).scaleb(-self.account.digits)
        changed: dict[str, Decimal] = self.chance.choice([
            {"spend": smallest},
            {"spend": smallest * self.chance.randrange(1, 10**6)},
            {"impressions": Decimal(self.chance.randrange(1, 10**4)), "clicks": Decimal(1)},
            {"conversions": Decimal(1), "conversion_value": smallest * self.chance.randrange(1, 10**5)},
        ])  # fmt: skip
        return total | {name: f"{Decimal(total[name]) + more:f}" for name, more in changed.items()}

    def _restate(self, still: set[str]) -> None:
        """Earlier versions of rows: smaller ones, some that were nothing at first, and rows that were taken back."""
        kept: list[Row] = []
        for row in self.rows.facts:
            drawn = self.chance.random()
            ends = list(self._ends(row["date"])) if drawn < _RESTATED_SHARE and row["date"] not in still else []
            taken_back = bool(ends) and drawn < _RESTATED_SHARE * _TAKEN_BACK_SHARE and self._is_spare(row)
            if not taken_back:
                kept.append(row)
            for number, end in enumerate(ends):
                metrics = self._metrics() | ({} if row["ad_id"] else {"reach": ""})
                if number == 0 and self.chance.random() < _LATE_SHARE:
                    metrics = dict.fromkeys(METRICS, "0") | {"reach": ""}
                self.rows.restated.append(row | metrics | {"visible_until": end})
        self.rows.facts = kept

    def _is_spare(self, row: Row) -> bool:
        """Whether the day and the ad have other rows: an ad that delivers always is never taken back."""
        return bool(row["ad_id"]) and row["ad_id"] != self.account.ads[0].ad.id

    def _ends(self, day: str) -> Iterator[str]:
        """Until when earlier versions were served: in the day itself, and in the weeks after it."""
        zone = ZoneInfo(self.account.zone)
        began = date.fromisoformat(day)
        last = datetime.combine(self.size.until + timedelta(1), time(), zone)
        for days, hour in (
            (0, self.chance.randrange(8, 24)),
            (self.chance.randrange(1, 4), 6),
            (self.chance.randrange(7, 28), 6),
        ):
            end = datetime.combine(began + timedelta(days), time(hour), zone)
            if end <= last:
                yield end.isoformat()

    def _hours(self) -> None:
        """Hours of each campaign that add up to its day; an hour that summer time skips has none."""
        hourly = {
            (self.size.until - timedelta(age)).isoformat()
            for age in range(HOURLY_DAYS)
            if age < _LAST_HOURLY_DAYS or age % _HOURLY_EVERY == _LAST_HOURLY_DAYS
        }
        days: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows.facts:
            if row["date"] in hourly:
                days.setdefault((row["campaign_id"], row["date"]), []).append(row)
        for (campaign_id, day), rows in sorted(days.items()):
            for hour, numbers in _split(sums(rows), _hours_of(day, ZoneInfo(self.account.zone)), self.account.digits):
                if any(Decimal(value) for value in numbers.values()):
                    self.rows.hourly.append(
                        {"platform": self.account.platform, "account_id": self.account.id, "campaign_id": campaign_id,
                         "date": day, "hour": str(hour), **numbers}
                    )  # fmt: skip


def sums(rows: list[Row]) -> Row:
    """The sums of rows; an empty cell counts as nothing."""
    return {name: f"{sum((Decimal(row[name] or 0) for row in rows), Decimal(0)):f}" for name in SUMS}


def _hours_of(day: str, zone: ZoneInfo) -> list[int]:
    """The local hours that a day has; one that comes twice is one hour to the platforms."""
    began = datetime.combine(date.fromisoformat(day), time(), zone)
    return [hour for hour in range(_LAST_HOUR + 1) if _exists(began.replace(hour=hour), zone)]


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    return datetime.fromtimestamp(local.timestamp(), zone).hour == local.hour


def _split(total: Row, hours: list[int], digits: int) -> Iterator[tuple[int, Row]]:
    """A day's sums over its hours: whole counts and amounts of the currency, and what is left over in the last."""
    weight = sum(HOURS[hour] for hour in hours)
    places = {"spend": digits, "conversion_value": digits}
    left = {name: Decimal(value) for name, value in total.items()}
    for hour in hours:
        numbers: Row = {}
        for name, value in total.items():
            unit = Decimal(1).scaleb(-places.get(name, 0))
            part = (
                (Decimal(value) * HOURS[hour] / weight).quantize(unit, "ROUND_DOWN")
                if hour != hours[-1]
                else left[name]
            )
            left[name] -= part
            numbers[name] = f"{part:f}"
        yield hour, numbers
