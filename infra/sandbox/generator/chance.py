"""Chance without a state: every draw is a function of the seed and of what it is for. Whole numbers only."""

from __future__ import annotations

import hashlib
import random
import struct

MILLION = 1_000_000
_EIGHT = struct.Struct(">8I")


def draws(*what: object) -> tuple[int, ...]:
    """Eight numbers from 0 to 999,999."""
    digest = hashlib.blake2b("|".join(map(str, what)).encode(), digest_size=_EIGHT.size).digest()
    return tuple([number * MILLION >> 32 for number in _EIGHT.unpack(digest)])


def identifier(prefix: str, digits: int, *what: object) -> str:
    """An id of a fixed length."""
    digest = hashlib.blake2b("|".join(map(str, what)).encode(), digest_size=16).digest()
    return prefix + str(int.from_bytes(digest) % 10 ** (digits - len(prefix))).zfill(digits - len(prefix))


def stream(*what: object) -> random.Random:
    """Draws one after the other, a function of what they are for."""
    return random.Random("|".join(map(str, what)))  # noqa: S311 - an invented world is to be the same each time


def around(draw: int, spread: int) -> int:
    """A factor in per mille, `spread` to both sides of 1000."""
    return 1000 - spread + 2 * spread * draw // MILLION
