"""The browser in which a log-in at a platform or a provider began: a cookie of it binds the `state` to it."""

from __future__ import annotations

import hashlib
import secrets

_COOKIE = "adloom_browser"
_RANDOM_BYTES = 32


def cookie_name(*, https: bool) -> str:
    """`__Host-` where people come by https: nobody but this very host can have set it."""
    return f"__Host-{_COOKIE}" if https else _COOKIE


def new_browser() -> str:
    """What a browser keeps: 256 random bits."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def browser_hash(browser: str) -> bytes:
    """What is stored and compared: 32 bytes."""
    return hashlib.sha256(browser.encode("utf-8", "surrogatepass")).digest()
