"""What `auth` needs to be told."""

from __future__ import annotations

from adloom.settings import CoreSettings, DatabaseSettings, EventSettings, OperatorSettings
from adloom.web import Function


class AuthSettings(CoreSettings, DatabaseSettings, EventSettings, OperatorSettings):
    pass


Auth = Function[AuthSettings]
