"""The CSV rows of one account and local day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.sandbox.facts import columns
from infra.sandbox.generator import lives, numbers
from infra.sandbox.generator.numbers import Delivery
from infra.sandbox.generator.shapes import Account, Campaign

# Today's numbers come in every three hours.
_STEP_HOURS = 3
_DAY_HOURS = 24
# Local morning hour and days after the day itself at which late conversions become known.
_LATE_HOUR, _LATE_DAYS = 6, (1, 3, 7)
_CONVERSION_DIGITS = {1: 0, 100: 2}
Row = tuple[object, ...]
FILES = (columns.FACTS_FILE, columns.ENTITIES_FILE, columns.HOURLY_FILE, columns.RESTATED_FILE)
HEADERS = {
    columns.FACTS_FILE: columns.FACTS,
    columns.ENTITIES_FILE: columns.ENTITIES + columns.ENTITIES_OPTIONAL,
    columns.HOURLY_FILE: columns.HOURLY,
    columns.RESTATED_FILE: columns.RESTATED,
}


class Line(NamedTuple):
    """A row of facts.csv before it is written: the cells up to the date, and what was delivered."""

    head: Row
    campaign_id: str
    final: Delivery


@dataclass(frozen=True)
class Writer:
    """Makes the rows of an account. `since` is its first day: nothing of it is older."""

    seed: int
    account: Account
    since: date

    @cached_property
    def id(self) -> str:
        return lives.account_id(self.seed, self.account)

    @cached_property
    def places(self) -> list[lives.Place]:
        return lives.places(self.seed, self.account)

    @cached_property
    def campaigns(self) -> dict[str, Campaign]:
        return {lives.campaign_id(self.seed, self.account, one): one for one in self.account.campaigns}

    def facts(self, lines: list[Line]) -> Iterator[Row]:
        """Rows of facts.csv."""
        for line in lines:
            yield (*line.head, *self._metrics(line.final))

    def lines(self, day: date) -> list[Line]:
        """What is delivered on a day."""
        found: list[Line] = []
        for campaign_id, campaign in self.campaigns.items():
            at = numbers.setting(self.seed, campaign_id, campaign, self.account.week, day)
            for place in self.places:
                if place.campaign is campaign:
                    for ad in lives.ads_on(self.seed, place, day):
                        delivered = numbers.of_ad(self.seed, ad.id, place, at, day)
                        names = (campaign_id, campaign.name, place.adset_id, place.adset.name, ad.id, ad.name)
                        found.append(Line(self._head(names, day), campaign_id, delivered))
            if campaign.residual:
                # With ad sets it is what removed ads had in the first of them, without any the campaign's alone.
                own = next((place for place in self.places if place.campaign is campaign), None)
                group = (own.adset_id, own.adset.name) if own else ("", "")
                delivered = numbers.residual(self.seed, campaign_id, campaign, at, day, self.account.platform)
                found.append(
                    Line(self._head((campaign_id, campaign.name, *group, "", ""), day), campaign_id, delivered)
                )
        return [line for line in found if line.final.impressions]

    def restated(self, lines: list[Line], day: date) -> Iterator[Row]:
        """Rows of restated.csv: the day as it came in, then its late conversions."""
        zone = ZoneInfo(self.account.zone)
        midnight = datetime.combine(day, time(), zone)
        instants = [
            (midnight + timedelta(hours=hour)).isoformat() for hour in range(_STEP_HOURS, _DAY_HOURS + 1, _STEP_HOURS)
        ]
        late = [datetime.combine(day + timedelta(n + 1), time(_LATE_HOUR), zone).isoformat() for n in _LATE_DAYS]
        for line in lines:
            for index, until in enumerate(instants):
                said = line.final.up_to(index * _STEP_HOURS, numbers.LATE_SHARES[0])
                yield (*line.head, *self._metrics(said), until)
            for share, until in zip(numbers.LATE_SHARES, late, strict=True):
                said = line.final.up_to(_DAY_HOURS, share)
                if said.conversions != line.final.conversions:
                    yield (*line.head, *self._metrics(said), until)

    def hourly(self, lines: list[Line], day: date) -> Iterator[Row]:
        """Rows of hourly.csv: each campaign's hours add up to its day."""
        for campaign_id in dict.fromkeys(line.campaign_id for line in lines):
            own = [line.final for line in lines if line.campaign_id == campaign_id]
            before = numbers.NOTHING
            for hour in range(_DAY_HOURS):
                parts = [final.up_to(hour + 1, 100) for final in own]
                total = Delivery(*map(sum, zip(*parts, strict=True)))
                delta = Delivery(*(now - then for now, then in zip(total, before, strict=True)))
                before = total
                if any(delta[:5]):
                    yield (self.account.platform, self.id, campaign_id, day, hour, *self._sums(delta))

    def _head(self, names: tuple[str, ...], day: date) -> Row:
        return (self.account.platform, self.id, self.account.currency, self.account.zone, *names, day)

    def _metrics(self, said: Delivery) -> Row:
        # Google says reach of no day.
        reach = "" if self.account.platform == "google" else said.reach
        return (*self._sums(said), said.views or "", reach)

    def _sums(self, said: Delivery) -> Row:
        conversions = as_decimal(said.conversions, _CONVERSION_DIGITS[numbers.PARTS[self.account.platform]])
        return said.impressions, said.clicks, self.money(said.spend), conversions, self.money(said.value)

    def money(self, minor: int) -> str:
        """An amount as the account's currency writes it."""
        return as_decimal(minor, self.account.digits)


def as_decimal(units: int, digits: int) -> str:
    """Units of the last of so many decimals."""
    return f"{units // 10**digits}.{units % 10**digits:0{digits}}" if digits else str(units)


def as_csv(rows: Iterator[Row]) -> str:
    """Rows as they stand in a file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
