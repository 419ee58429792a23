"""Typed settings, read once, from `ADLOOM_*` environment variables and from secret files.

A process composes its settings class of the groups it needs:

    class SyncMetaSettings(CoreSettings, DatabaseSettings, EventSettings, TokenRingSettings, MetaSettings): ...
    settings = load(SyncMetaSettings, "sync-meta")

A secret such as `database_url` is looked for in the folder `ADLOOM_SECRETS_DIR` (default `/var/openfaas/secrets`, where
OpenFaaS mounts them) as `<process>-database-url`, then `database-url`, then in the variable `ADLOOM_DATABASE_URL`.
A missing or wrong setting raises ConfigurationError with a sentence that says what to set.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from adloom.errors import ConfigurationError

DEFAULT_SECRETS_DIR = "/var/openfaas/secrets"
GRAPH_URL = "https://graph.facebook.com"
DIALOG_URL = "https://www.facebook.com"
RATES_URL = "https://www.ecb.europa.eu/stats/eurofxref"


class _Group(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ADLOOM_", frozen=True, extra="ignore", env_ignore_empty=True)


class CoreSettings(_Group):
    """What every process needs."""

    public_url: str = Field(description="Where people reach the dashboard; links outward are built from it")
    gateway_url: str = Field(description="Where functions are reached: <gateway>/function/<name>")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    sentry_dsn: SecretStr | None = Field(default=None, description="Errors are reported there when it is set")
    sandbox_url: str | None = Field(default=None, description="Set: the platforms are the sandbox at this address")
    trusted_proxies: str = Field(
        default="127.0.0.1,::1", description="Addresses whose X-Forwarded-For is believed, comma separated"
    )

    @property
    def is_loopback_http(self) -> bool:
        """Whether people reach the dashboard by http on this machine only, so that cookies cannot be Secure."""
        return self.public_url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))


class DatabaseSettings(_Group):
    database_url: SecretStr = Field(description="postgresql://role:password@host:port/database of this process's role")
    database_pool: int = Field(default=8, ge=1, le=64, description="Connections that one process holds at most")


class AdminDatabaseSettings(_Group):
    admin_database_url: SecretStr = Field(
        description="postgresql://... of a role that may create roles; only migrations use it"
    )


class EventSettings(_Group):
    event_secret: SecretStr = Field(description="Signs the events that are delivered to this function")


class TokenRingSettings(_Group):
    token_ring: SecretStr = Field(description="Fernet keys for platform tokens, newest first, comma separated")


class NatsSettings(_Group):
    nats_url: SecretStr = Field(description="nats://user:password@host:port")


class OperatorSettings(_Group):
    operator_key: SecretStr = Field(description="The key with which the command line calls functions")


class StorageSettings(_Group):
    s3_endpoint: str = Field(description="URL of the S3 server")
    s3_bucket: str = Field(default="adloom", description="The bucket, which must exist")
    s3_access_key: SecretStr = Field(description="S3 access key")
    s3_secret_key: SecretStr = Field(description="S3 secret key")


class AuditSettings(StorageSettings):
    audit_key: SecretStr = Field(
        description="Signs the audit trail: 32 bytes in base64, newest first, comma separated; never in the database"
    )


class _PlatformApp(_Group):
    """Our app at an ad platform. Without its id nobody can connect accounts of that platform here.

    In sandbox mode all addresses are the sandbox's.
    """

    sandbox_url: str | None = None
    sandbox_browser_url: str | None = Field(
        default=None, description="Where browsers reach the sandbox, if not at its own address"
    )

    @property
    def _sandbox_for_browsers(self) -> str | None:
        return self.sandbox_browser_url or self.sandbox_url


class GoogleSettings(_PlatformApp):
    """The OAuth client for Google Ads; the one by which people log in is another."""

    google_ads_client_id: str = Field(default="", description="The id of the OAuth client for Google Ads")
    google_ads_client_secret: SecretStr = Field(
        default=SecretStr(""), description="The secret of the OAuth client for Google Ads"
    )
    google_ads_developer_token: SecretStr = Field(
        default=SecretStr(""), description="A developer token of Google Ads; Google asks for none any more"
    )
    google_ads_tier: Literal["explorer", "basic", "standard"] | None = Field(
        default=None, description="The access level of the Google Cloud project: explorer, basic or standard"
    )
    sandbox_google_port: int = Field(
        default=8091, ge=1, le=65535, description="The port of the sandbox's Google Ads, which speaks gRPC"
    )

    @property
    def google_login_url(self) -> str | None:
        """Where the sandbox shows Google's pages; None for Google itself."""
        return self._sandbox_for_browsers if self.sandbox_url else None


class TikTokSettings(_PlatformApp):
    """TikTok's app."""

    tiktok_app_id: str = Field(default="", description="The id of the TikTok app")
    tiktok_app_secret: SecretStr = Field(default=SecretStr(""), description="The secret of the TikTok app")
    tiktok_tier: Literal["basic", "advanced", "premium", "ultimate"] | None = Field(
        default=None, description="The app's level of calls: basic, advanced, premium or ultimate"
    )
    tiktok_authorize_url: str | None = Field(
        default=None, description="The address of the log-in that TikTok's portal shows for the app, if it has another"
    )

    @property
    def tiktok_login_url(self) -> str | None:
        """Where the sandbox shows TikTok's pages; None for TikTok itself."""
        return self._sandbox_for_browsers if self.sandbox_url else None


class MetaSettings(_PlatformApp):
    """Meta's app."""

    meta_app_id: str = Field(default="", description="The id of the Meta app")
    meta_app_secret: SecretStr = Field(default=SecretStr(""), description="The secret of the Meta app")
    meta_graph_url: str | None = Field(default=None, description=f"The Graph API, {GRAPH_URL} if not said")
    meta_dialog_url: str | None = Field(default=None, description=f"The login dialog, {DIALOG_URL} if not said")

    @property
    def graph_url(self) -> str:
        return self.meta_graph_url or self.sandbox_url or GRAPH_URL

    @property
    def dialog_url(self) -> str:
        return self.meta_dialog_url or self._sandbox_for_browsers or DIALOG_URL


class RatesSettings(_Group):
    """Where exchange rates come from. In sandbox mode it is the sandbox's bank."""

    sandbox_url: str | None = None
    rates_url: str | None = Field(
        default=None,
        description=f"Folder or file of exchange rates in the ECB's formats, {RATES_URL} if not said; or off",
    )

    @property
    def rates_from(self) -> str | None:
        """The address; None where rates are not wanted."""
        if self.rates_url == "off":
            return None
        sandbox = f"{self.sandbox_url.rstrip('/')}/stats/eurofxref" if self.sandbox_url else None
        return self.rates_url or sandbox or RATES_URL


S = TypeVar("S", bound=BaseSettings)


def secrets_folder() -> Path:
    return Path(os.environ.get("ADLOOM_SECRETS_DIR", DEFAULT_SECRETS_DIR))


def _secret_files(model: type[BaseSettings], process: str) -> dict[str, str]:
    """The fields of the model for which the secrets folder has a file."""
    folder, found = secrets_folder(), {}
    for field in model.model_fields:
        name = field.replace("_", "-")
        for candidate in (f"{process}-{name}", name):
            path = folder / candidate
            if path.is_file():
                found[field] = path.read_text(encoding="utf-8").strip()
                break
    return found


def current_secret(field: str, process: str, told: SecretStr) -> str:
    """A secret as its file says at this moment: key rings change while functions run. `told` where there is no file."""
    name = field.replace("_", "-")
    for candidate in (f"{process}-{name}", name):
        try:
            return (secrets_folder() / candidate).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
    return told.get_secret_value()


def load(model: type[S], process: str) -> S:
    """Read the settings of a process; ConfigurationError names every setting that is missing or wrong."""
    values: dict[str, Any] = _secret_files(model, process)
    try:
        return model(**values)
    except ValidationError as error:
        raise ConfigurationError(_explain(model, process, error)) from None


def _explain(model: type[BaseSettings], process: str, error: ValidationError) -> str:
    """One line per setting; never shows a value, which may be a secret."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        field = str(fault["loc"][0]).lower().removeprefix("adloom_")
        info = model.model_fields.get(field)
        what = info.description if info and info.description else fault["msg"]
        problem = "is missing" if fault["type"] == "missing" else f"is wrong ({fault['msg']})"
        lines.append(
            f"{process}: the setting {field} {problem}. Set ADLOOM_{field.upper()} or the secret "
            f"{process}-{field.replace('_', '-')} in {secrets_folder()}. It is: {what}."
        )
    return "\n".join(lines)
