"""Texts from outside, as Postgres can keep them."""

from __future__ import annotations


def storable(text: str) -> str:
    """A text without what Postgres refuses: NUL, and halves of a character that was cut in two."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
