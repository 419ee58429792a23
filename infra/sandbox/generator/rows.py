"""The CSV rows of one account and local day, and of its objects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.sandbox.facts import columns
from infra.sandbox.generator import lives, numbers
from infra.sandbox.generator.catalogue import Account, Campaign
from infra.sandbox.generator.numbers import Delivery

# Today's numbers come in every three hours.
_STEP_HOURS = 3
_DAY_HOURS = 24
# Local morning hour and days after the day itself at which late conversions become known.
_LATE_HOUR, _LATE_DAYS = 6, (1, 3, 7)
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
                        delivered = numbers.of_ad(self.seed, ad.id, place.adset, at, day)
                        names = (campaign_id, campaign.name, place.adset_id, place.adset.name, ad.id, ad.name)
                        found.append(Line(self._head(names, day), campaign_id, delivered))
            if campaign.residual:
                # With ad sets it is what removed ads had in the first of them, without any the campaign's alone.
                own = next((place for place in self.places if place.campaign is campaign), None)
                group = (own.adset_id, own.adset.name) if own else ("", "")
                delivered = numbers.residual(self.seed, campaign_id, campaign, at, day)
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
                    yield ("meta", self.id, campaign_id, day, hour, *self._sums(delta))

    def objects(self) -> Iterator[Row]:
        """Rows of entities.csv for the account, its campaigns and ad sets."""
        born = self._instant(self.since, 0)
        yield self._entity("account", self.id, "", self.account.name, created=born)
        for campaign_id, campaign in self.campaigns.items():
            yield self._entity(
                "campaign", campaign_id, self.id, campaign.name, status=campaign.status, objective=campaign.objective,
                budget=self._money(campaign.daily_budget) if campaign.daily_budget else "", created=born,
            )  # fmt: skip
        for place in self.places:
            budget = "" if place.campaign.daily_budget else self._money(place.adset.daily * 6 // 5)
            yield self._entity(
                "ad_group", place.adset_id, place.campaign_id, place.adset.name, budget=budget, created=born
            )

    def ads_made(self, day: date) -> Iterator[Row]:
        """Rows of entities.csv for the ads that begin on a day; on the first day for all that run then."""
        for place in self.places:
            for ad in lives.ads_on(self.seed, place, day):
                if day in (ad.start, self.since):
                    yield self._ad(place, ad)

    def _ad(self, place: lives.Place, ad: lives.Ad) -> Row:
        shop = self.account.name.split(" · ", maxsplit=1)[0]
        words = {"headline": ad.subject, "primary_text": f"{ad.subject}, by {shop}. Free returns."}
        texts = json.dumps([{"field": field, "text": text} for field, text in words.items()], ensure_ascii=False)
        slug = ad.subject.lower().replace(" ", "-")
        return self._entity(
            "ad", ad.id, place.adset_id, ad.name, status="deleted" if ad.deleted else "active", texts=texts,
            url=f"{self.account.site}/{slug}", image=f"{self.account.site}/images/{slug}.jpg",
            created=self._instant(max(ad.start, self.since), 0),
            deleted=self._instant(ad.end, 9) if ad.deleted else "",
        )  # fmt: skip

    def _entity(
        self, level: str, object_id: str, parent_id: str, name: str, *, created: str, status: str = "active",
        budget: str = "", objective: str = "", url: str = "", image: str = "", texts: str = "", deleted: str = "",
    ) -> Row:  # fmt: skip
        review = "approved" if level == "ad" else ""
        window = 7 if level == "ad_group" else ""
        return (
            "meta", self.id, level, object_id, parent_id, name, status, "", budget, "", objective, url, image, texts,
            "", review, "", window, created, created, deleted,
        )  # fmt: skip

    def _head(self, names: tuple[str, ...], day: date) -> Row:
        return ("meta", self.id, self.account.currency, self.account.zone, *names, day)

    def _metrics(self, said: Delivery) -> Row:
        return (*self._sums(said), said.views or "", said.reach)

    def _sums(self, said: Delivery) -> Row:
        return said.impressions, said.clicks, self._money(said.spend), said.conversions, self._money(said.value)

    def _money(self, minor: int) -> str:
        digits = self.account.digits
        return f"{minor // 10**digits}.{minor % 10**digits:0{digits}}" if digits else str(minor)

    def _instant(self, day: date, hour: int) -> str:
        return datetime.combine(day, time(hour), ZoneInfo(self.account.zone)).isoformat()


def as_csv(rows: Iterator[Row]) -> str:
    """Rows as they stand in a file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
