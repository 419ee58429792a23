"""Rings of keys: what is encrypted before it reaches the database, so that the database alone opens nothing.

Fernet: AES-128-CBC with HMAC-SHA256. A ring holds several keys, newest first: the newest encrypts, all decrypt. Each
purpose has a ring of its own.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from adloom.errors import ConfigurationError


class KeyRing:
    """One ring, for one purpose; `name` is that of its secret. Fails closed: what no key of it opens raises
    ConfigurationError.
    """

    def __init__(self, keys: str, name: str) -> None:
        self._name = name
        try:
            self._ring = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
        except ValueError:
            raise ConfigurationError(
                f"The secret {name} is wrong. It holds Fernet keys (32 bytes in URL-safe base64), newest first, "
                "comma separated."
            ) from None

    def seal(self, text: str) -> bytes:
        return self._ring.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        try:
            return self._ring.decrypt(sealed).decode()
        except InvalidToken:
            raise ConfigurationError(
                f"Something stored cannot be opened with any key of the secret {self._name}: a key that is still in "
                "use was taken out of it.",
                code=self._name.replace("-", "_"),
            ) from None

    def rotate(self, sealed: bytes) -> bytes:
        """The same under the newest key."""
        return self.seal(self.open(sealed))
