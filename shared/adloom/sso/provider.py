"""A provider as the deployment knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from adloom.errors import ConfigurationError

Key = Literal["google", "oidc", "sandbox"]

# https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken: either may stand in a token.
GOOGLE_ISSUER, GOOGLE_ISSUER_SHORT = "https://accounts.google.com", "accounts.google.com"


@dataclass(frozen=True)
class Provider:
    """`issuer` is compared to the letter. `aliases` are other spellings of it in tokens. `hosted_domains`: an address
    is the provider's to vouch for only where the claim `hd` names its domain, as with Google, where anybody may have
    an account with an address of somebody else's domain. `plain_http`: http will do, beside a sandbox: on loopback, and
    at the sandbox itself.
    """

    key: Key
    name: str
    issuer: str
    client_id: str
    client_secret: SecretStr = field(repr=False)
    aliases: frozenset[str] = frozenset()
    hosted_domains: bool = False
    plain_http: bool = False

    def checked(self) -> Self:
        """ConfigurationError unless the issuer is an address that may be asked."""
        if not self.may_call(self.issuer) or urlsplit(self.issuer).query:
            raise ConfigurationError(
                f"The issuer {self.issuer!r} will not do: it is an https address as the provider writes it in its "
                "discovery document, without ? and #."
            )
        return self

    def may_call(self, url: str) -> bool:
        """Whether an address that the provider names may be called, or a browser be sent there."""
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            return False
        plain = self.plain_http and (is_loopback(url) or parts.hostname == urlsplit(self.issuer).hostname)
        clean = url.isascii() and url.isprintable() and not set(url) & set(' <>"\\^`{|}#')
        hidden = parts.username is not None or parts.password is not None
        return (
            clean
            and parts.scheme in (("https", "http") if plain else ("https",))
            and bool(parts.hostname)
            and not hidden
        )


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
