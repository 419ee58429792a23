"""Codes of authenticator apps (RFC 6238): six digits of thirty seconds each. Nothing here touches the database."""

from __future__ import annotations

import hmac
import io
import re
import secrets
from datetime import datetime

ISSUER = "Adloom"
STEP_S = 30
# A clock may be off by a step, or a code typed as it changes.
STEPS_EITHER_SIDE = 1
_CODE = re.compile(r"^[0-9]{6}$")

RECOVERY_CODES = 10
# 24 characters of 32 are 120 bits: enough that a plain hash keeps them (OWASP ASVS asks for 112). No 0, 1, l and o.
_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
_GROUPS, _GROUP = 4, 6


def new_secret() -> str:
    """160 random bits in Base32, as RFC 4226 recommends."""
    import pyotp

    return pyotp.random_base32(32)


def uri(secret: str, email: str) -> str:
    """What an authenticator app reads from the QR image."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def qr_svg(text: str) -> str:
    """The QR image as an SVG element, dark on white so that any camera reads it."""
    import segno

    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", scale=5, border=3, dark="#1d1c1a", light="#ffffff", xmldecl=False, svgns=True, omitsize=True
    )
    return drawn.getvalue().decode().strip()


def step_of(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The step whose code this is; None when it is none of now, or not later than the last one that was taken.

    Every step is compared, whichever matches, so that the time taken tells nothing.
    """
    import pyotp

    generator, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    found = None
    for step in range(current - STEPS_EITHER_SIDE, current + STEPS_EITHER_SIDE + 1):
        expected = generator.generate_otp(step)
        if hmac.compare_digest(expected.encode(), code.encode("utf-8", "surrogatepass")):
            found = step
    return found if found is not None and (last_step is None or found > last_step) else None


def is_code(text: str) -> bool:
    """Whether it looks like an app's code, rather than a recovery code."""
    return bool(_CODE.match(compact(text)))


def compact(text: str) -> str:
    """A code without what people put between its parts, in one case."""
    return re.sub(r"[\s-]", "", text).lower()


def new_recovery_code() -> str:
    """`k3m9xq-7w2n4p-h8d5rt-c6vzab`."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
