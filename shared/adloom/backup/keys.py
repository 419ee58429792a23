"""Key pairs of backups, and fingerprints of the rings that encrypt what is in the database.

A backup is encrypted to recipients, which are public. Only the identity, which the operator keeps, opens it. The rings
themselves are in no backup: a fingerprint tells whether a server still has the keys that the stored tokens need.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
from cryptography.fernet import Fernet

from adloom.errors import ConfigurationError, Conflict
from adloom.settings import secrets_folder

# Instead of the rings, where the process that makes backups shall not have them: {"token-ring": [fingerprint, ...]}.
FINGERPRINTS_FILE = "key-ring-fingerprints"
_RING_SUFFIX = "-ring"
_FINGERPRINT_DOMAIN = b"adloom key ring fingerprint 1\0"
_FINGERPRINT_DIGITS = 32

Rings = Mapping[str, Sequence[str]]


def generate(path: Path) -> str:
    """Write a new identity into a file that only its owner reads; the recipient that belongs to it."""
    identity = new_identity()
    recipient = recipient_of(identity)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"{path} is there already, and a key is never overwritten; name another file") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"# public key: {recipient}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return recipient


def new_identity() -> str:
    return str(pyrage.x25519.Identity.generate())


def recipient_of(identity: str) -> str:
    """The public key that belongs to an identity."""
    return str(pyrage.x25519.Identity.from_str(identity).to_public())


def recipients(texts: Sequence[str]) -> list[Any]:
    """Those a backup is encrypted to; ConfigurationError for what is none."""
    try:
        return [pyrage.x25519.Recipient.from_str(text.strip()) for text in texts]
    except pyrage.RecipientError:
        raise ConfigurationError(
            "The recipient of backups is wrong: it is the public key that `adloom backup keygen` prints, age1..."
        ) from None


def identities(text: str, source: str) -> list[Any]:
    """The identities in a file's text, one a line; comments begin with #."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise ConfigurationError(f"{source} holds no identity: a line AGE-SECRET-KEY-..., as `keygen` writes it")
    return found


def fingerprints(rings: Mapping[str, str]) -> dict[str, list[str]]:
    """Ring -> a fingerprint of each of its keys; `rings` are the secrets, Fernet keys separated by commas.

    The keys are 256 random bits, so nobody finds one by trying, and an HMAC keyed with them tells nothing else.
    """
    return {name: [_fingerprint(name, key.strip()) for key in ring.split(",")] for name, ring in rings.items()}


def _fingerprint(ring: str, key: str) -> str:
    try:
        Fernet(key)
    except ValueError:
        raise ConfigurationError(f"The secret {ring} is wrong: it holds Fernet keys, comma separated") from None
    return hmac.new(key.encode(), _FINGERPRINT_DOMAIN + ring.encode(), sha256).hexdigest()[:_FINGERPRINT_DIGITS]


def present(folder: Path | None = None) -> dict[str, list[str]]:
    """The rings of this installation: from the secrets folder, from the environment, and told by fingerprint."""
    folder = folder or secrets_folder()
    told = folder / FINGERPRINTS_FILE
    found: dict[str, list[str]] = {}
    if told.is_file():
        try:
            found |= json.loads(told.read_text(encoding="utf-8"))
        except (ValueError, TypeError):
            raise ConfigurationError(f"{told} is damaged: it holds no JSON object") from None
    rings = {
        name.removeprefix("ADLOOM_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("ADLOOM_") and name.endswith("_RING") and value
    }
    for path in sorted(folder.glob(f"*{_RING_SUFFIX}")):
        rings[path.name] = path.read_text(encoding="utf-8").strip()
    return found | fingerprints(rings)


def missing(needed: Rings, there: Rings) -> list[str]:
    """Rings of the backup that lack a key here. A ring that was rotated since still holds its older keys."""
    return sorted(name for name, keys in needed.items() if not set(keys) <= set(there.get(name, ())))
