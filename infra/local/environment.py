"""What the operator's environment says, and the little of it that the processes get to see."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path

from infra.local.errors import RuntimeFault
from infra.local.home import Home

# Settings that an operator may give by the environment and that hold no secret.
_PASSED = (
    "ADLOOM_LOG_LEVEL",
    "ADLOOM_META_GRAPH_URL",
    "ADLOOM_META_DIALOG_URL",
    "ADLOOM_TIKTOK_AUTHORIZE_URL",
    "ADLOOM_GOOGLE_ADS_TIER",
    "ADLOOM_TIKTOK_TIER",
    "ADLOOM_SANDBOX_BROWSER_URL",
    "ADLOOM_DATABASE_POOL",
    "ADLOOM_TRUSTED_PROXIES",
    "ADLOOM_SESSION_IDLE_HOURS",
    "ADLOOM_SESSION_DAYS",
    "ADLOOM_CONNECTOR_BACKOFF",
    "ADLOOM_CONNECTOR_DUPLICATE_WINDOW",
    "ADLOOM_FAILPOINT",
    "ADLOOM_RATES_URL",
    "ADLOOM_MAIL_FROM",
    "ADLOOM_SMTP_URL",
    "ADLOOM_RESEND_URL",
    "ADLOOM_REGISTRATION",
    "ADLOOM_GEOIP_FILE",
    "ADLOOM_GOOGLE_CLIENT_ID",
    "ADLOOM_OIDC_ISSUER",
    "ADLOOM_OIDC_CLIENT_ID",
    "ADLOOM_OIDC_NAME",
    "ADLOOM_SSO_DOMAINS",
)
# Secrets that an operator may give in place of those that are made up, and their names in `stack.yml`.
_GIVEN = {
    "ADLOOM_MAIL_KEY": "mail-key",
    "ADLOOM_GOOGLE_CLIENT_SECRET": "google-client-secret",
    "ADLOOM_OIDC_CLIENT_SECRET": "oidc-client-secret",
}
# Our apps at the ad platforms: what each is called in its settings ADLOOM_<...>_ID and ADLOOM_<...>_SECRET.
APPS = {"google_ads_client": "Google", "meta_app": "Meta", "tiktok_app": "TikTok"}
_SANDBOX_PASSED = ("ADLOOM_SANDBOX_SEED", "ADLOOM_SANDBOX_FACTS")
# A function that calls a real platform may have to go through the company's proxy and trust its certificates.
_OUTWARD = (
    *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_NO_PROXY = "127.0.0.1,localhost,::1"


@dataclass(frozen=True)
class App:
    """Our app at an ad platform."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Operator:
    """The operator's wishes. `port` is None where any free port will do; `autoconnect` is False for an empty stack;
    `apps` are those of real platforms, by the names of APPS; `given` are secrets by their names.

    `backup_at`: when the nightly backup is made, UTC; None for never.
    """

    port: int | None
    public_url: str | None
    autoconnect: bool
    apps: Mapping[str, App]
    sentry_dsn: str | None
    given: Mapping[str, str]
    backup_at: time | None
    passed: Mapping[str, str]
    sandbox: Mapping[str, str]
    outward: Mapping[str, str]

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Operator:
        return cls(
            port=_port(environment.get("ADLOOM_PORT", "")),
            public_url=environment.get("ADLOOM_PUBLIC_URL") or None,
            autoconnect=environment.get("ADLOOM_AUTOCONNECT", "1") != "0",
            apps={name: app for name in APPS if (app := _app(environment, name)) is not None},
            sentry_dsn=environment.get("ADLOOM_SENTRY_DSN") or None,
            given={secret: environment[name] for name, secret in _GIVEN.items() if environment.get(name)},
            backup_at=_time_of_day(environment.get("ADLOOM_BACKUP_AT") or "03:15"),
            passed=_pick(environment, _PASSED),
            sandbox=_sandbox(environment),
            outward=_pick(environment, _OUTWARD) | {"NO_PROXY": _NO_PROXY, "no_proxy": _NO_PROXY},
        )


def _pick(environment: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: environment[name] for name in names if environment.get(name)}


def _app(environment: Mapping[str, str], name: str) -> App | None:
    """The app that the environment names, both halves of it."""
    halves = [f"ADLOOM_{name.upper()}_{half}" for half in ("ID", "SECRET")]
    missing = [half for half in halves if not environment.get(half)]
    if len(missing) == 1:
        raise RuntimeFault(
            f"A real connection to {APPS[name]} needs the app's id and its secret; {missing[0]} is not set."
        )
    return None if missing else App(*(environment[half] for half in halves))


def _sandbox(environment: Mapping[str, str]) -> dict[str, str]:
    chosen = _pick(environment, _SANDBOX_PASSED)
    if facts := chosen.get("ADLOOM_SANDBOX_FACTS"):
        folder = Path(facts).expanduser().absolute()
        if not folder.is_dir():
            raise RuntimeFault(f"ADLOOM_SANDBOX_FACTS names {folder}, which is no folder.")
        chosen["ADLOOM_SANDBOX_FACTS"] = str(folder)
    return chosen


def _time_of_day(text: str) -> time | None:
    """The time of the nightly backup, UTC; None for `off`."""
    if text == "off":
        return None
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        raise RuntimeFault(
            f"ADLOOM_BACKUP_AT is {text!r}; set it to a time of the day, UTC, such as 03:15, or to off."
        ) from None


def _port(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004 - the range of ports
        raise RuntimeFault(f"ADLOOM_PORT is {text!r}; set it to a number from 1 to 65535.")
    return int(text)


def base_environment(home: Home) -> dict[str, str]:
    """What every process gets, and nothing else of the operator's environment."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home.path / "work"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "ADLOOM_CLOCK": f"file:{home.clock_file}",
    }
