"""Connections to ad platforms: log-ins there and back, how they stand, which accounts, and their end."""

from __future__ import annotations

from adloom.connecting import OAuthCallbackSettings, serve
from adloom.web import create_function, openfaas

app = create_function("oauth-callback", OAuthCallbackSettings)
serve(app)

handle = openfaas(app)
