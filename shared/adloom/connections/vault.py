"""Platform tokens are encrypted before they reach the database."""

from __future__ import annotations

from collections.abc import Callable

from adloom.keyring import KeyRing


class Vault(KeyRing):
    """The ring of platform tokens."""

    def __init__(self, ring: str | Callable[[], str]) -> None:
        super().__init__(ring, "token-ring")

    def encrypt(self, token: str) -> bytes:
        return self.seal(token)

    def decrypt(self, ciphertext: bytes) -> str:
        return self.open(ciphertext)
