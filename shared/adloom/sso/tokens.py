"""An ID token: whether the provider signed it for us, just now, for this very log-in; and what it then says."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from authlib.oidc.core.claims import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from adloom.clock import real_now
from adloom.sso.claims import Claims
from adloom.sso.domains import address
from adloom.sso.errors import NotProven
from adloom.sso.provider import Provider

# Signatures by a pair of keys only: what can be made with the provider's public key proves nothing.
ALGORITHMS: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
# Clocks differ by a little; a token comes straight from the provider, so it is minutes old at most.
_LEEWAY_S = 60
_OLDEST_S = 600
_LONGEST = 16_384
_SUBJECT = re.compile(r"^[\x20-\x7e]{1,255}$")
_LONGEST_NAME = 200


KeyOf = Callable[[Mapping[str, Any]], Key | None]


def read(token: object, provider: Provider, algorithms: frozenset[str] | None, key_of: KeyOf, nonce: str) -> Claims:
    """NotProven unless all of it is right. Fails closed: what is missing is wrong. `algorithms` are those that the
    provider names, if it does; `key_of` gives its key for a token's header.
    """
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise NotProven(provider.name, "no ID token")
    header = _header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or (algorithms is not None and algorithm not in algorithms):
        raise NotProven(provider.name, "algorithm")
    key = key_of(header)
    if key is None or not _fits(key, str(algorithm)):
        raise NotProven(provider.name, "key")
    try:
        signed = jwt.decode(token, key, algorithms=[str(algorithm)])
    except (JoseError, ValueError, TypeError) as error:
        raise NotProven(provider.name, f"signature ({type(error).__name__})") from error
    _check(signed.claims, signed.header, provider, nonce)
    return _said(signed.claims, provider)


def _header(token: str) -> dict[str, Any]:
    """The header before the signature is checked: it chooses the key and nothing else."""
    try:
        text = token.partition(".")[0]
        header = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _fits(key: Key, algorithm: str) -> bool:
    """A key is of the algorithm's kind, and of no other algorithm's."""
    return key.key_type == ALGORITHMS[algorithm] and key.as_dict(private=False).get("alg", algorithm) == algorithm


def _check(claims: dict[str, Any], header: dict[str, Any], provider: Provider, nonce: str) -> None:
    """The claims of a token that the provider signed. Authlib checks most of them; the nonce and how old it is, we."""
    checked = CodeIDToken(
        claims,
        header,
        {
            "iss": {"essential": True, "values": [provider.issuer, *provider.aliases]},
            "aud": {"essential": True, "value": provider.client_id},
        },
        {"client_id": provider.client_id},
    )
    now = int(real_now().timestamp())
    try:
        checked.validate(now=now, leeway=_LEEWAY_S)
    except (JoseError, ValueError, TypeError) as error:
        raise NotProven(provider.name, f"claims ({type(error).__name__}: {getattr(error, 'claim', '')})") from error
    given, issued = claims.get("nonce"), claims.get("iat")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), nonce.encode()):
        raise NotProven(provider.name, "nonce")
    if not isinstance(issued, int | float) or not now - _OLDEST_S <= issued <= now + _LEEWAY_S:
        raise NotProven(provider.name, "iat")
    if not isinstance(claims.get("sub"), str) or not _SUBJECT.fullmatch(claims["sub"]):
        raise NotProven(provider.name, "sub")


def _said(claims: Mapping[str, Any], provider: Provider) -> Claims:
    name, hosted = claims.get("name"), claims.get("hd")
    return Claims(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=address(claims.get("email")),
        # Not `"true"`, as some write it: only what is said plainly counts.
        email_verified=claims.get("email_verified") is True,
        name=" ".join(name.split())[:_LONGEST_NAME] if isinstance(name, str) and name.isprintable() else "",
        hosted_domain=hosted.lower() if isinstance(hosted, str) else None,
    )
