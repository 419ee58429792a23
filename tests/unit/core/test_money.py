from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.money import CurrencyMismatchError, Money, decimal, digits, plain


def test_amounts_of_one_currency_add_up_exactly():
    assert Money(Decimal("0.1"), "EUR") + Money(Decimal("0.2"), "EUR") == Money(Decimal("0.3"), "EUR")


def test_amounts_of_two_currencies_are_never_added():
    with pytest.raises(CurrencyMismatchError):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


def test_currencies_know_their_smallest_unit():
    assert (digits("EUR"), digits("JPY"), digits("KWD")) == (2, 0, 3)


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1,5", "0x10"])
def test_what_is_no_finite_decimal_is_refused(text):
    with pytest.raises(ValueError, match="is not a"):
        decimal(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_plain_text_is_exact_and_has_no_exponent(value):
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert text == plain(Decimal(text))


def test_plain_text_is_the_shortest():
    assert [plain(Decimal(text)) for text in ("12.50", "1E+2", "0.00", "-0")] == ["12.5", "100", "0", "0"]
