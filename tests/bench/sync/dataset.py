"""The account that is synced: every row of every level serialised beforehand, totals that add up.

A row is what Meta sends for 8 actions with their attribution windows and values: 2.4 kB of JSON. Rows lie in a file in
the order in which they are served, by day and object, so that any page is one slice of it.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

ACCOUNT_ID = "700000000000017"
# Fixed, so that two runs of a seed serve the same bytes; the business clock stands on the day behind it.
LAST_DAY = date(2026, 3, 31)
CURRENCY, TIMEZONE = "EUR", "Europe/Berlin"
LEVELS = ("account", "campaign", "adset", "ad")
_ADS_OF_AN_ADSET, _ADSETS_OF_A_CAMPAIGN = 10, 5
_PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
# Steps before the purchase: how often each comes for one purchase.
_STEPS = {"view_content": 9, "add_to_cart": 4, "initiate_checkout": 2}

# impressions, clicks, spend in cents, purchases, value in cents, video views
Numbers = tuple[int, int, int, int, int, int]
# What is the same of an object every day, by level and number; and its row of a day, a comma behind it.
Head = Callable[[str, int], str]
Line = Callable[[str, Numbers, str], bytes]


@dataclass(frozen=True)
class Shape:
    """How much there is. `version` 2 holds the same rows with every number changed."""

    ads: int
    days: int
    seed: int = 1
    version: int = 1

    @property
    def objects(self) -> dict[str, int]:
        """Objects of each level; each has a row on each day."""
        adsets = -(-self.ads // _ADS_OF_AN_ADSET)
        return {"account": 1, "campaign": -(-adsets // _ADSETS_OF_A_CAMPAIGN), "adset": adsets, "ad": self.ads}

    @property
    def ad_days(self) -> int:
        return self.ads * self.days

    @property
    def rows(self) -> int:
        """Rows of all levels."""
        return sum(self.objects.values()) * self.days

    @property
    def since(self) -> date:
        return LAST_DAY - timedelta(self.days - 1)

    @property
    def until(self) -> date:
        return LAST_DAY

    def arguments(self) -> dict[str, Any]:
        return asdict(self)


class Rows:
    """The rows of one level. `slice(a, b)` are those from the a-th up to the b-th, separated by commas."""

    def __init__(self, data: mmap.mmap, starts: array[int]) -> None:
        self._data = memoryview(data)
        self._starts = starts

    def slice(self, begin: int, end: int) -> memoryview:
        if begin >= end:
            return self._data[0:0]
        return self._data[self._starts[begin] : self._starts[end] - 1]


@dataclass
class Dataset:
    """All levels of one version."""

    shape: Shape
    levels: dict[str, Rows]

    @classmethod
    def make(cls, shape: Shape, folder: Path, head: Head | None = None, line: Line | None = None) -> Self:
        """Serialise every row into files of the folder. Without `head` and `line` they are Meta's."""
        head, line = head or _head, line or _row
        folder.mkdir(parents=True, exist_ok=True)
        starts = {level: array("Q", [0]) for level in LEVELS}
        files = {level: folder / f"{level}.{shape.version}.json" for level in LEVELS}
        writers = {level: path.open("wb") for level, path in files.items()}
        heads = {level: [head(level, number) for number in range(shape.objects[level])] for level in LEVELS}
        for index in range(shape.days):
            day = (shape.since + timedelta(index)).isoformat()
            for level, numbers in numbers_of(shape, index).items():
                rows = [line(one, of_one, day) for one, of_one in zip(heads[level], numbers, strict=True)]
                writers[level].write(b"".join(rows))
                begins = accumulate(map(len, rows), initial=starts[level][-1])
                starts[level].extend(list(begins)[1:])
        for writer in writers.values():
            writer.close()
        return cls(shape, {level: Rows(_mapped(files[level]), starts[level]) for level in LEVELS})

    def row_range(self, level: str, since: date, until: date) -> tuple[int, int]:
        """Which rows of a level lie in the days, both included."""
        count = self.shape.objects[level]
        first = max((since - self.shape.since).days, 0)
        last = min((until - self.shape.since).days, self.shape.days - 1)
        return first * count, max(last + 1, first) * count


def object_id(level: str, number: int) -> str:
    """Ids of 15 digits, as Meta's."""
    return ACCOUNT_ID if level == "account" else str({"campaign": 1, "adset": 2, "ad": 3}[level] * 10**14 + number)


def parent(level: str, number: int) -> int:
    """The number of the object above."""
    return number // {"ad": _ADS_OF_AN_ADSET, "adset": _ADSETS_OF_A_CAMPAIGN}[level]


def name(level: str, number: int) -> str:
    return f"{level.title()} {number:05} | Spring collection | Prospecting"


def _mapped(path: Path) -> mmap.mmap:
    """A file's bytes. Its name goes at once, so that gigabytes go with the process however it ends."""
    with path.open("rb") as file:
        path.unlink()
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def numbers_of(shape: Shape, index: int) -> dict[str, list[Numbers]]:
    """The numbers of a day at every level; those above the ads are sums."""
    found = {"ad": [_numbers(shape, number, index) for number in range(shape.ads)]}
    for level, size in (("adset", _ADS_OF_AN_ADSET), ("campaign", _ADSETS_OF_A_CAMPAIGN), ("account", shape.ads)):
        below = found["ad" if level == "adset" else "adset" if level == "campaign" else "campaign"]
        found[level] = [_sum(below[first : first + size]) for first in range(0, len(below), size)]
    return found


def _sum(numbers: list[Numbers]) -> Numbers:
    impressions, clicks, spend, purchases, value, views = map(sum, zip(*numbers, strict=True))
    return impressions, clicks, spend, purchases, value, views


def _numbers(shape: Shape, ad: int, day: int) -> Numbers:
    mixed = ((shape.seed * 1_000_003 + ad * 8_191 + day * 131_071) * 2_654_435_761) & 0xFFFF_FFFF
    later = shape.version - 1  # whatever is later is more, so that every number of every level changes
    impressions = 300 + mixed % 9_000 + later
    clicks = impressions * (1 + (mixed >> 9) % 40) // 1_000 + 1 + later
    purchases = 1 + (mixed >> 17) % 6 + later
    spend = 100 + (mixed >> 5) % 30_000 + later
    return impressions, clicks, spend, purchases, purchases * (1_900 + (mixed >> 3) % 9_000), impressions // 3


def _head(level: str, number: int) -> str:
    """The part of a row that is the same every day."""
    above = {level: number}
    for below, level_above in (("ad", "adset"), ("adset", "campaign")):
        if below in above:
            above[level_above] = parent(below, above[below])
    ids = "".join(
        f'"{one}_id":"{object_id(one, above[one])}","{one}_name":"{name(one, above[one])}",'
        for one in ("campaign", "adset", "ad")
        if one in above
    )
    return (
        f'{{"account_id":"{ACCOUNT_ID}","account_name":"Adloom bench","account_currency":"{CURRENCY}",{ids}'
        '"objective":"OUTCOME_SALES",'
    )


def _row(head: str, numbers: Numbers, day: str) -> bytes:
    impressions, clicks, spend, purchases, value, views = numbers
    steps = {f"offsite_conversion.fb_pixel_{step}": times for step, times in _STEPS.items()}
    counts = [("link_click", clicks), ("video_view", views), *((kind, purchases * n) for kind, n in steps.items())]
    counts += [(kind, purchases) for kind in _PURCHASES]
    values = [(kind, value * n) for kind, n in steps.items()] + [(kind, value) for kind in _PURCHASES]
    return (
        f'{head}"impressions":"{impressions}","clicks":"{clicks}","spend":"{money(spend)}",'
        f'"reach":"{impressions * 5 // 6}","actions":{_entries(counts, str)},'
        f'"action_values":{_entries(values, money)},'
        f'"date_start":"{day}","date_stop":"{day}"}},'
    ).encode()


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _entries(entries: list[tuple[str, int]], written: Callable[[int], str]) -> str:
    """Actions with the windows in which they fell."""
    found = []
    for kind, count in entries:
        value = written(count)
        parts = (
            ("1d_click", count * 5 // 9),
            ("7d_click", count * 8 // 9),
            ("28d_click", count),
            ("1d_view", count // 9),
        )
        windows = ",".join([f'"{window}":"{written(part)}"' for window, part in parts])
        found.append(f'{{"action_type":"{kind}","value":"{value}",{windows}}}')
    return f"[{','.join(found)}]"
