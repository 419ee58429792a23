"""Platform tokens are encrypted before they reach the database.

Fernet: AES-128-CBC with HMAC-SHA256. A ring holds several keys, newest first: the newest encrypts, all decrypt.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from adloom.errors import ConfigurationError


class Vault:
    """One ring of keys, for one purpose. Fails closed: what no key of the ring opens raises ConfigurationError."""

    def __init__(self, ring: str) -> None:
        try:
            self._ring = MultiFernet([Fernet(key.strip()) for key in ring.split(",")])
        except ValueError:
            raise ConfigurationError(
                "The secret token-ring is wrong. It holds Fernet keys (32 bytes in URL-safe base64), newest first, "
                "comma separated."
            ) from None

    def encrypt(self, token: str) -> bytes:
        return self._ring.encrypt(token.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        try:
            return self._ring.decrypt(ciphertext).decode()
        except InvalidToken:
            raise ConfigurationError(
                "A stored token cannot be opened with any key of the secret token-ring: a key that is still in use "
                "was taken out of it.",
                code="token_ring",
            ) from None

    def rotate(self, ciphertext: bytes) -> bytes:
        """The same token under the newest key."""
        try:
            return self._ring.rotate(ciphertext)
        except InvalidToken:
            raise ConfigurationError("A stored token cannot be opened.", code="token_ring") from None
