"""Which providers people may log in by, and whose new people are let in."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from adloom.errors import ConfigurationError
from adloom.sso.domains import Domains
from adloom.sso.provider import GOOGLE_ISSUER, GOOGLE_ISSUER_SHORT, Provider, is_loopback

SANDBOX_PATH = "/oidc"
SANDBOX_CLIENT_ID = "adloom"
# Of the made-up people beside a sandbox, and of the demo's owner.
SANDBOX_DOMAIN = "adloom.local"


class SsoSettings(BaseSettings):
    """All of it may be missing: then people log in with passwords."""

    model_config = SettingsConfigDict(env_prefix="ADLOOM_", frozen=True, extra="ignore", env_ignore_empty=True)

    sandbox_url: str | None = None
    sandbox_browser_url: str | None = None
    google_client_id: str | None = Field(default=None, description="The id of the OAuth client at Google")
    google_client_secret: SecretStr | None = Field(default=None, description="The secret of the OAuth client at Google")
    oidc_issuer: str | None = Field(default=None, description="The issuer of another provider, https://...")
    oidc_client_id: str | None = Field(default=None, description="The id of the client at that provider")
    oidc_client_secret: SecretStr | None = Field(default=None, description="The secret of the client at that provider")
    oidc_name: str = Field(default="single sign-on", max_length=40, description="What its button says")
    sso_domains: str | None = Field(
        default=None,
        description="Whose new people are let in: example.com, or example.com=<organisation id>; comma separated",
    )
    sandbox_client_secret: SecretStr | None = Field(
        default=None, description="The secret of the client at the sandbox's provider"
    )

    @property
    def providers(self) -> dict[str, Provider]:
        """By their keys, in the order of their buttons; ConfigurationError where one is set up by half."""
        found = (self._google(), self._oidc(), self._sandbox())
        return {one.key: one for one in found if one is not None}

    @property
    def domains(self) -> Domains:
        """ConfigurationError where they cannot be read."""
        return Domains.read(self.sso_domains or (SANDBOX_DOMAIN if self.sandbox_url else ""))

    def _google(self) -> Provider | None:
        if not self.google_client_id:
            return None
        return Provider(
            key="google",
            name="Google",
            issuer=GOOGLE_ISSUER,
            client_id=self.google_client_id,
            client_secret=_secret(self.google_client_secret, "google-client-secret"),
            aliases=frozenset({GOOGLE_ISSUER_SHORT}),
            hosted_domains=True,
        )

    def _oidc(self) -> Provider | None:
        if not self.oidc_issuer and not self.oidc_client_id:
            return None
        if not self.oidc_issuer or not self.oidc_client_id:
            raise ConfigurationError("A provider needs both: set ADLOOM_OIDC_ISSUER and ADLOOM_OIDC_CLIENT_ID.")
        return Provider(
            key="oidc",
            name=self.oidc_name,
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=_secret(self.oidc_client_secret, "oidc-client-secret"),
            # Beside a sandbox a provider of this machine will do, for tries.
            plain_http=bool(self.sandbox_url) and is_loopback(self.oidc_issuer),
        ).checked()

    def _sandbox(self) -> Provider | None:
        """Anybody who reaches the sandbox can be any of its people. So it is a door only where its pages are opened on
        this very machine: not on a server that others reach.
        """
        if not self.sandbox_url or self.sandbox_client_secret is None:
            return None
        if not is_loopback(self.sandbox_browser_url or self.sandbox_url):
            return None
        return Provider(
            key="sandbox",
            name="Sandbox ID",
            issuer=self.sandbox_url.rstrip("/") + SANDBOX_PATH,
            client_id=SANDBOX_CLIENT_ID,
            client_secret=self.sandbox_client_secret,
            plain_http=True,
        ).checked()


def _secret(given: SecretStr | None, name: str) -> SecretStr:
    if given is None:
        raise ConfigurationError(f"The provider's client has no secret: put it into the secrets folder as {name}.")
    return given
