"""What an event may say of the old and the new: plain JSON, no secrets, and not much of it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from adloom import logs

# A value that is longer is cut: its beginning, its length and the hash of the whole stay.
MAX_VALUE_BYTES = 8192
BEGINNING_CHARACTERS = 1000
_DEEPEST = 8
_MOST_ITEMS = 1000
_LARGEST_INT = 2**63
MASKED = "[redacted]"

# Under such a name stands what nobody may read later, whatever it looks like.
_SECRET_NAME = re.compile(
    r"token|secret|passw|passphrase|pwd|credential|authorization|cookie|signature|proof|otp|pin$|seed|private"
    r"|api[_-]?key|dsn|link|hash|nonce|verifier|challenge|recovery|(?:^|[_-])codes?$",
    re.IGNORECASE,
)
_HARMLESS_NAMES = frozenset({"error_code", "platform_code", "status_code", "codes_left", "token_type"})
# What text in Postgres cannot hold.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Legal in JSON as they are, and harmful where somebody looks at them: they steer terminals or turn the text around.
_STEERING = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def is_secret_name(name: str) -> bool:
    return name.lower() not in _HARMLESS_NAMES and _SECRET_NAME.search(name) is not None


def dumps(value: Any) -> str:
    """Compact JSON; what steers a terminal is written as an escape."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def text_of(value: object, longest: int) -> str:
    """A text as the trail stores it, cut to so many characters, without secrets."""
    plain = _UNSTORABLE.sub("\ufffd", logs.redact_text(str(value)))
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def told(value: Any) -> Any:
    """The value as an event holds it: masked, and cut where it is too large. None stays None."""
    clean = _clean(value, 0)
    whole = dumps(clean)
    size = len(whole.encode())
    if size <= MAX_VALUE_BYTES:
        return clean
    return {
        "cut": True,
        "bytes": size,
        "sha256": hashlib.sha256(whole.encode()).hexdigest(),
        "begins": whole[:BEGINNING_CHARACTERS],
    }


def _clean(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {_name(name): _under(str(name), item, depth) for name, item in list(value.items())[:_MOST_ITEMS]}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
        return [_clean(item, depth + 1) for item in items]
    return _scalar(value)


def _under(name: str, item: Any, depth: int) -> Any:
    """Whether there is one may be said of a secret: flags and null stay."""
    if item is None or isinstance(item, bool) or not is_secret_name(name):
        return _clean(item, depth + 1)
    return MASKED


def _name(name: object) -> str:
    return text_of(name, 200)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_INT else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return _UNSTORABLE.sub("\ufffd", logs.redact_text(str(value)))
