from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from adloom.connections.vault import Vault
from adloom.errors import ConfigurationError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TOKEN = "EAABsbCS1iHgBAexample"


def test_a_token_comes_back_and_does_not_shine_through() -> None:
    vault = Vault(NEW)

    ciphertext = vault.encrypt(TOKEN)

    assert vault.decrypt(ciphertext) == TOKEN
    assert TOKEN.encode() not in ciphertext
    assert vault.encrypt(TOKEN) != ciphertext


def test_a_new_key_in_front_still_opens_what_the_old_one_closed() -> None:
    ciphertext = Vault(OLD).encrypt(TOKEN)
    both = Vault(f"{NEW}, {OLD}")

    assert both.decrypt(ciphertext) == TOKEN
    rotated = both.rotate(ciphertext)
    assert Vault(NEW).decrypt(rotated) == TOKEN
    with pytest.raises(ConfigurationError):
        Vault(OLD).decrypt(rotated)


def test_without_the_key_nothing_opens() -> None:
    ciphertext = Vault(OLD).encrypt(TOKEN)

    for broken in (ciphertext, ciphertext[:-1], b"", b"EAAB"):
        with pytest.raises(ConfigurationError) as caught:
            Vault(NEW).decrypt(broken)
        assert TOKEN not in caught.value.detail
    with pytest.raises(ConfigurationError):
        Vault(NEW).rotate(ciphertext)


@pytest.mark.parametrize("ring", ["", ",", "secret", f"{NEW},", f"{NEW},short"])
def test_a_ring_that_is_none_stops_the_start_without_showing_it(ring: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Vault(ring)

    assert NEW not in caught.value.detail
    assert caught.value.__cause__ is None
