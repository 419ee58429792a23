"""What accounts may count as a conversion, by platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from adloom.platforms.google import conversions as google
from adloom.platforms.meta import conversions as meta
from adloom.platforms.tiktok import conversions as tiktok

_Platform = Literal["google", "meta", "tiktok"]


class Definitions(NamedTuple):
    """`default` counts where nobody chose, `offered` are to choose from; the platform may know more names."""

    default: str
    offered: tuple[str, ...]
    is_definition: Callable[[str], bool]


_OF: dict[_Platform, Definitions] = {
    "google": Definitions(google.DEFAULT, google.DEFINITIONS, google.is_definition),
    "meta": Definitions(meta.DEFAULT, meta.DEFINITIONS, meta.is_definition),
    "tiktok": Definitions(tiktok.DEFAULT, tiktok.DEFINITIONS, tiktok.is_definition),
}


def of(platform: _Platform) -> Definitions:
    """The definitions of a platform."""
    return _OF[platform]
