"""The rows of entities.csv: an account, its campaigns and ad groups, and the ads as they begin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from infra.sandbox.facts import columns
from infra.sandbox.generator import lives
from infra.sandbox.generator.rows import Row, Writer
from infra.sandbox.generator.shapes import Platform, Reviewed

_COLUMNS = columns.ENTITIES + columns.ENTITIES_OPTIONAL
# Google counts by the account's conversion actions, Meta and TikTok by the ad group.
_GOOGLE_WINDOW = 30
# The fields of an ad's words, and what stands in each.
_WORDS: dict[Platform, tuple[tuple[str, str], ...]] = {
    "google": (
        ("headline", "{subject}"),
        ("headline", "{shop}"),
        ("headline", "Order today"),
        ("description", "{subject}, by {shop}. Free returns."),
        ("description", "From our own workshop, at your door in three days."),
    ),
    "meta": (("headline", "{subject}"), ("primary_text", "{subject}, by {shop}. Free returns.")),
    "tiktok": (("ad_text", "{subject}. Watch how {shop} does it."),),
}


@dataclass(frozen=True)
class Objects:
    """Makes the rows of an account's objects, from the account on the same first day as its numbers."""

    writer: Writer

    def standing(self) -> Iterator[Row]:
        """The account, its campaigns and ad groups, and the ads that its review holds back."""
        writer, account = self.writer, self.writer.account
        window = _GOOGLE_WINDOW if account.platform == "google" else ""
        yield self._entity("account", writer.id, "", account.name, kind=account.kind, conversion_window_days=window)
        for campaign_id, campaign in writer.campaigns.items():
            yield self._entity(
                "campaign", campaign_id, writer.id, campaign.name, status=campaign.status, kind=campaign.kind,
                objective=campaign.objective, labels=_json(campaign.labels),
                daily_budget=writer.money(campaign.daily_budget) if campaign.daily_budget else "",
            )  # fmt: skip
        for place in writer.places:
            yield self._adgroup(place)
            if place.adset.reviewed is not None:
                yield self._held_back(place, place.adset.reviewed)

    def ads_made(self, day: date) -> Iterator[Row]:
        """The ads that begin on a day; on the first day all that run then."""
        for place in self.writer.places:
            for ad in lives.ads_on(self.writer.seed, place, day):
                if day in (ad.start, self.writer.since):
                    yield self._ad(place, ad)

    def _adgroup(self, place: lives.Place) -> Row:
        google = place.account.platform == "google"
        # A budget stands at the campaign or, where the platform has it, at the ad group.
        budget = "" if place.campaign.daily_budget or google else self.writer.money(place.adset.daily * 6 // 5)
        window = "" if google else place.adset.window
        seen: dict[str, str] = {}
        if not place.adset.slots:
            subject = place.account.subjects[0]
            seen = {**self._creative(subject), "image_url": self._image(subject), "review_status": "approved"}
        return self._entity(
            "ad_group", place.adset_id, place.campaign_id, place.adset.name, daily_budget=budget,
            conversion_window_days=window, **seen,
        )  # fmt: skip

    def _ad(self, place: lives.Place, ad: lives.Ad) -> Row:
        begun = self._instant(max(ad.start, self.writer.since), 0)
        return self._entity(
            "ad", ad.id, place.adset_id, ad.name, status="deleted" if ad.deleted else "active",
            **self._creative(ad.subject), labels=self._labels(place, ad), review_status="approved",
            created_at=begun, updated_at=begun, deleted_at=self._instant(ad.end, 9) if ad.deleted else "",
        )  # fmt: skip

    def _held_back(self, place: lives.Place, reviewed: Reviewed) -> Row:
        return self._entity(
            "ad", lives.reviewed_id(self.writer.seed, place, reviewed), place.adset_id, f"New · {reviewed.subject}",
            **self._creative(reviewed.subject), review_status=reviewed.status, review_reason=reviewed.reason,
        )  # fmt: skip

    def _creative(self, subject: str) -> dict[str, str]:
        account = self.writer.account
        shop = account.name.split(" · ", maxsplit=1)[0]
        slug = subject.lower().replace(" ", "-")
        texts = [
            {"field": field, "text": text.format(subject=subject, shop=shop)}
            for field, text in _WORDS[account.platform]
        ]
        # A search ad has no picture.
        image = "" if account.platform == "google" else self._image(subject)
        return {"texts": _json(texts), "final_url": f"{account.site}/{slug}", "image_url": image}

    def _image(self, subject: str) -> str:
        return f"{self.writer.account.site}/images/{subject.lower().replace(' ', '-')}.jpg"

    @staticmethod
    def _labels(place: lives.Place, ad: lives.Ad) -> str:
        # TikTok has no labels.
        return "" if place.account.platform == "tiktok" else _json([ad.subject])

    def _entity(self, level: str, object_id: str, parent_id: str, name: str, **cells: object) -> Row:
        born = self._instant(self.writer.since, 0)
        row: dict[str, Any] = {
            "platform": self.writer.account.platform, "account_id": self.writer.id, "level": level, "id": object_id,
            "parent_id": parent_id, "name": name, "status": "active", "created_at": born, "updated_at": born, **cells,
        }  # fmt: skip
        return tuple(row.get(column, "") for column in _COLUMNS)

    def _instant(self, day: date, hour: int) -> str:
        return datetime.combine(day, time(hour), ZoneInfo(self.writer.account.zone)).isoformat()


def _json(found: object) -> str:
    return json.dumps(found, ensure_ascii=False) if found else ""
