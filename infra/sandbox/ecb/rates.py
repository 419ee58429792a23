"""Which rates the sandbox's bank knows: those of the facts folder, or invented ones that its seed decides."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

# About as many units per euro as in life, so that invented amounts look plausible; no rate of a real day.
_AROUND = {
    "USD": "1.10", "JPY": "160", "GBP": "0.86", "CHF": "0.95", "SEK": "11.3", "NOK": "11.6", "DKK": "7.46",
    "PLN": "4.3", "CZK": "25", "HUF": "395", "RON": "5", "TRY": "40", "AUD": "1.7", "NZD": "1.85", "CAD": "1.5",
    "CNY": "7.9", "HKD": "8.6", "INR": "95", "IDR": "17800", "ILS": "4", "KRW": "1500", "MXN": "20", "MYR": "5",
    "PHP": "63", "SGD": "1.45", "THB": "38", "ZAR": "20", "BRL": "6", "ISK": "148",
}  # fmt: skip
_FIRST_INVENTED = date(1999, 1, 4)
_SATURDAY = 5
_DIGITS = 5
_FRANKFURT, _PUBLISHED_AT = ZoneInfo("Europe/Berlin"), time(16)

Days = dict[date, dict[str, Decimal]]


def published(now: datetime) -> date:
    """The last day whose rates are out at an instant."""
    there = now.astimezone(_FRANKFURT)
    return there.date() if there.time() >= _PUBLISHED_AT else there.date() - timedelta(days=1)


def given(rates: Mapping[str, Mapping[date, Decimal]], until: date) -> Days:
    """The facts folder's rates by day, newest first."""
    days: Days = {}
    for currency, of_days in sorted(rates.items()):
        for day, rate in of_days.items():
            if day <= until and currency != "EUR":
                days.setdefault(day, {})[currency] = rate
    return {day: days[day] for day in sorted(days, reverse=True)}


def invented(seed: int, since: date, until: date) -> Days:
    """A rate of every currency on every working day, the same ones for a seed whenever they are asked for."""
    days: Days = {}
    day = until
    while day >= max(since, _FIRST_INVENTED):
        if is_working_day(day):
            days[day] = {currency: _invented(seed, currency, day) for currency in _AROUND}
        day -= timedelta(days=1)
    return days


def _invented(seed: int, currency: str, day: date) -> Decimal:
    """Slow and quick waves around the usual rate: a few per cent up and down."""
    mark = hashlib.sha256(f"{seed} {currency}".encode()).digest()
    number = day.toordinal()
    wave = sum(
        size * math.sin(2 * math.pi * (number / length + mark[place] / 256))
        for place, (length, size) in enumerate(((977, 0.04), (173, 0.015), (31, 0.006), (7.3, 0.002)))
    )
    rate = Decimal(_AROUND[currency]) * Decimal(repr(1 + wave))
    return rate.quantize(Decimal(1).scaleb(rate.adjusted() - _DIGITS + 1)).normalize() + Decimal(0)


def is_working_day(day: date) -> bool:
    """Whether the bank publishes: not on weekends and the holidays of its payment system."""
    easter = _easter(day.year)
    holidays = {
        date(day.year, 1, 1), easter - timedelta(days=2), easter + timedelta(days=1), date(day.year, 5, 1),
        date(day.year, 12, 25), date(day.year, 12, 26),
    }  # fmt: skip
    return day.weekday() < _SATURDAY and day not in holidays


def _easter(year: int) -> date:
    """Easter Sunday, by the rule of Meeus, Jones and Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    j = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * j) // 451
    month, day = divmod(h + j - 7 * m + 114, 31)
    return date(year, month, day + 1)


def newest(days: Days, count: int) -> Days:
    """The last calendar days of them."""
    if not days:
        return {}
    ordered = sorted(days)
    first = bisect_right(ordered, ordered[-1] - timedelta(days=count))
    return {day: days[day] for day in reversed(ordered[first:])}
