"""The place of an address, from a GeoIP file that is written here by the format's description (MaxMind DB 2.0)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adloom.accounts.arrivals import place

# The only numbers that are no uint16: when the file was built, and of how many nodes.
EPOCH, NODES = 1_700_000_000, 1


def encode(value: Any) -> bytes:
    """A value of the format; texts and maps are shorter than 29 bytes or entries, as its control byte holds."""
    if isinstance(value, dict):
        return bytes([7 << 5 | len(value)]) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return bytes([len(value), 4]) + b"".join(encode(each) for each in value)
    if isinstance(value, str):
        return bytes([2 << 5 | len(value)]) + value.encode()
    kind, size = {EPOCH: (9, 8), NODES: (6, 4)}.get(value, (5, 2))
    control = [kind << 5 | size] if kind < 8 else [size, kind - 7]
    return bytes(control) + value.to_bytes(size, "big")


def write(path: Path, city: dict[str, Any]) -> Path:
    """A file with one node: addresses from 128.0.0.0 on are in this city, the others unknown."""
    unknown, found = (1).to_bytes(3, "big"), (1 + 16).to_bytes(3, "big")
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": EPOCH,
        "database_type": "GeoLite2-City",
        "description": {"en": "A test"},
        "ip_version": 4,
        "languages": ["en"],
        "node_count": NODES,
        "record_size": 24,
    }
    path.write_bytes(unknown + found + bytes(16) + encode(city) + b"\xab\xcd\xefMaxMind.com" + encode(metadata))
    return path


BERLIN = {"city": {"names": {"en": "Berlin"}}, "country": {"iso_code": "DE", "names": {"en": "Germany"}}}


@pytest.mark.parametrize(
    ("address", "expected"),
    [("203.0.113.5", "Berlin, Germany"), ("10.0.0.1", ""), ("unknown", ""), ("", ""), ("2001:db8::1", "")],
)
def test_the_place_of_an_address(tmp_path: Path, address: str, expected: str) -> None:
    assert place(write(tmp_path / "city.mmdb", BERLIN), address) == expected


def test_a_country_without_a_city(tmp_path: Path) -> None:
    file = write(tmp_path / "city.mmdb", {"country": BERLIN["country"]})

    assert place(file, "203.0.113.5") == "Germany"


def test_without_a_file_no_place_is_known() -> None:
    assert place(None, "203.0.113.5") == ""


def test_a_file_that_is_none_does_not_keep_anybody_out(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_text("no such thing")

    assert place(broken, "203.0.113.5") == ""
    assert place(tmp_path / "missing.mmdb", "203.0.113.5") == ""
