"""Which of the keys that a provider publishes may have signed a token."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.util import int_to_base64
from pydantic import SecretStr

from adloom.sso import discovery
from adloom.sso.errors import ProviderSilent
from adloom.sso.provider import Provider

PROVIDER = Provider("oidc", "Acme ID", "https://id.example.com", "id", SecretStr("secret"))


@cache
def key(bits: int = 2048, kid: str = "one") -> dict[str, Any]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "e": "AQAB", "n": int_to_base64(numbers.n)}


def signing(*keys: Any) -> list[str | None]:
    return [found.kid for found in discovery._signing_keys(PROVIDER, {"keys": list(keys)})]


def test_a_key_of_a_good_length_for_signatures_signs() -> None:
    assert signing(key()) == signing(key() | {"use": "sig", "alg": "RS256"}) == ["one"]


@pytest.mark.parametrize(
    "wrong",
    [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"kty": "oct", "k": "AAAA"}, {"kty": "new"}, {"kty": "RSA", "n": "!"}],
    ids=str,
)
def test_another_key_signs_nothing_and_is_in_nobodys_way(wrong: dict[str, Any]) -> None:
    assert signing(key(2048, "bad") | wrong, key(), "no key", {}) == ["one"]


def test_a_short_key_signs_nothing() -> None:
    assert signing(key(1024)) == []


@pytest.mark.parametrize("keys", [None, {}, "x", [key()] * 51], ids=["none", "object", "text", "many"])
def test_what_is_no_list_of_keys_is_no_answer(keys: Any) -> None:
    with pytest.raises(ProviderSilent):
        discovery._signing_keys(PROVIDER, {"keys": keys})


def test_a_token_without_the_name_of_its_key_is_clear_only_where_there_is_one() -> None:
    one, two = (discovery._signing_keys(PROVIDER, {"keys": [key(2048, kid)]})[0] for kid in ("one", "two"))
    assert discovery._choose([one], {}) is one
    assert discovery._choose([one, two], {}) is None
    assert discovery._choose([one, two], {"kid": "two"}) is two
    assert discovery._choose([one, one], {"kid": "one"}) is None
    assert discovery._choose([one], {"kid": "two"}) is None
