"""Codes of authenticator apps, against RFC 6238's own values and a clock of the test's."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.identity import totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_values_of_the_standard(seconds: int, code: str) -> None:
    assert totp.step_of(RFC_SECRET, code, datetime.fromtimestamp(seconds, UTC), None) == seconds // 30


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_either_side(steps: int, taken: bool) -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOW + timedelta(seconds=30 * steps))

    assert totp.step_of(RFC_SECRET, code, NOW, None) == (STEP + steps if taken else None)


@pytest.mark.parametrize(("last", "taken"), [(STEP - 2, True), (STEP - 1, True), (STEP, False), (STEP + 1, False)])
def test_no_code_twice_and_none_before_it(last: int, taken: bool) -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOW)

    assert (totp.step_of(RFC_SECRET, code, NOW, last) is not None) is taken


@given(st.text(max_size=10))
def test_what_is_no_code_is_none(text: str) -> None:
    right = {pyotp.TOTP(RFC_SECRET).at(NOW + timedelta(seconds=30 * n)) for n in (-1, 0, 1)}

    assert (totp.step_of(RFC_SECRET, text, NOW, None) is not None) == (text in right)


def test_what_people_type_between_the_digits_does_not_matter() -> None:
    assert totp.compact(" 123 456\n") == "123456"
    assert totp.is_code("123 456")
    assert totp.is_code("123-456")
    assert not totp.is_code("12345")
    assert not totp.is_code("١٢٣٤٥٦")
    assert not totp.is_code("k3m9xq-7w2n4p-h8d5rt-c6vzab")


def test_recovery_codes_are_long_and_of_their_own() -> None:
    codes = {totp.new_recovery_code() for _ in range(500)}

    assert len(codes) == 500
    for code in codes:
        plain = totp.compact(code)
        assert len(plain) == 24
        assert not set(plain) & set("01lo")
        assert not totp.is_code(code)
    # 31 characters, 24 times: more than 112 bits.
    assert 31**24 > 2**112


def test_the_image_is_an_svg_that_runs_nothing() -> None:
    secret = totp.new_secret()
    address = totp.uri(secret, "ana+x@example.com")
    image = ET.fromstring(totp.qr_svg(address))  # noqa: S314 - our own text

    assert address.startswith("otpauth://totp/Adloom:ana%2Bx%40example.com?secret=" + secret)
    assert len(base64.b32decode(secret)) == 20
    assert {element.tag.rpartition("}")[2] for element in image.iter()} <= {"svg", "g", "path"}
