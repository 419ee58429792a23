"""The European Central Bank's reference rates as it publishes them: XML, or CSV in a ZIP archive.

https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET

from adloom.errors import AdloomError

# All rates since 1999 are seven megabytes of XML, and the archive of their CSV is a tenth of that.
MOST_BYTES = 32_000_000
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_ZIP = b"PK\x03\x04"
_CURRENCY = re.compile("[A-Z]{3}")
# The bank writes six digits at most; what is much longer, or has an exponent, the database could not hold.
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,30})?")
# Far above the weakest currency there is; a larger number is no rate.
_HIGHEST = Decimal(10) ** 9
# What stands where a currency has no rate on a day.
_NONE = frozenset({"", "N/A", "-"})
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


class RatesError(AdloomError):
    """What a source of rates sent cannot be used, or nothing came; nothing of it was stored."""

    code = "rates_unusable"
    title = "The exchange rates could not be read"
    retryable = True


@dataclass(frozen=True)
class Rate:
    """`per_eur` units of the currency are worth a euro on this day."""

    day: date
    currency: str
    per_eur: Decimal


def read(content: bytes, since: date = date.min) -> list[Rate]:
    """The rates of a file from a day on, whichever of the formats it is in; RatesError for what is none of them, or not
    whole.
    """
    if content.startswith(_ZIP):
        content = _unpacked(content)
    text = content.decode("utf-8-sig", errors="replace").lstrip()
    found = list(_xml(text, since) if text.startswith("<") else _csv(text, since))
    if not found:
        raise RatesError("The file of exchange rates holds no rate")
    known: dict[tuple[date, str], Decimal] = {}
    for rate in found:
        if known.setdefault((rate.day, rate.currency), rate.per_eur) != rate.per_eur:
            raise RatesError(f"The file has two rates of {rate.currency} on {rate.day}")
    return [Rate(day, currency, per_eur) for (day, currency), per_eur in known.items()]


def _unpacked(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > MOST_BYTES:
                raise RatesError("The archive of exchange rates does not hold one CSV file of a usual size")
            return archive.read(names[0])
    # RuntimeError: it wants a password.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise RatesError("The archive of exchange rates is damaged") from error


def _xml(text: str, since: date) -> Iterator[Rate]:
    # Entities could make a small file grow without end, and the bank's files have none.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise RatesError("The file of exchange rates is not the European Central Bank's XML")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities were refused above
    except ET.ParseError as error:
        raise RatesError("The file of exchange rates is not whole, or no XML") from error
    for of_day in root.iter(_CUBE):
        if "time" in of_day.attrib:
            day = _day(of_day.attrib["time"])
            for cube in of_day.iter(_CUBE) if day >= since else ():
                if "currency" in cube.attrib:
                    yield from _rate(day, cube.attrib["currency"], cube.attrib.get("rate", ""))


def _csv(text: str, since: date) -> Iterator[Rate]:
    """A column per currency; the line ends with a comma, and the file of one day has spaces behind its commas."""
    lines = _lines(text)
    header = next(lines, [""])
    if header[0] != "Date":
        raise RatesError("The file of exchange rates is neither the European Central Bank's XML nor its CSV")
    for line in lines:
        if len(line) != len(header):
            raise RatesError(
                f"The file of exchange rates is not whole: {line[0]} has {len(line)} of {len(header)} cells"
            )
        day = _day(line[0])
        for currency, value in zip(header[1:], line[1:], strict=True):
            if currency and day >= since:
                yield from _rate(day, currency, value)


def _lines(text: str) -> Iterator[list[str]]:
    """One by one: all of them since 1999 would take more memory than a sync does."""
    try:
        for line in csv.reader(io.StringIO(text), strict=True):
            if line:
                yield [cell.strip() for cell in line]
    except csv.Error as error:
        raise RatesError("The file of exchange rates is no CSV") from error


def _rate(day: date, currency: str, value: str) -> Iterator[Rate]:
    if value in _NONE:
        return
    per_eur = Decimal(value) if _NUMBER.fullmatch(value) else Decimal(0)
    if not _CURRENCY.fullmatch(currency) or not 0 < per_eur < _HIGHEST:
        raise RatesError(f"{value[:20]!r} is no exchange rate of {currency[:20]!r} on {day}")
    if currency != "EUR":
        yield Rate(day, currency, per_eur)


def _day(text: str) -> date:
    """`2026-03-02`, or `2 March 2026` in the file of one day."""
    try:
        parts = text.split()
        if len(parts) == 3:  # noqa: PLR2004 - day, month, year
            return date(int(parts[2]), _MONTHS.index(parts[1].lower()) + 1, int(parts[0]))
        return date.fromisoformat(text)
    except ValueError:
        raise RatesError(f"{text[:20]!r} is no day of exchange rates") from None
