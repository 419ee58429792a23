"""Opaque tokens: 256 random bits, shown once, stored as their SHA-256.

A plain hash suffices because nobody can guess 256 bits; a slow one would only slow every request down.
"""

from __future__ import annotations

import hashlib
import secrets

SESSION_PREFIX = "adl_s_"
OPERATOR_PREFIX = "adl_o_"
KEY_PREFIX = "adl_k_"
DEVICE_PREFIX = "adl_d_"
CHALLENGE_PREFIX = "adl_c_"
INVITATION_PREFIX = "adl_i_"
REGISTRATION_PREFIX = "adl_n_"
RESET_PREFIX = "adl_r_"
VERIFICATION_PREFIX = "adl_v_"

_RANDOM_BYTES = 32
_KEY_PREFIX_BYTES = 4


def new_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def new_session_token() -> str:
    return new_token(SESSION_PREFIX)


def new_operator_key() -> str:
    return new_token(OPERATOR_PREFIX)


def new_device_token() -> str:
    return new_token(DEVICE_PREFIX)


def new_key_token() -> tuple[str, str]:
    """A token for another system, and the part of it that tells it apart: `adl_k_<prefix>_<secret>`."""
    prefix = secrets.token_hex(_KEY_PREFIX_BYTES)
    return new_token(f"{KEY_PREFIX}{prefix}_"), prefix


def last_four(token: str) -> str:
    """What is kept of a token in clear; the other 232 bits are known to its holder only."""
    return token[-4:]


def token_hash(token: str) -> bytes:
    """What is stored and looked up: 32 bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
