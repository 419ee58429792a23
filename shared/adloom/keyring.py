"""Rings of keys: what is encrypted before it reaches the database, so that the database alone opens nothing.

Fernet: AES-128-CBC with HMAC-SHA256. A ring holds several keys, newest first: the newest encrypts, all decrypt. Each
purpose has a ring of its own. A ring may change while a process runs: then it is read again.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from adloom.errors import ConfigurationError


class KeyRing:
    """One ring, for one purpose; `name` is that of its secret. `keys` may be a way to read them: what no known key
    opens may have been closed by one that came since. Fails closed: what no key opens raises ConfigurationError.
    """

    def __init__(self, keys: str | Callable[[], str], name: str) -> None:
        self._name = name
        self._keys = keys
        self._ring = self._read()

    def _read(self) -> MultiFernet:
        keys = self._keys() if callable(self._keys) else self._keys
        try:
            return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
        except ValueError:
            raise ConfigurationError(
                f"The secret {self._name} is wrong. It holds Fernet keys (32 bytes in URL-safe base64), newest first, "
                "comma separated."
            ) from None

    def seal(self, text: str) -> bytes:
        return self._ring.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        try:
            return self._ring.decrypt(sealed).decode()
        except InvalidToken:
            if callable(self._keys):
                return self._open_anew(sealed)
            raise self._lost() from None

    def _open_anew(self, sealed: bytes) -> str:
        self._ring = self._read()
        try:
            return self._ring.decrypt(sealed).decode()
        except InvalidToken:
            raise self._lost() from None

    def _lost(self) -> ConfigurationError:
        return ConfigurationError(
            f"Something stored cannot be opened with any key of the secret {self._name}: a key that is still in "
            "use was taken out of it.",
            code=self._name.replace("-", "_"),
        )

    def rotate(self, sealed: bytes) -> bytes:
        """The same under the newest key."""
        return self.seal(self.open(sealed))


class Newest:
    """Of a ring's keys the newest alone: whether it was that which closed something."""

    def __init__(self, keys: str) -> None:
        key = keys.split(",", maxsplit=1)[0].strip()
        self._key = Fernet(key)
        self.fingerprint = fingerprint(key)

    def has_closed(self, sealed: bytes) -> bool:
        try:
            self._key.decrypt(sealed)
        except InvalidToken:
            return False
        return True


def fingerprint(key: str) -> str:
    """16 hexadecimal digits of a key of 256 random bits: nobody finds one by trying."""
    return sha256(b"adloom newest key\0" + key.encode()).hexdigest()[:16]
