"""What `oauth-callback` needs to be told."""

from __future__ import annotations

from adloom.connections.vault import Vault
from adloom.events.catalogue import Platform
from adloom.platforms import apps
from adloom.platforms.grant import OAuth
from adloom.settings import (
    CoreSettings,
    DatabaseSettings,
    EventSettings,
    GoogleSettings,
    MetaSettings,
    TikTokSettings,
    TokenRingSettings,
)
from adloom.web import Function


class OAuthCallbackSettings(
    CoreSettings, DatabaseSettings, EventSettings, TokenRingSettings, GoogleSettings, MetaSettings, TikTokSettings
):
    pass


Callback = Function[OAuthCallbackSettings]


def vault(app: Callback) -> Vault:
    return Vault(lambda: app.secret("token_ring"))


def oauth(app: Callback, platform: Platform) -> OAuth:
    """The log-in of a platform; OperatorMustAct where its app is not set up."""
    settings = app.settings()
    if platform == "google":
        return apps.google_oauth(settings)
    return apps.tiktok_oauth(settings) if platform == "tiktok" else apps.meta_hooks(settings)
