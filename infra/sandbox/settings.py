"""The sandbox's settings, read once from the environment. A missing one stops the start with a sentence.

The keys and the secrets may be files instead, by their names in lower case in ADLOOM_SECRETS_DIR: sandbox-key,
meta-app-secret, mail-key, sandbox-client-secret and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adloom.settings import DEFAULT_SECRETS_DIR

DEFAULT_SEED = 7
_LAST_PORT = 65535
_SECRETS = {
    "ADLOOM_SANDBOX_KEY": "sandbox-key",
    "ADLOOM_META_APP_SECRET": "meta-app-secret",
    "ADLOOM_MAIL_KEY": "mail-key",
    "ADLOOM_TIKTOK_APP_SECRET": "tiktok-app-secret",
    "ADLOOM_GOOGLE_ADS_CLIENT_SECRET": "google-ads-client-secret",
    "ADLOOM_SANDBOX_CLIENT_SECRET": "sandbox-client-secret",
}


class SettingsError(Exception):
    """A setting is missing or wrong; the text says what to set."""


@dataclass(frozen=True)
class Settings:
    """`facts` is None where the sandbox generates its own folder under `home`. `url` is where the product reaches the
    sandbox, `browser_url` where browsers do. `client_secret` is None where nobody logs in by the identity provider.

    A platform whose app is empty knows no app at all: nobody logs in there. `google_port` 0 opens no gRPC; without
    `google_ca` the authority of its certificate lies in `home`.
    """

    host: str
    port: int
    home: Path
    key: str
    seed: int
    facts: Path | None
    meta_app_id: str
    meta_app_secret: str
    mail_key: str
    client_secret: str | None
    url: str
    browser_url: str
    tiktok_app_id: str = ""
    tiktok_app_secret: str = ""
    google_client_id: str = ""
    google_client_secret: str = ""
    google_port: int = 0
    google_ca: Path | None = None


def read(environment: Mapping[str, str]) -> Settings:
    """Read every setting; SettingsError for the first that is missing or wrong."""
    environment = {**_secrets(environment), **{name: value for name, value in environment.items() if value}}
    facts = environment.get("ADLOOM_SANDBOX_FACTS", "")
    port = _int(environment, "ADLOOM_SANDBOX_PORT", None)
    if not 0 < port <= _LAST_PORT:
        raise SettingsError(f"ADLOOM_SANDBOX_PORT is {port}; set it to a free port, e.g. 8090")
    url = (environment.get("ADLOOM_SANDBOX_URL") or f"http://127.0.0.1:{port}").rstrip("/")
    return Settings(
        host=environment.get("ADLOOM_SANDBOX_HOST") or "127.0.0.1",
        port=port,
        home=Path(_needed(environment, "ADLOOM_SANDBOX_HOME", "a folder that the sandbox may write to")),
        key=_needed(environment, "ADLOOM_SANDBOX_KEY", "a secret of your choice that guards /_sandbox/"),
        seed=_int(environment, "ADLOOM_SANDBOX_SEED", DEFAULT_SEED),
        facts=Path(facts) if facts else None,
        meta_app_id=_needed(environment, "ADLOOM_META_APP_ID", "the id of the Meta app, any digits for the sandbox"),
        meta_app_secret=_needed(environment, "ADLOOM_META_APP_SECRET", "the secret of the Meta app"),
        mail_key=_needed(environment, "ADLOOM_MAIL_KEY", "the API key with which mails are handed over"),
        client_secret=environment.get("ADLOOM_SANDBOX_CLIENT_SECRET") or None,
        url=url,
        browser_url=(environment.get("ADLOOM_SANDBOX_BROWSER_URL") or url).rstrip("/"),
        tiktok_app_id=environment.get("ADLOOM_TIKTOK_APP_ID", ""),
        tiktok_app_secret=environment.get("ADLOOM_TIKTOK_APP_SECRET", ""),
        google_client_id=environment.get("ADLOOM_GOOGLE_ADS_CLIENT_ID", ""),
        google_client_secret=environment.get("ADLOOM_GOOGLE_ADS_CLIENT_SECRET", ""),
        google_port=_int(environment, "ADLOOM_SANDBOX_GOOGLE_PORT", 0),
        google_ca=_path(environment, "ADLOOM_SANDBOX_GOOGLE_CA"),
    )


def _secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that are there as files."""
    folder = Path(environment.get("ADLOOM_SECRETS_DIR") or DEFAULT_SECRETS_DIR)
    files = {name: folder / file for name, file in _SECRETS.items()}
    return {name: path.read_text(encoding="utf-8").strip() for name, path in files.items() if path.is_file()}


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "")
    return Path(text) if text else None


def _needed(environment: Mapping[str, str], name: str, what: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set; set it to {what}")
    return value


def _int(environment: Mapping[str, str], name: str, default: int | None) -> int:
    text = environment.get(name, "")
    if not text and default is not None:
        return default
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; set it to a whole number") from None
