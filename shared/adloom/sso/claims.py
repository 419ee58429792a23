"""Who somebody is by a provider's word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claims:
    """`email` in small letters, where there is one; it is the person's own only where `email_verified`.
    `hosted_domain` is Google's claim `hd`.
    """

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str
    hosted_domain: str | None
