"""Authorization codes and how the provider behaves, in memory."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from infra.sandbox.oidc.people import Person
from infra.sandbox.oidc.signing import Algorithm, Signature
from infra.sandbox.tokens import CODE_SECONDS


class Behaviour(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How it behaves from now on; without anything said, as it should.

    `claims` and `metadata` are laid over the ID token and over the discovery document, null takes one away; `answer`
    over what the browser brings back. `replay` gives the last ID token once more.
    """

    algorithm: Algorithm = "RS256"
    signature: Signature = "right"
    claims: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    answer: dict[str, str | None] = {}
    replay: bool = False
    reuses_codes: bool = False


@dataclass(frozen=True)
class Asked:
    """What the product asked for: RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    scope: str
    challenge: str


@dataclass(frozen=True)
class Grant:
    asked: Asked
    person: Person
    until: float


class Codes:
    """Each works once, for its redirect address and its verifier."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def issue(self, asked: Asked, person: Person) -> str:
        code = secrets.token_urlsafe(32)
        self._grants[code] = Grant(asked, person, time.monotonic() + CODE_SECONDS)
        return code

    def take(self, code: str, redirect_uri: str, verifier: str, *, keep: bool = False) -> Grant | None:
        """The grant of a code, which is used up with that; None when anything does not fit."""
        grant = self._grants.get(code) if keep else self._grants.pop(code, None)
        if grant is None or grant.until < time.monotonic() or grant.asked.redirect_uri != redirect_uri:
            return None
        digest = hashlib.sha256(verifier.encode()).digest()
        made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return grant if hmac.compare_digest(made, grant.asked.challenge) else None
