"""Signs deliveries: `X-Adloom-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "t.body">`, good for 300 s of real time."""

from __future__ import annotations

import hashlib
import hmac
import re

from adloom.errors import Unauthenticated

SIGNATURE_HEADER = "X-Adloom-Signature"
TOLERANCE_S = 300
_HEADER = re.compile(r"^t=(\d{1,12}),v1=([0-9a-f]{64})$")


def sign(body: bytes, secret: str, at: int) -> str:
    """The header's value for a body, at a unix time."""
    return f"t={at},v1={_mac(body, secret, at)}"


def verify(header: str | None, body: bytes, secret: str, now: int) -> None:
    """Raise Unauthenticated unless the header signs this body within the tolerance. Fails closed."""
    match = _HEADER.match(header or "")
    if match is None:
        raise Unauthenticated("The delivery is not signed", code="signature_missing")
    at = int(match[1])
    if abs(now - at) > TOLERANCE_S:
        raise Unauthenticated("The delivery's signature is too old", code="signature_expired")
    if not hmac.compare_digest(match[2], _mac(body, secret, at)):
        raise Unauthenticated("The delivery's signature is wrong", code="signature_wrong")


def _mac(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
