"""JSON Web Tokens and keys, by hand: what checks them in the product is somebody else's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Algorithm = Literal["RS256", "ES256"]
# How a token can be wrong although every claim in it is right.
Signature = Literal["right", "none", "hs256_with_public_key", "another_key", "unknown_kid", "swapped_kid"]

_BITS, _EXPONENT, _POINT = 2048, 65537, 32


class Keys:
    """A pair for each algorithm, made when it is first needed; new ones after each start."""

    def jwks(self) -> dict[str, Any]:
        """The public halves, as RFC 7517 writes them."""
        whole, point = self._rsa.public_key().public_numbers(), self._ec.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": "rsa",
                    "n": _number(whole.n),
                    "e": _number(whole.e),
                },
                {
                    "kty": "EC",
                    "use": "sig",
                    "alg": "ES256",
                    "kid": "ec",
                    "crv": "P-256",
                    "x": _number(point.x, _POINT),
                    "y": _number(point.y, _POINT),
                },
            ]
        }

    def token(self, claims: Mapping[str, Any], algorithm: Algorithm = "RS256", signature: Signature = "right") -> str:
        """A signed token, or one that is wrong in the named way."""
        kid = {"RS256": "rsa", "ES256": "ec"}[algorithm]
        header: dict[str, Any] = {"typ": "JWT", "alg": algorithm, "kid": kid}
        if signature == "none":
            return _text({"typ": "JWT", "alg": "none"}) + "." + _text(claims) + "."
        if signature == "hs256_with_public_key":
            message = _text({**header, "alg": "HS256"}) + "." + _text(claims)
            return message + "." + _base64(hmac.digest(self._public_pem, message.encode(), hashlib.sha256))
        if signature == "unknown_kid":
            header["kid"] = "nobody-knows-this-one"
        if signature == "swapped_kid":
            header["kid"] = "ec" if kid == "rsa" else "rsa"
        message = _text(header) + "." + _text(claims)
        ours = signature in ("right", "swapped_kid")
        return message + "." + _base64(self._signed(message.encode(), algorithm, ours=ours))

    def _signed(self, message: bytes, algorithm: Algorithm, *, ours: bool) -> bytes:
        if algorithm == "RS256":
            return (self._rsa if ours else _new_rsa()).sign(message, padding.PKCS1v15(), hashes.SHA256())
        pair = self._ec if ours else ec.generate_private_key(ec.SECP256R1())
        r, s = decode_dss_signature(pair.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_POINT) + s.to_bytes(_POINT)

    @cached_property
    def _rsa(self) -> rsa.RSAPrivateKey:
        return _new_rsa()

    @cached_property
    def _ec(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @property
    def _public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._rsa.public_key().public_bytes(serialization.Encoding.PEM, form)


def _new_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(_EXPONENT, _BITS)


def _text(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _number(value: int, size: int | None = None) -> str:
    return _base64(value.to_bytes(size or (value.bit_length() + 7) // 8))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
