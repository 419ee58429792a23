"""The account that is synced, as Google's messages: every row of every level serialised beforehand, totals that add up.

Rows lie in a file in the order in which they are served, by day and object, so that any batch is one slice of it: the
bytes of a batch are the bytes of its rows, each with a tag and its length before it.
"""

from __future__ import annotations

import mmap
from array import array
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

from infra.sandbox.google.messages import Row
from tests.bench.sync.dataset import (
    ACCOUNT_ID,
    CURRENCY,
    TIMEZONE,
    Numbers,
    Shape,
    name,
    numbers_of,
    object_id,
    parent,
)

# Google's resources, and what the shape calls them.
RESOURCES = {"customer": "account", "campaign": "campaign", "ad_group": "adset", "ad_group_ad": "ad"}
# The field `results` of a batch.
_TAG = b"\x0a"
_MICROS_OF_A_CENT = 10_000


@dataclass
class Rows:
    """The rows of one level."""

    data: memoryview
    starts: array[int]

    def slice(self, begin: int, end: int) -> bytes:
        return bytes(self.data[self.starts[begin] : self.starts[end]])


@dataclass
class Dataset:
    """All levels of one version."""

    shape: Shape
    resources: dict[str, Rows]

    @classmethod
    def make(cls, shape: Shape, folder: Path) -> Self:
        """Serialise every row into files of the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {one: folder / f"{one}.{shape.version}.pb" for one in RESOURCES}
        writers = {one: path.open("wb") for one, path in files.items()}
        starts = {one: array("Q", [0]) for one in RESOURCES}
        heads = {
            one: [head(one, number, has_names=False) for number in range(shape.objects[level])]
            for one, level in RESOURCES.items()
        }
        for index in range(shape.days):
            of_day = Row()
            of_day.segments.date = (shape.since + timedelta(index)).isoformat()
            day = of_day.SerializeToString()
            numbers = numbers_of(shape, index)
            for one, level in RESOURCES.items():
                rows = [framed(a + day + _metrics(b)) for a, b in zip(heads[one], numbers[level], strict=True)]
                writers[one].write(b"".join(rows))
                starts[one].extend(list(accumulate(map(len, rows), initial=starts[one][-1]))[1:])
        for writer in writers.values():
            writer.close()
        return cls(shape, {one: Rows(_mapped(files[one]), starts[one]) for one in RESOURCES})

    def row_range(self, resource: str, since: date, until: date) -> tuple[int, int]:
        """Which rows of a resource lie in the days, both included."""
        count = self.shape.objects[RESOURCES[resource]]
        first = max((since - self.shape.since).days, 0)
        last = min((until - self.shape.since).days, self.shape.days - 1)
        return first * count, max(last + 1, first) * count


def framed(row: bytes) -> bytes:
    """A row as a part of its batch."""
    length, size = len(row), bytearray()
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return _TAG + bytes(size) + bytes([length]) + row


def head(resource: str, number: int, *, has_names: bool = True) -> bytes:
    """The part of a row that is the same every day; rows of numbers are asked for without resource names."""
    row, level = Row(), RESOURCES[resource]
    if level == "account":
        _customer(row)
    if level == "ad":
        ad = row.ad_group_ad.ad
        ad.id, ad.name = int(object_id("ad", number)), name("ad", number)
        ad.resource_name = f"customers/{ACCOUNT_ID}/ads/{ad.id}"
        number = parent("ad", number)
        row.ad_group_ad.resource_name = f"customers/{ACCOUNT_ID}/adGroupAds/{object_id('adset', number)}~{ad.id}"
        ad.type_ = ad.DESCRIPTOR.fields_by_name["type_"].enum_type.values_by_name["RESPONSIVE_SEARCH_AD"].number
    if level in {"ad", "adset"}:
        group = row.ad_group
        group.id, group.name = int(object_id("adset", number)), name("adset", number)
        group.resource_name = f"customers/{ACCOUNT_ID}/adGroups/{group.id}"
        number = parent("adset", number)
    if level != "account":
        campaign = row.campaign
        campaign.id, campaign.name = int(object_id("campaign", number)), name("campaign", number)
        campaign.resource_name = f"customers/{ACCOUNT_ID}/campaigns/{campaign.id}"
        campaign.advertising_channel_type = 2
    if not has_names:
        for node in (row.customer, row.campaign, row.ad_group, row.ad_group_ad, row.ad_group_ad.ad):
            node.ClearField("resource_name")
    made: bytes = row.SerializeToString()
    return made


def account() -> bytes:
    """The only row of the account's description: a conversion action that counts for thirty days."""
    row = Row()
    _customer(row)
    row.conversion_action.status = 2
    row.conversion_action.click_through_lookback_window_days = 30
    return framed(row.SerializeToString())


def _customer(row: Any) -> None:
    row.customer.id, row.customer.resource_name = int(ACCOUNT_ID), f"customers/{ACCOUNT_ID}"
    row.customer.descriptive_name, row.customer.status = "Adloom bench", 2
    row.customer.currency_code, row.customer.time_zone = CURRENCY, TIMEZONE


def _metrics(numbers: Numbers) -> bytes:
    impressions, clicks, spend, purchases, value, views = numbers
    row = Row()
    metrics = row.metrics
    metrics.impressions, metrics.clicks, metrics.video_trueview_views = impressions, clicks, views
    metrics.cost_micros = spend * _MICROS_OF_A_CENT
    metrics.conversions, metrics.conversions_value = float(purchases), value / 100
    metrics.all_conversions, metrics.all_conversions_value = float(purchases * 2), value / 50
    made: bytes = row.SerializeToString()
    return made


def _mapped(path: Path) -> memoryview:
    """A file's bytes. Its name goes at once, so that gigabytes go with the process however it ends."""
    with path.open("rb") as file:
        path.unlink()
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
