"""Passwords with Argon2id.

64 MiB, three passes, four lanes: RFC 9106's second recommended setting, above OWASP's minimum; 0.2 s a hash on one
core. As each takes 64 MiB, only two are computed at once and only a few more wait for their turn: a flood of log-ins
takes neither the memory nor all the threads of the function, and whoever is too many is told at once to try again.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from adloom.errors import Unavailable
from adloom.identity.password_rules import MAX_LENGTH, MIN_LENGTH

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "hash_password", "needs_rehash", "verify"]

MEMORY_KIB = 64 * 1024
PASSES = 3
LANES = 4

# Two hashes are 128 MiB, half of what a function of this kind is allowed.
_AT_ONCE = 2
# Those who compute and those who wait: fewer than the function has threads, so that a look at a session goes on.
_AT_MOST = 6
_WAIT_S = 10.0
_turns = threading.BoundedSemaphore(_AT_ONCE)
_places = threading.BoundedSemaphore(_AT_MOST)

# Verified when there is no such user, so that the answer takes as long as for a wrong password. Nobody knows its
# password: it was made from random bytes with the parameters above.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$8XPtva/R8Uxb51+t0JsZng$pK1dJ4dsTLV8TnCo6dB1Sd/uT2sCx/+0Opid7+XPsGw"


def hash_password(password: str) -> str:
    """The encoded hash with its parameters and a salt of its own."""
    with _turn():
        return _hasher().hash(_normal(password))


def verify(password: str, encoded: str | None) -> bool:
    """Whether the password is right. Without a hash, for an unknown user, the same work is done and it is not.

    Fails closed: a hash that cannot be read is no match.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    with _turn():
        try:
            matches = _hasher().verify(encoded or _NOBODY, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return matches and encoded is not None


def needs_rehash(encoded: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(encoded)


def _normal(password: str) -> str:
    """One form of what looks the same and keyboards send differently (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)


@contextmanager
def _turn() -> Iterator[None]:
    """A turn at hashing; Unavailable when too many wait already or the wait takes too long."""
    if not _places.acquire(blocking=False):
        raise _busy()
    try:
        if not _turns.acquire(timeout=_WAIT_S):
            raise _busy()
        try:
            yield
        finally:
            _turns.release()
    finally:
        _places.release()


def _busy() -> Unavailable:
    return Unavailable("Too many log-ins at once; try again in a moment.", code="busy", retry_after=5)
