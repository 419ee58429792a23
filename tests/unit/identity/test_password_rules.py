"""Which passwords may be set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom.errors import ValidationFailed
from adloom.identity import password_rules as rules


def refused(password: str, *about: str) -> str:
    with pytest.raises(ValidationFailed) as caught:
        rules.check(password, *about)
    (fault,) = caught.value.fields
    assert fault["field"] == "body.password"
    assert len(password) < 4 or password not in str(caught.value), "an error repeats no password"
    return fault["problem"]


@pytest.mark.parametrize(
    "password", ["ab" * 6, "ab" * 64, "correct horse battery", "nur kleine wörter hier", "🐎" * 6 + "🔋" * 6]
)
def test_long_ones_may_be_set_whatever_they_consist_of(password: str) -> None:
    rules.check(password, "Ana Lovelace", "ana@example.com")


@pytest.mark.parametrize("length", [0, 11, 129])
def test_lengths_that_may_not_be_set(length: int) -> None:
    assert refused(("ab" * 65)[:length]) == "A password has 12 to 128 characters"


@pytest.mark.parametrize(
    "password",
    ["qwerty123456", "QWERTY123456", "1q2w3e4r5t6y", "passwordpassword", "password1234", "\uff51werty123456", "x" * 20],
)
def test_the_first_that_anybody_tries_may_not_be_set(password: str) -> None:
    assert "first that anybody tries" in refused(password)


@pytest.mark.parametrize(
    "password",
    [
        "lovelace and more",
        "my LOVELACE forever",
        "grace.lovelace-1843",
        "gracelovelace1843",
        "with glove2 at hand",
        "glove2@example.com",
        "i like adloom a lot",
        "AdLoom-AdLoom-1",
    ],
)
def test_what_says_whose_it_is_may_not_be_set(password: str) -> None:
    assert "does not contain" in refused(password, "Grace Lovelace", "glove2@example.com")


def test_short_parts_of_a_name_are_in_too_many_good_passwords() -> None:
    rules.check("a banana a day is fine", "Ana Li", "al@example.com")


@given(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=12, max_size=40), st.integers(1, 200))
def test_a_list_that_was_packed_knows_its_passwords_and_no_others(word: str, others: int) -> None:
    lines = [f"other password {number}" for number in range(others)]
    digests = rules.pack([*lines, word, "short", word.upper()])
    sizes = len(digests) // 8

    assert sizes == len({rules.comparable(line) for line in [*lines, word]})
    parts = [digests[n * 8 : n * 8 + 8] for n in range(sizes)]
    assert parts == sorted(set(parts))
    assert rules._digest(rules.comparable(word)) in parts


def test_the_list_holds_ten_thousand() -> None:
    """Three thousand that fit the rule of length are what ASVS asks for."""
    digests = rules._digests()

    assert len(digests) == 10_000 * 8
    assert all(rules._at(digests, n) < rules._at(digests, n + 1) for n in range(9_999))
