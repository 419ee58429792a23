"""What days, money and numbers can be told in, for every platform."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

_CURRENCY = re.compile(r"[A-Z]{3}")


def is_currency(code: str) -> bool:
    return _CURRENCY.fullmatch(code) is not None


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def is_plain(texts: str) -> bool:
    """Whether numbers are written with nothing but digits and points, so that Postgres reads them as we do."""
    return texts.isascii() and texts.replace(".", "").isdigit()
