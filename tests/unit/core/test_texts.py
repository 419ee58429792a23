"""Texts from outside, as Postgres can keep them."""

from __future__ import annotations

import pytest

from adloom.db.texts import storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Ä 🎉 \u202eאב", "Ä 🎉 \u202eאב"), ("a\0b", "ab"), ("cut \ud83d", "cut ?"), ("\0", ""), ("", "")],
)
def test_what_postgres_refuses_is_left_out_and_nothing_else(text: str, kept: str) -> None:
    assert storable(text) == kept
