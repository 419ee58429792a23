"""The bank's files, byte by byte as it writes them."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

from infra.sandbox.ecb.rates import Days

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
    ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
    "\t<gesmes:subject>Reference rates</gesmes:subject>\n"
    "\t<gesmes:Sender>\n\t\t<gesmes:name>{sender}</gesmes:name>\n\t</gesmes:Sender>\n\t<Cube>\n"
)
_TAIL = "\t</Cube>\n</gesmes:Envelope>"


def xml(days: Days, sender: str) -> bytes:
    """`eurofxref-daily.xml` and its longer siblings."""
    parts = [_HEAD.format(sender=escape(sender))]
    for day, rates in days.items():
        parts.append(f"\t\t<Cube time='{day.isoformat()}'>\n")
        parts += [f"\t\t\t<Cube currency='{currency}' rate='{rate:f}'/>\n" for currency, rate in rates.items()]
        parts.append("\t\t</Cube>\n")
    return "".join([*parts, _TAIL]).encode()


def history_zip(days: Days) -> bytes:
    """`eurofxref-hist.zip`: a line per day, newest first; `N/A` where a currency had no rate."""
    currencies = _currencies(days)
    lines = [",".join(["Date", *currencies]) + ","]
    for day, rates in days.items():
        cells = [f"{rates[currency]:f}" if currency in rates else "N/A" for currency in currencies]
        lines.append(",".join([day.isoformat(), *cells]) + ",")
    return _zipped("eurofxref-hist.csv", "\n".join(lines) + "\n")


def daily_zip(days: Days) -> bytes:
    """`eurofxref.zip`: the last day alone, written for people."""
    lines = []
    for day, rates in list(days.items())[:1]:
        lines.append(", ".join(["Date", *rates]) + ", ")
        lines.append(", ".join([f"{day:%d %B %Y}", *(f"{rate:f}" for rate in rates.values())]) + ", ")
    return _zipped("eurofxref.csv", "\n".join(lines) + "\n")


def _currencies(days: Days) -> list[str]:
    return list(dict.fromkeys(currency for rates in days.values() for currency in rates))


def _zipped(name: str, text: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return target.getvalue()
