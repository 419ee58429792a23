"""Signed statements: a line of JSON and a line with its Ed25519 signature.

    {"v":1,"kind":"heads",...}
    {"key":"<key id>","signature":"<base64>"}

What is signed is the first line without its newline. A key is known by the first 16 hex digits of the SHA-256 of its
public half (32 bytes). The private keys stand in the secret `audit-key`, newest first: the first one signs. Each older
one's public half is kept beside the heads in a statement that the key after it signed, so that whoever trusts today's
key can check what all its predecessors signed, long after they were thrown away.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adloom.audit import values
from adloom.audit.names import KEYS_FOLDER, MANIFEST_SUFFIX, public_key
from adloom.clock import real_now
from adloom.errors import ConfigurationError
from adloom.storage import Storage

_KEY_BYTES = 32


class ForgedError(Exception):
    """A statement that no trusted key signed; the message says why, without a subject."""


def key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


class SigningKeys:
    """The private keys of the secret `audit-key`: 32 bytes in base64 each, comma separated, newest first."""

    def __init__(self, ring: str) -> None:
        self._keys = [_private(part.strip()) for part in ring.split(",") if part.strip()]
        if not self._keys:
            raise ConfigurationError("The secret audit-key is empty; make one with `openssl rand -base64 32`.")
        self.publics = {key_id(public): public for public in map(_raw, self._keys)}
        self.current = next(iter(self.publics))

    def sign(self, statement: dict[str, Any]) -> bytes:
        """The two lines."""
        line = values.dumps(statement)
        signature = base64.b64encode(self._keys[0].sign(line.encode())).decode()
        return f"{line}\n{values.dumps({'key': self.current, 'signature': signature})}\n".encode()

    def keep_older(self, storage: Storage) -> None:
        """Store the public halves of the older keys, each vouched for by the current one, unless that was done."""
        for known, public in self.publics.items():
            if known != self.current and storage.size(public_key(known)) is None:
                said = {"v": 1, "kind": "key", "key": known, "public": base64.b64encode(public).decode()}
                storage.put(public_key(known), self.sign(said | {"at": real_now().isoformat()}))


class Trust:
    """The public keys whose signatures count."""

    def __init__(self, publics: dict[str, bytes]) -> None:
        self._publics = dict(publics)

    def open(self, data: bytes, kind: str) -> dict[str, Any]:
        """The statement of this kind; ForgedError unless a trusted key signed it."""
        try:
            line, signed, rest = data.decode().split("\n")
            seal = json.loads(signed)
            signature, known = base64.b64decode(seal["signature"], validate=True), str(seal["key"])
        except (ValueError, KeyError, TypeError) as error:
            raise ForgedError("is no signed statement") from error
        public = self._publics.get(known)
        if public is None:
            raise ForgedError(f"is signed by the key {known[:16]!r}, for which nobody vouches")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, line.encode())
        except InvalidSignature as error:
            raise ForgedError("has a signature that does not fit it") from error
        statement: dict[str, Any] = json.loads(line)
        if rest or statement.get("kind") != kind:
            raise ForgedError(f"is no statement about {kind}")
        return statement

    def learn(self, storage: Storage) -> None:
        """Trust the older keys that trusted ones vouch for."""
        offered = [storage.get(each.key) for each in storage.objects(KEYS_FOLDER) if each.key.endswith(MANIFEST_SUFFIX)]
        while learned := [found for found in map(self._vouched, offered) if found and found[0] not in self._publics]:
            self._publics.update(learned)

    def _vouched(self, data: bytes) -> tuple[str, bytes] | None:
        try:
            public = base64.b64decode(self.open(data, "key")["public"], validate=True)
        except (ForgedError, KeyError, ValueError, TypeError):
            return None  # signatures of that key will be said to be nobody's
        return (key_id(public), public) if len(public) == _KEY_BYTES else None


def pem(public: bytes) -> str:
    """The public key as openssl reads it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public(text: str) -> bytes:
    """A public key that was kept: PEM, or the base64 of its 32 bytes."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        if text.lstrip().startswith("-----BEGIN"):
            key = load_pem_public_key(text.encode())
            if isinstance(key, Ed25519PublicKey):
                return key.public_bytes_raw()
        elif len(raw := base64.b64decode(text.strip(), validate=True)) == _KEY_BYTES:
            return raw
    except ValueError as error:
        raise ConfigurationError("That is no public key: give PEM, or the base64 of 32 bytes.") from error
    raise ConfigurationError("That is no Ed25519 public key: give PEM, or the base64 of 32 bytes.")


def _private(text: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ConfigurationError(
            "The secret audit-key holds something that is no key; make one with `openssl rand -base64 32`."
        )
    return Ed25519PrivateKey.from_private_bytes(raw)


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
