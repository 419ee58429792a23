"""What must be stored after a sync of a facts folder: the judge of an acceptance run.

Plain reading and adding of the CSV rows, on purpose apart from the code that serves them, so that a mistake there
cannot hide here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

METRICS = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views")
Row = dict[str, str]
K = TypeVar("K")


@dataclass
class Cells:
    """One row or a sum of rows. Everything Decimal; money in the account's currency. An empty cell counts as 0."""

    impressions: Decimal = Decimal(0)
    clicks: Decimal = Decimal(0)
    spend: Decimal = Decimal(0)
    conversions: Decimal = Decimal(0)
    conversion_value: Decimal = Decimal(0)
    video_views: Decimal = Decimal(0)

    def add(self, row: Row) -> None:
        for metric in METRICS:
            setattr(self, metric, getattr(self, metric) + Decimal(row.get(metric) or 0))

    def is_zero(self) -> bool:
        return not any(getattr(self, metric) for metric in METRICS)


@dataclass
class Expected:
    """The cells that must be stored, by `(platform, id, local day)`; a row of zeros is left out.

    `currencies` by `(platform, account id)`; `names` by `(platform, level, id)` with level campaign, ad_group, ad.
    """

    accounts: dict[tuple[str, str, date], Cells] = field(default_factory=dict)
    campaigns: dict[tuple[str, str, date], Cells] = field(default_factory=dict)
    adgroups: dict[tuple[str, str, date], Cells] = field(default_factory=dict)
    ads: dict[tuple[str, str, date], Cells] = field(default_factory=dict)
    currencies: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # By `(platform, campaign's or account's id, local day, hour)`.
    campaign_hours: dict[tuple[str, str, date, int], Cells] = field(default_factory=dict)
    account_hours: dict[tuple[str, str, date, int], Cells] = field(default_factory=dict)


def expected(folder: Path, now: datetime) -> Expected:
    """Every cell as the platforms say it at a business instant (aware): restated rows in the version of then."""
    result = Expected()
    zones: dict[tuple[str, str], ZoneInfo] = {}
    for row in _said(folder, now):
        account = (row["platform"], row["account_id"])
        result.currencies[account] = row["currency"]
        zone = zones.setdefault(account, ZoneInfo(row["timezone"]))
        if date.fromisoformat(row["date"]) <= now.astimezone(zone).date():
            _count(result, row)
    for row in _rows(folder / "account_totals.csv"):
        zone = zones[row["platform"], row["account_id"]]
        on = date.fromisoformat(row["date"])
        if on <= now.astimezone(zone).date():
            of_rows = result.accounts.get((row["platform"], row["account_id"], on), Cells())
            # The totals file says nothing of video views: they stay the sum of the rows.
            total = result.accounts[row["platform"], row["account_id"], on] = Cells(video_views=of_rows.video_views)
            total.add(row)
    for row in _rows(folder / "hourly.csv"):
        local = now.astimezone(zones[row["platform"], row["account_id"]])
        if (date.fromisoformat(row["date"]), int(row["hour"])) <= (local.date(), local.hour):
            _count_hour(result, row)
    for sums in (result.accounts, result.campaigns, result.adgroups, result.ads):
        _drop_zeros(sums)
    for hours in (result.campaign_hours, result.account_hours):
        _drop_zeros(hours)
    _name(result, folder, now)
    return result


def _count(result: Expected, row: Row) -> None:
    on = date.fromisoformat(row["date"])
    for sums, column in (
        (result.accounts, "account_id"),
        (result.campaigns, "campaign_id"),
        (result.adgroups, "adgroup_id"),
        (result.ads, "ad_id"),
    ):
        if row[column]:
            sums.setdefault((row["platform"], row[column], on), Cells()).add(row)


def _drop_zeros(sums: dict[K, Cells]) -> None:
    for key in [key for key, cells in sums.items() if cells.is_zero()]:
        del sums[key]


def _count_hour(result: Expected, row: Row) -> None:
    when = (date.fromisoformat(row["date"]), int(row["hour"]))
    for sums, column in ((result.account_hours, "account_id"), (result.campaign_hours, "campaign_id")):
        sums.setdefault((row["platform"], row[column], *when), Cells()).add(row)


def _said(folder: Path, now: datetime) -> Iterator[Row]:
    """The rows of facts.csv, each in the version that is visible at `now`."""
    visible: dict[tuple[str, ...], tuple[datetime, Row]] = {}
    for row in _rows(folder / "restated.csv"):
        until = datetime.fromisoformat(row["visible_until"])
        known = visible.get(_key(row))
        if until > now and (known is None or until < known[0]):
            visible[_key(row)] = (until, row)
    for row in _rows(folder / "facts.csv"):
        version = visible.pop(_key(row), None)
        yield version[1] if version else row
    # What is left was said once and taken back later.
    yield from (row for _, row in visible.values())


def _key(row: Row) -> tuple[str, ...]:
    return tuple(row[c] for c in ("platform", "account_id", "campaign_id", "adgroup_id", "ad_id", "date"))


def _name(result: Expected, folder: Path, now: datetime) -> None:
    latest: dict[tuple[str, str, str], str] = {}
    for row in _rows(folder / "facts.csv"):
        if date.fromisoformat(row["date"]) > now.astimezone(ZoneInfo(row["timezone"])).date():
            continue
        for level, column in (("campaign", "campaign_id"), ("ad_group", "adgroup_id"), ("ad", "ad_id")):
            key = (row["platform"], level, row[column])
            if row[column] and latest.get(key, "") <= row["date"]:
                latest[key] = row["date"]
                result.names[key] = row[column.replace("_id", "_name")]
    for row in _rows(folder / "entities.csv"):
        key = (row["platform"], row["level"], row["id"])
        if row["name"] and key in result.names:
            result.names[key] = row["name"]


def _rows(path: Path) -> Iterator[Row]:
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
