"""The keys of the trail's objects in the bucket.

audit/heads/<year>/<month>/<sequence>-<time>.json         the signed ends of all chains
audit/keys/<key id>.json                                  a public key, signed by the key that came after it
audit/<chain>/<year>-<month>/<first>-<last>.<hash>.jsonl.gz   events that left the database
audit/<chain>/<year>-<month>/<first>-<last>.<hash>.json       what belongs to that file, signed
"""

from __future__ import annotations

from datetime import datetime

ROOT = "audit/"
HEADS_FOLDER = "audit/heads/"
KEYS_FOLDER = "audit/keys/"
EVENTS_SUFFIX = ".jsonl.gz"
MANIFEST_SUFFIX = ".json"
# Keys sort by sequence and position up to a billion million of them.
_DIGITS = 12


def head_key(sequence: int, at: datetime) -> str:
    return f"{HEADS_FOLDER}{at:%Y/%m}/{sequence:0{_DIGITS}}-{at:%Y%m%dT%H%M%SZ}.json"


def head_sequence(key: str) -> int | None:
    """The number of a file of heads; None for any other object."""
    number = key.rpartition("/")[2].partition("-")[0]
    return int(number) if key.startswith(HEADS_FOLDER) and number.isdecimal() else None


def chain_folder(chain: str) -> str:
    return f"{ROOT}{chain}/"


def part_key(chain: str, month: str, first: int, last: int, sha256: str) -> str:
    """Without the suffix. The hash is of the events, so that a second try writes the same objects again."""
    return f"{chain_folder(chain)}{month}/{first:0{_DIGITS}}-{last:0{_DIGITS}}.{sha256[:16]}"


def public_key(key_id: str) -> str:
    return f"{KEYS_FOLDER}{key_id}.json"
