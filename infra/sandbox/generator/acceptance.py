"""A large folder for an acceptance run: three platforms, four currencies, zones from Tokyo to Los Angeles.

It has restated days, rows without ads, hours, and days on which an account's total is not the sum of its rows; these
stand in `planted.json` too, which no sandbox reads.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from infra.sandbox.facts import columns
from infra.sandbox.generator import acceptance_rows, acceptance_world
from infra.sandbox.generator.acceptance_rows import Row, Rows
from infra.sandbox.generator.acceptance_world import Account, Ad, Object, Size
from infra.sandbox.generator.chance import stream

PLANTED_FILE = "planted.json"
_ENTITIES = columns.ENTITIES + columns.ENTITIES_OPTIONAL
_FILES = {
    columns.FACTS_FILE: columns.FACTS,
    columns.RESTATED_FILE: columns.RESTATED,
    columns.HOURLY_FILE: columns.HOURLY,
    columns.TOTALS_FILE: columns.TOTALS,
}
_STATUSES = ("active", "active", "active", "paused", "archived", "deleted")
# Google and TikTok archive nothing: what is not paused there is removed.
_WITHOUT_ARCHIVE = ("active", "active", "active", "paused", "deleted")
_REASONS = {
    "google": "MISLEADING_CONTENT",
    "meta": "This ad has text over most of its image.",
    "tiktok": "The landing page does not match the ad.",
}
_REVIEWS = ("approved", "approved", "approved", "", "in_review", "disapproved")
_WINDOWS = {"meta": (7,), "tiktok": (1, 7, 14, 28)}


def write(folder: Path, seed: int, size: Size) -> None:
    """The whole folder; the same seed and size give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    accounts = acceptance_world.accounts(seed, size)
    parts = [acceptance_rows.rows_of(seed, size, account) for account in accounts]
    for name, wanted in _FILES.items():
        _csv(folder / name, wanted, _of(parts, name))
    _csv(folder / columns.ENTITIES_FILE, _ENTITIES, _entities(seed, size, accounts))
    planted = [day for part in parts for day in part.planted]
    (folder / PLANTED_FILE).write_text(json.dumps(planted, indent=1) + "\n", encoding="utf-8")


def _of(parts: list[Rows], name: str) -> Iterator[Row]:
    for part in parts:
        yield from {
            columns.FACTS_FILE: part.facts,
            columns.RESTATED_FILE: part.restated,
            columns.HOURLY_FILE: part.hourly,
            columns.TOTALS_FILE: part.totals,
        }[name]


def _entities(seed: int, size: Size, accounts: list[Account]) -> Iterator[Row]:
    for account in accounts:
        yield from _Objects(size, account, stream(seed, "objects", account.id)).rows()


class _Objects:
    """The rows of entities.csv of one account."""

    def __init__(self, size: Size, account: Account, chance: random.Random) -> None:
        self.account = account
        self.chance = chance
        zone = ZoneInfo(account.zone)
        self.born = datetime.combine(size.since, time(), zone).isoformat()
        self.zone = zone

    def rows(self) -> Iterator[Row]:
        account = self.account
        window = "30" if account.platform == "google" else ""
        yield self._row(
            "account", Object(account.id, account.name), "", kind=account.kind, conversion_window_days=window
        )
        for campaign, kind in account.campaigns.values():
            budget = str(10 * self.chance.randrange(1, 500)) if self.chance.random() < 0.5 else ""  # noqa: PLR2004
            labels = self._labels("Season", "Always on")
            yield self._row("campaign", campaign, account.id, kind=kind, daily_budget=budget, labels=labels)
        groups = {ad.adgroup.id: ad for ad in account.ads}
        for ad in groups.values():
            days = _WINDOWS.get(account.platform)
            chosen = str(self.chance.choice(days)) if days else ""
            yield self._row("ad_group", ad.adgroup, ad.campaign.id, conversion_window_days=chosen)
        for campaign, group in account.residuals:
            if group is not None and group.id not in groups:
                yield self._asset_group(campaign, group)
        for ad in account.ads:
            yield self._ad(ad)

    def _ad(self, ad: Ad) -> Row:
        account = self.account
        status = self.chance.choice(_STATUSES if account.platform == "meta" else _WITHOUT_ARCHIVE)
        review = self.chance.choice(_REVIEWS)
        ended = self._at(ad.until + timedelta(1), 3)
        site = f"https://shop-{account.id[-4:]}.example/{ad.ad.id[-6:]}"
        return self._row(
            "ad", ad.ad, ad.adgroup.id, status=status, texts=self._texts(ad.ad), final_url=site,
            image_url="" if account.platform == "google" else f"{site}.jpg", labels=self._labels("Video", "Test"),
            review_status=review, review_reason=_REASONS[account.platform] if review == "disapproved" else "",
            created_at=self._at(ad.since, 0), deleted_at=ended if status == "deleted" else "",
        )  # fmt: skip

    def _asset_group(self, campaign: Object, group: Object) -> Row:
        site = f"https://shop-{self.account.id[-4:]}.example/{group.id[-6:]}"
        return self._row(
            "ad_group", group, campaign.id, texts=self._texts(group), final_url=site, image_url=f"{site}.jpg",
            review_status="approved",
        )  # fmt: skip

    def _texts(self, of: Object) -> str:
        fields = {
            "google": ("headline", "headline", "description"),
            "meta": ("headline", "primary_text"),
            "tiktok": ("ad_text",),
        }[self.account.platform]
        texts = [{"field": field, "text": f"{of.name} {n}"} for n, field in enumerate(fields, 1)]
        return json.dumps(texts, ensure_ascii=False)

    def _labels(self, *words: str) -> str:
        # TikTok has no labels.
        chosen = [word for word in words if self.chance.random() < 0.3]  # noqa: PLR2004
        return json.dumps(chosen) if chosen and self.account.platform != "tiktok" else ""

    def _row(self, level: str, one: Object, parent_id: str, **cells: str) -> Row:
        # One that was renamed is called as its rows call it, so that its name changes with the business clock.
        fixed = {
            "platform": self.account.platform, "account_id": self.account.id, "level": level, "id": one.id,
            "parent_id": parent_id, "name": "" if one.before else one.name, "status": "active",
            "created_at": self.born,
        }  # fmt: skip
        return dict.fromkeys(_ENTITIES, "") | fixed | cells

    def _at(self, day: date, hour: int) -> str:
        return datetime.combine(day, time(hour), self.zone).isoformat()


def _csv(path: Path, wanted: tuple[str, ...], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, wanted, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
