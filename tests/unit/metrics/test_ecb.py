"""The European Central Bank's files are read in every format it writes, and nothing else is."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest

from adloom.metrics.ecb import Rate, RatesError, read

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" \
xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender>
		<gesmes:name>European Central Bank</gesmes:name>
	</gesmes:Sender>
	<Cube>
		<Cube time='2026-03-03'>
			<Cube currency='USD' rate='1.0412'/>
			<Cube currency='JPY' rate='161.06'/>
		</Cube>
		<Cube time="2026-03-02"><Cube currency="USD" rate="1.05"/></Cube>
	</Cube>
</gesmes:Envelope>"""
HISTORY = "Date,USD,JPY,CYP,\n2026-03-03,1.0412,161.06,N/A,\n2026-03-02,1.05,N/A,N/A,\n"
DAILY = "Date, USD, JPY, \n03 March 2026, 1.0412, 161.06, \n"
MARCH_3 = {Rate(date(2026, 3, 3), "USD", Decimal("1.0412")), Rate(date(2026, 3, 3), "JPY", Decimal("161.06"))}
BOTH = MARCH_3 | {Rate(date(2026, 3, 2), "USD", Decimal("1.05"))}


def zipped(text: str, name: str = "eurofxref-hist.csv") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, text)
    return target.getvalue()


def _locked(archive: bytes) -> bytes:
    """The same, but said to want a password."""
    changed = bytearray(archive)
    changed[6] |= 1
    changed[archive.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def _garbled() -> bytes:
    """An archive whose compressed bytes are none."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", HISTORY)
    start = 30 + len("eurofxref-hist.csv")
    changed = bytearray(target.getvalue())
    changed[start : start + 8] = b"\xff" * 8
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "rates"),
    [
        (XML, BOTH),
        (zipped(HISTORY), BOTH),
        (HISTORY.encode(), BOTH),
        (b"\xef\xbb\xbf" + HISTORY.replace("\n", "\r\n").encode(), BOTH),
        (zipped(DAILY, "eurofxref.csv"), MARCH_3),
    ],
    ids=["xml", "history", "csv", "windows", "daily"],
)
def test_every_format_says_the_same(content: bytes, rates: set[Rate]) -> None:
    assert set(read(content)) == rates


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><html><body>Maintenance</body></html>",
        b"<html><body>Maintenance</body></html>",
        XML[: len(XML) // 2],
        XML.replace(b"1.0412", b"1,0412"),
        XML.replace(b"1.0412", b"-1"),
        XML.replace(b"1.0412", b"NaN"),
        XML.replace(b"1.0412", b"0"),
        XML.replace(b"1.0412", b"1e12"),
        XML.replace(b"1.0412", b"1e-99999"),
        XML.replace(b"1.0412", b"1." + b"1" * 20_000),
        XML.replace(b"'USD'", b"'US dollar'"),
        XML.replace(b"2026-03-03", b"yesterday"),
        XML.replace(b"<Cube>", b"<!ENTITY a 'aaaa'><Cube>"),
        b'{"rates": {"USD": 1.04}}',
        HISTORY.encode()[:-12],
        HISTORY.replace("2026-03-02,1.05", "2026-03-03,1.05").encode(),
        HISTORY.replace("1.0412", '"1.0412').encode(),
        b"Date,USD,\n",
        zipped(HISTORY)[:-30],
        zipped(HISTORY).replace(b"161.06", b"161.07"),
        zipped(HISTORY, "readme.txt"),
        _locked(zipped(HISTORY)),
        _garbled(),
        b"\x00\xff\xfe garbage",
    ],
)
def test_what_is_no_file_of_rates_or_not_whole_is_refused(content: bytes) -> None:
    with pytest.raises(RatesError):
        read(content)


def test_a_rate_that_is_named_twice_with_one_value_is_one() -> None:
    assert set(read(HISTORY.encode() + b"2026-03-02,1.05,N/A,N/A,\n")) == BOTH


@pytest.mark.parametrize("content", [XML, zipped(HISTORY)], ids=["xml", "history"])
def test_of_a_long_file_only_the_days_that_are_needed_are_taken(content: bytes) -> None:
    assert set(read(content, date(2026, 3, 3))) == MARCH_3
