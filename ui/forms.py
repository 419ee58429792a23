"""Forms that change something carry a token of ours and are accepted from our own pages only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import quote, urlsplit

_LONGEST_NEXT = 2000


def new_nonce() -> str:
    return secrets.token_urlsafe(24)


def form_token(secret: str, purpose: str, nonce: str) -> str:
    """The token of a form; `nonce` is what only this browser holds: a cookie's value."""
    return hmac.new(secret.encode(), f"{purpose}:{nonce}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_form_token(given: str, secret: str, purpose: str, nonce: str) -> bool:
    expected = form_token(secret, purpose, nonce)
    return bool(nonce) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def same_origin(origin: str | None, allowed: frozenset[str]) -> bool:
    """Whether a request's Origin is ours. A missing one is refused: every browser sends it with what changes state."""
    return origin is not None and origin.lower() in allowed


def origins(public_url: str) -> frozenset[str]:
    """The origins under which people reach the dashboard."""
    parts = urlsplit(public_url)
    found = {f"{parts.scheme}://{parts.netloc}".lower()}
    if parts.hostname == "127.0.0.1":
        found.add(f"{parts.scheme}://localhost:{parts.port}" if parts.port else f"{parts.scheme}://localhost")
    return frozenset(found)


def with_next(page: str, target: str) -> str:
    """The address of a page that leads to another of ours afterwards."""
    return page if target == "/" else f"{page}?next={quote(target, safe='')}"


def safe_next(target: str | None) -> str:
    """Where to go after login: a path of ours, else the overview. Never another site.

    Backslashes and control characters are refused because browsers take a backslash for a slash.
    """
    if not target or len(target) > _LONGEST_NEXT or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or any(ord(character) < 0x20 or ord(character) == 0x7F for character in target):  # noqa: PLR2004 - ASCII controls
        return "/"
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path in ("/login", "/logout", "/confirm"):
        return "/"
    return target
