"""What `auth` needs to be told."""

from __future__ import annotations

from pydantic import Field, FilePath

from adloom.settings import CoreSettings, DatabaseSettings, EventSettings, OperatorSettings
from adloom.web import Function


class AuthSettings(CoreSettings, DatabaseSettings, EventSettings, OperatorSettings):
    geoip_file: FilePath | None = Field(
        default=None, description="A GeoIP file of cities (.mmdb): the list of sessions says where each is used"
    )


Auth = Function[AuthSettings]
