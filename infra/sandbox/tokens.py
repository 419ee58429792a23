"""Tokens that the sandbox has issued: kept as hashes in a file, so that they outlive a restart."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

# Long enough for a person to come back from the consent page, short enough that a stolen code is worth little.
CODE_SECONDS = 600


class Issued(msgspec.Struct):
    """A token. `expires_at` is business time; None never expires. `revoked` is the platform's reason code.

    `withheld` are the accounts that the person did not grant, or took back since. `parent` is the digest of the token
    that this one was made from, where it ends with that one.
    """

    digest: str
    platform: str
    person_id: str
    scopes: list[str]
    declined: list[str]
    issued_at: datetime
    expires_at: datetime | None
    revoked: int | None = None
    withheld: list[str] = []
    parent: str = ""


@dataclass(frozen=True)
class Code:
    """An authorization code: single use, for one redirect address. `withheld` are accounts left out of the grant.

    `note` is what the platform's token endpoint must know besides.
    """

    redirect_uri: str
    person_id: str
    scopes: list[str]
    declined: list[str]
    until: float
    withheld: tuple[str, ...] = ()
    note: str = ""

    def is_fresh(self) -> bool:
        """Whether it can still be exchanged."""
        return time.monotonic() < self.until


class Tokens:
    """All tokens of all platforms in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._issued: dict[str, Issued] = {}
        if path.exists():
            for issued in msgspec.json.decode(path.read_bytes(), type=list[Issued]):
                self._issued[issued.digest] = issued

    def issue(
        self,
        platform: str,
        prefix: str,
        grant: Issued | Code,
        now: datetime,
        lifetime: timedelta | None,
        *,
        parent: str = "",
    ) -> str:
        """A new token for the person and the scopes of a grant; without a lifetime it never expires."""
        token = prefix + secrets.token_urlsafe(96).replace("-", "Z").replace("_", "D")
        digest = _digest(token)
        self._issued[digest] = Issued(
            digest, platform, grant.person_id, grant.scopes, grant.declined, now, now + lifetime if lifetime else None,
            withheld=list(grant.withheld), parent=parent,
        )  # fmt: skip
        self._save()
        return token

    def find(self, token: str) -> Issued | None:
        """The token as it was issued, revoked and expired ones too; None for one that is not ours."""
        return self._issued.get(_digest(token))

    def by_digest(self, digest: str) -> Issued | None:
        """A token by its hash, such as another's `parent`."""
        return self._issued.get(digest)

    def change(self, which: Callable[[Issued], bool], change: Callable[[Issued], None]) -> int:
        """Change the tokens for which `which` holds and keep that; their number."""
        chosen = [issued for issued in self._issued.values() if which(issued)]
        for issued in chosen:
            change(issued)
        self._save()
        return len(chosen)

    def _save(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(list(self._issued.values())))
        partial.replace(self._path)


class Codes:
    """Authorization codes, in memory: they live for minutes. Always on the real clock."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}
        self._used: set[str] = set()

    def issue(
        self,
        redirect_uri: str,
        person_id: str,
        scopes: list[str],
        declined: list[str],
        *,
        withheld: tuple[str, ...] = (),
        note: str = "",
        seconds: float = CODE_SECONDS,
    ) -> str:
        """A new code."""
        code = secrets.token_urlsafe(48)
        until = time.monotonic() + seconds
        self._codes[_digest(code)] = Code(redirect_uri, person_id, scopes, declined, until, withheld, note)
        return code

    def peek(self, code: str) -> Code | None:
        """The code, if it was issued and not yet used."""
        return self._codes.get(_digest(code))

    def was_used(self, code: str) -> bool:
        """Whether the code has been exchanged before."""
        return _digest(code) in self._used

    def use(self, code: str) -> None:
        """Burn the code."""
        del self._codes[_digest(code)]
        self._used.add(_digest(code))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
