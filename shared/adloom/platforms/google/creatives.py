"""What people see of an ad or an asset group: texts and images, and what Google's review says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adloom.platforms.google import queries
from adloom.platforms.google.failures import enum_name

_UNSAID = frozenset({"UNSPECIFIED", "UNKNOWN"})
# What a topic of these types says is no reason not to run.
_HARMLESS = frozenset({"DESCRIPTIVE", "BROADENING"})
_REVIEW = {"ASSET_GROUP_DISAPPROVED": "DISAPPROVED", "ASSET_GROUP_LIMITED": "APPROVED_LIMITED",
           "ASSET_GROUP_UNDER_REVIEW": "REVIEW_IN_PROGRESS"}  # fmt: skip

Texts = tuple[tuple[str, str], ...]


class Lookup:
    """What resource names stand for, asked for when the first one is needed: most accounts never need any."""

    def __init__(self, ask: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._ask = ask
        self._found: dict[str, str] | None = None

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those that stand for something, in the order of the names."""
        found = []
        for name in names:
            if self._found is None:
                self._found = dict(self._ask())
            if value := self._found.get(name):
                found.append(value)
        return tuple(found)


def texts(ad: Any) -> Texts:
    """The texts of an ad, whatever its type, in the order in which people read them."""
    kind = ad.WhichOneof("ad_data")
    node = getattr(ad, kind) if kind else None
    names = queries.TEXTS.get(kind or "", {})
    return tuple((name, text) for part, name in names.items() for text in _said(getattr(node, part)))


def _said(value: Any) -> Iterator[str]:
    """A text, a message around one, or a list of such messages."""
    if isinstance(value, str):
        found = [value]
    elif hasattr(value, "DESCRIPTOR"):
        found = [value.text]
    else:
        found = [one.text for one in value]
    return (text for text in found if text)


def image(ad: Any, images: Lookup) -> str | None:
    """The address of the first image of an ad."""
    kind = ad.WhichOneof("ad_data")
    if kind == "image_ad":
        return ad.image_ad.image_url or None
    names = (one.asset for part in queries.IMAGES.get(kind or "", ()) for one in getattr(getattr(ad, kind), part))
    return next((url for name in names for url in images.of([name])), None)


@dataclass
class Assets:
    """Texts and images of an asset group, each with its place and number: Google sends them in no order."""

    _texts: list[tuple[int, int, str, str]] = field(default_factory=list)
    _images: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, row: Any) -> None:
        """A row of `asset_group_asset`."""
        place, asset = enum_name(row.asset_group_asset, "field_type"), row.asset
        if place in queries.ASSET_TEXTS and asset.text_asset.text:
            order = list(queries.ASSET_TEXTS).index(place)
            self._texts.append((order, asset.id, queries.ASSET_TEXTS[place], asset.text_asset.text))
        elif place in queries.ASSET_IMAGES and asset.image_asset.full_size.url:
            order = queries.ASSET_IMAGES.index(place)
            self._images.append((order, asset.id, asset.image_asset.full_size.url))

    @property
    def texts(self) -> Texts:
        return tuple(dict.fromkeys((name, text) for _, _, name, text in sorted(self._texts)))

    @property
    def image_url(self) -> str | None:
        return min(self._images)[-1] if self._images else None


# Review


def review(policy: Any) -> tuple[str | None, str | None]:
    """The status in Google's own word, and the topics that are the reason for it. A verdict goes before a step."""
    words = [enum_name(policy, "approval_status"), enum_name(policy, "review_status")]
    status = next((word for word in words if word not in _UNSAID), None)
    topics = {one.topic for one in policy.policy_topic_entries if enum_name(one, "type_") not in _HARMLESS}
    return status, ", ".join(sorted(topics - {""})) or None


def review_of_group(group: Any) -> tuple[str | None, str | None]:
    """The same of an asset group, which Google puts in other words: the first reason that is one of review."""
    values = group.DESCRIPTOR.fields_by_name["primary_status_reasons"].enum_type.values_by_number
    names = [values[number].name for number in group.primary_status_reasons if number in values]
    found = [name for name in _REVIEW if name in names]
    if found:
        return _REVIEW[found[0]], found[0]
    return ("APPROVED", None) if enum_name(group, "primary_status") == "ELIGIBLE" else (None, None)
