"""What a provider says of itself (OpenID Connect Discovery), and its keys. Both are asked for once in a while only."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from adloom.sso import fetch
from adloom.sso.errors import ProviderSilent
from adloom.sso.fetch import Hurry
from adloom.sso.provider import Provider

WELL_KNOWN = "/.well-known/openid-configuration"
# Providers change their keys within days and announce new ones before; an hour is soon enough for all else.
KEPT_S = 3600.0
# A key that is not known is asked for again, yet not for everybody who makes one up.
AGAIN_AFTER_S = 30.0
_MOST_KEYS = 50
_SHORTEST_RSA_BITS = 2048
_SIGNING_TYPES = frozenset({"RSA", "EC", "OKP"})

T = TypeVar("T")


@dataclass(frozen=True)
class Metadata:
    """What of it is used. `algorithms` are None where the provider names none."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    algorithms: frozenset[str] | None
    names_itself: bool
    secret_in_body: bool


@dataclass
class _Kept:
    value: Any
    at: float


class Directory:
    """Remembers the documents of the providers of one process. Thread-safe; two who ask at once may both call."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: dict[str, _Kept] = {}
        self._keys: dict[str, _Kept] = {}

    def metadata(self, provider: Provider, hurry: Hurry) -> Metadata:
        """ProviderSilent where it does not answer, or answers what no provider of this issuer may."""
        return self._remembered(
            self._metadata,
            provider.issuer,
            lambda: _read(provider, fetch.get(provider, provider.issuer.rstrip("/") + WELL_KNOWN, hurry)),
        )

    def key(self, provider: Provider, metadata: Metadata, header: Mapping[str, Any], hurry: Hurry) -> Key | None:
        """The key that a token's header names; None when the provider has no such key for signatures."""

        def ask() -> list[Key]:
            return _signing_keys(provider, fetch.get(provider, metadata.jwks_uri, hurry))

        found = _choose(self._remembered(self._keys, metadata.jwks_uri, ask), header)
        if found is None and self._forget_older(metadata.jwks_uri):
            found = _choose(self._remembered(self._keys, metadata.jwks_uri, ask), header)
        return found

    def _forget_older(self, uri: str) -> bool:
        with self._lock:
            known = self._keys.get(uri)
            if known is not None and self._clock() - known.at < AGAIN_AFTER_S:
                return False
            self._keys.pop(uri, None)  # another may be asking already
            return True

    def _remembered(self, kept: dict[str, _Kept], name: str, ask: Callable[[], T]) -> T:
        with self._lock:
            known = kept.get(name)
        if known is not None and self._clock() - known.at < KEPT_S:
            value: T = known.value
            return value
        fresh = ask()
        with self._lock:
            kept[name] = _Kept(fresh, self._clock())
        return fresh


def _read(provider: Provider, document: Mapping[str, Any]) -> Metadata:
    def wrong(what: str) -> ProviderSilent:
        return ProviderSilent(provider.name, f"its discovery document {what}")

    if document.get("issuer") != provider.issuer:
        raise wrong("names another issuer")
    endpoints = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        url = document.get(name)
        if not isinstance(url, str) or not provider.may_call(url):
            raise wrong(f"has no {name} that may be called")
        endpoints[name] = url
    ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    algorithms = document.get("id_token_signing_alg_values_supported")
    return Metadata(
        issuer=provider.issuer,
        **endpoints,
        algorithms=frozenset(map(str, algorithms)) if isinstance(algorithms, list) else None,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        # Both are the client's secret over TLS; in the body nobody disagrees about how to write it.
        secret_in_body=isinstance(ways, list) and "client_secret_post" in ways,
    )


def _signing_keys(provider: Provider, document: Mapping[str, Any]) -> list[Key]:
    """The keys with which a provider may sign: of pairs, of a good length, and not meant for anything else."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ProviderSilent(provider.name, "its keys are no list of keys")
    found = []
    for each in listed:
        if not isinstance(each, dict) or each.get("kty") not in _SIGNING_TYPES or each.get("use", "sig") != "sig":
            continue
        try:
            if each["kty"] == "RSA" and _bits(each["n"]) < _SHORTEST_RSA_BITS:
                continue
            [key] = KeySet.import_key_set({"keys": [each]})
            key.get_op_key("verify")
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # one that we do not understand signs nothing here; the others may
        found.append(key)
    return found


def _bits(number: str) -> int:
    """How many bits a number of a key has."""
    return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()


def _choose(keys: list[Key], header: Mapping[str, Any]) -> Key | None:
    """By the key's id; without one only where there is nothing to choose."""
    kid = header.get("kid")
    if kid is None:
        return keys[0] if len(keys) == 1 else None
    fitting = [key for key in keys if key.as_dict(private=False).get("kid") == kid]
    return fitting[0] if len(fitting) == 1 else None
