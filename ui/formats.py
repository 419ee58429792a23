"""How numbers, money and days are written: with the visitor's separators, a currency sign and tabular figures."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_timezone_location
from babel.numbers import format_compact_currency, format_compact_decimal, format_currency, format_decimal

from adloom.money import digits
from ui.i18n import _, current

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
_TO = f" {NONE} "
_SPACE = "\N{NO-BREAK SPACE}"
# From here on a KPI is shortened: 9.41 M.
COMPACT = Decimal(1_000_000)
_SHORT_AXIS = Decimal(100_000)


def _signs(text: str) -> str:
    """With a true minus, and a space between a currency's letters and its figures."""
    return re.sub(r"(?<=[A-Z]{3})(?=\d)", _SPACE, text.replace("-", MINUS))


def _spaced(compact: str) -> str:
    return re.sub(r"(?<=\d)(?=[A-Za-z])", _SPACE, _signs(compact))


def count(value: Decimal | int | None) -> str:
    """An exact count: 121,904; fractional conversions keep up to two digits."""
    if value is None:
        return NONE
    exact = Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return _signs(format_decimal(exact, "#,##0.##", locale=current().locale))


def money(value: Decimal | None, currency: str) -> str:
    """An exact amount with the currency's own digits: €9,214.08, ¥1,200."""
    if value is None:
        return NONE
    quantum = Decimal(1).scaleb(-digits(currency))
    rounded = value.quantize(quantum, ROUND_HALF_UP)
    return _signs(format_currency(rounded, currency, locale=current().locale))


def ratio(value: Decimal | None) -> str:
    """A ratio such as ROAS, two digits: 3.58."""
    return NONE if value is None else _signs(format_decimal(value, "#,##0.00", locale=current().locale))


def short_count(value: Decimal | int | None) -> str:
    """A count for a KPI: 121,904, then 9.41 M."""
    if value is None:
        return NONE
    exact = Decimal(value)
    if abs(exact) < COMPACT:
        return count(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return _spaced(format_compact_decimal(exact, locale=current().locale, fraction_digits=2))


def short_money(value: Decimal | None, currency: str) -> str:
    """An amount for a KPI, without needless digits: €48,207, then €1.24 M."""
    if value is None:
        return NONE
    if abs(value) >= COMPACT:
        compact = format_compact_currency(value, currency, locale=current().locale, fraction_digits=2)
        return _spaced(compact)
    locale = current().locale
    pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
    whole = value.quantize(Decimal(1), ROUND_HALF_UP)
    return _signs(format_currency(whole, currency, pattern, locale=locale, currency_digits=False))


def signed_percent(value: Decimal | None, places: int = 1) -> str:
    """A change: +8.2 %, -1.4 %; an en dash where there is nothing to compare with."""
    if value is None:
        return NONE
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    pattern = "#,##0." + "0" * places if places else "#,##0"
    shown = format_decimal(abs(rounded), pattern, locale=current().locale)
    return f"{_sign(rounded)}{shown}{_SPACE}%"


def signed_ratio(value: Decimal | None) -> str:
    """A change of a ratio, absolute: +0.21."""
    if value is None:
        return NONE
    rounded = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{_sign(rounded)}{format_decimal(abs(rounded), '#,##0.00', locale=current().locale)}"


def percent(value: Decimal) -> str:
    """A share: 62 %."""
    return f"{format_decimal(value.quantize(Decimal(1), ROUND_HALF_UP), locale=current().locale)}{_SPACE}%"


def axis_count(value: Decimal, top: Decimal) -> str:
    """The label of a grid line: 800, 1.2 M; all lines of an axis are written like its top."""
    if top < _SHORT_AXIS:
        return _signs(format_decimal(value, "#,##0.##", locale=current().locale))
    return _spaced(format_compact_decimal(value, locale=current().locale, fraction_digits=1))


def axis_money(value: Decimal, currency: str, top: Decimal) -> str:
    """The label of a grid line: €2,400, €1.2 M; all lines of an axis are written like its top."""
    locale = current().locale
    if top >= _SHORT_AXIS and value:
        return _spaced(format_compact_currency(value, currency, locale=locale, fraction_digits=1))
    pattern = locale.currency_formats["standard"].pattern.replace(".00", "" if value == value.to_integral() else ".00")
    return _signs(format_currency(value, currency, pattern, locale=locale, currency_digits=False))


def _sign(value: Decimal) -> str:
    if value > 0:
        return "+"
    return MINUS if value < 0 else ""


def day(value: date) -> str:
    """24 Oct."""
    return str(format_skeleton("MMMd", value, locale=current().locale))


def day_with_weekday(value: date) -> str:
    """Tue 24 Oct 2026, for tooltips."""
    return str(format_skeleton("yMMMEd", value, locale=current().locale))


def weekday(value: date) -> str:
    """Tue, 24 Oct."""
    return str(format_skeleton("MMMEd", value, locale=current().locale))


def day_with_year(value: date) -> str:
    return str(format_date(value, "medium", locale=current().locale))


def days(since: date, until: date) -> str:
    """Both days, with years where those differ."""
    if since == until:
        return day(since)
    if since.year != until.year:
        return day_with_year(since) + _TO + day_with_year(until)
    return day(since) + _TO + day(until)


def moment(value: datetime, zone: tzinfo, today: date, *, name_zone: bool = False) -> str:
    """09:45 today, 20 Nov, 09:45 on another day; with the zone's name where several are on the page."""
    local = value.astimezone(zone)
    shown = str(format_time(local, "short", tzinfo=zone, locale=current().locale))
    if name_zone:
        city = get_timezone_location(zone, locale=current().locale, return_city=True)
        shown = _("{time} ({city})").format(time=shown, city=city)
    if local.date() == today:
        return shown
    return _("{day}, {time}").format(day=day(local.date()), time=shown)


def ago(value: datetime, now: datetime) -> str:
    """3 minutes ago; just now below one minute; the day where it is longer ago than a week."""
    passed = now - value
    if passed < timedelta(minutes=1):
        return _("just now")
    if passed > timedelta(days=7):
        return day_with_year(value.date())
    return str(format_timedelta(-passed, add_direction=True, threshold=1.2, locale=current().locale))


def stamp(value: datetime) -> str:
    """22 Nov 2026, 15:55:02, in UTC."""
    local = value.astimezone(UTC)
    time = str(format_time(local, "medium", tzinfo=UTC, locale=current().locale))
    return _("{day}, {time}").format(day=day_with_year(local.date()), time=time)
