"""Whose new people are let in, and where to. Nothing here looks at anything but the whole domain: no parts, no ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from adloom.errors import ConfigurationError

# Names as they stand in an address: letters, digits and hyphens. Others are written in their ASCII form, xn--...
_DOMAIN = re.compile(r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")
# One @, printable ASCII: what looks like ASCII and is not is nobody's address here.
_ADDRESS = re.compile(r"^[!-?A-~]{1,64}@([!-?A-~]{1,255})$")
_LONGEST = 320


@dataclass(frozen=True)
class Domains:
    """Domain -> organisation; None for the only one that there is."""

    allowed: Mapping[str, UUID | None] = field(default_factory=dict)

    @classmethod
    def read(cls, written: str) -> Self:
        """Read `example.com, agency.example=<organisation id>`; ConfigurationError says what is wrong with it."""
        allowed: dict[str, UUID | None] = {}
        for part in filter(None, (part.strip() for part in written.split(","))):
            domain, _, organisation = (word.strip() for word in part.partition("="))
            if not _DOMAIN.fullmatch(domain.lower()):
                raise ConfigurationError(
                    f"ADLOOM_SSO_DOMAINS has {domain!r}, which is no domain such as example.com. Each counts alone: "
                    "there are no patterns."
                )
            try:
                allowed[domain.lower()] = UUID(organisation) if organisation else None
            except ValueError:
                raise ConfigurationError(
                    f"ADLOOM_SSO_DOMAINS has {organisation!r} for {domain}, which is no id of an organisation."
                ) from None
        return cls(allowed)

    def __contains__(self, domain: object) -> bool:
        return domain in self.allowed

    def organisation(self, domain: str) -> UUID | None:
        return self.allowed[domain]


def address(given: object) -> str | None:
    """The address of a claim in small letters; None for what is no address."""
    if not isinstance(given, str) or len(given) > _LONGEST or not _ADDRESS.fullmatch(given):
        return None
    return given.lower()


def domain_of(email: str) -> str:
    """What stands behind the @; an address has one."""
    return email.rpartition("@")[2]
