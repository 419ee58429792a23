"""Our app at each ad platform, from the settings: at the platform itself, or at the sandbox in its place.

An app that is not set up raises OperatorMustAct, whose sentence says what to set. Clients and log-ins are imported
where they are made: they take a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from adloom.errors import OperatorMustAct
from adloom.settings import GoogleSettings, MetaSettings, TikTokSettings

if TYPE_CHECKING:
    from adloom.platforms.google import client as google_client
    from adloom.platforms.google.oauth import GoogleOAuth
    from adloom.platforms.meta import client as meta_client
    from adloom.platforms.meta.hooks import MetaHooks
    from adloom.platforms.meta.oauth import MetaOAuth
    from adloom.platforms.tiktok import client as tiktok_client
    from adloom.platforms.tiktok.oauth import TikTokOAuth

TIKTOK_URL = "https://business-api.tiktok.com"
# How a secret begins that a deployment made up because nobody gave it one; it opens the sandbox alone.
MADE_UP = "made-up-"
_PLATFORMS = {"google-ads-client": "Google Ads", "meta-app": "Meta", "tiktok-app": "TikTok"}
# The code of the error of a platform whose app is not set up.
NOT_SET_UP = "platform_not_set_up"


def google(settings: GoogleSettings) -> google_client.App:
    from adloom.platforms.google.client import ENDPOINT, TOKEN_URL, App

    sandbox = settings.sandbox_url
    return App(
        *_credentials("google-ads-client", settings.google_ads_client_id, settings.google_ads_client_secret, sandbox),
        endpoint=f"{urlsplit(sandbox).hostname}:{settings.sandbox_google_port}" if sandbox else ENDPOINT,
        token_url=_at(sandbox, "/token") if sandbox else TOKEN_URL,
        developer_token=settings.google_ads_developer_token.get_secret_value(),
    )


def google_oauth(settings: GoogleSettings) -> GoogleOAuth:
    from adloom.platforms.google.oauth import GoogleOAuth

    app, sandbox = google(settings), settings.sandbox_url
    if not sandbox:
        return GoogleOAuth(app)
    return GoogleOAuth(
        app,
        authorize_url=_at(settings.google_login_url or sandbox, "/o/oauth2/v2/auth"),
        revoke_url=_at(sandbox, "/revoke"),
        person_url=_at(sandbox, "/v1/userinfo"),
    )


def meta(settings: MetaSettings) -> meta_client.App:
    from adloom.platforms.meta.client import App

    app_id, secret = _credentials("meta-app", settings.meta_app_id, settings.meta_app_secret, settings.sandbox_url)
    return App(app_id, secret, settings.graph_url)


def meta_oauth(settings: MetaSettings) -> MetaOAuth:
    from adloom.platforms.meta.oauth import MetaOAuth

    app_id, secret = _credentials("meta-app", settings.meta_app_id, settings.meta_app_secret, settings.sandbox_url)
    return MetaOAuth(app_id=app_id, app_secret=secret, graph_url=settings.graph_url, dialog_url=settings.dialog_url)


def meta_hooks(settings: MetaSettings) -> MetaHooks:
    from adloom.platforms.meta.hooks import MetaHooks

    app_id, secret = _credentials("meta-app", settings.meta_app_id, settings.meta_app_secret, settings.sandbox_url)
    return MetaHooks(app_id=app_id, app_secret=secret, graph_url=settings.graph_url, dialog_url=settings.dialog_url)


def tiktok(settings: TikTokSettings) -> tiktok_client.App:
    from adloom.platforms.tiktok.client import App

    app_id, secret = _credentials(
        "tiktok-app", settings.tiktok_app_id, settings.tiktok_app_secret, settings.sandbox_url
    )
    return App(app_id, secret, settings.sandbox_url or TIKTOK_URL)


def tiktok_oauth(settings: TikTokSettings) -> TikTokOAuth:
    from adloom.platforms.tiktok.oauth import AUTHORIZE_URL, TikTokOAuth

    login = settings.tiktok_login_url
    address = settings.tiktok_authorize_url or (_at(login, "/portal/auth") if login else AUTHORIZE_URL)
    return TikTokOAuth(tiktok(settings), authorize_url=address)


def _at(address: str, path: str) -> str:
    return address.rstrip("/") + path


def _credentials(name: str, app_id: str, secret: SecretStr, sandbox: str | None) -> tuple[str, str]:
    """The id and the secret of an app, which must be a real one where there is no sandbox."""
    value = secret.get_secret_value()
    is_usable = bool(value) and (bool(sandbox) or not value.startswith(MADE_UP))
    if app_id and is_usable:
        return app_id, value
    setting = f"ADLOOM_{name.upper().replace('-', '_')}_ID"
    what = f"the secret {name}-secret" if app_id else f"{setting} and the secret {name}-secret"
    raise OperatorMustAct(f"{_PLATFORMS[name]} is not set up here: set {what}.", code=NOT_SET_UP)
