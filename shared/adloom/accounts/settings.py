"""What `auth` needs to be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FilePath, SecretStr

from adloom.mail.settings import MailSettings
from adloom.settings import AuditSettings, CoreSettings, DatabaseSettings, EventSettings, OperatorSettings
from adloom.sso.settings import SsoSettings
from adloom.web import Function


class AuthSettings(
    CoreSettings, DatabaseSettings, EventSettings, OperatorSettings, MailSettings, SsoSettings, AuditSettings
):
    mfa_ring: SecretStr = Field(description="Fernet keys for the secrets of authenticator apps, newest first")
    registration: Literal["off", "on"] = Field(
        default="off", description="on: whoever has an e-mail address may register with an organisation of their own"
    )
    geoip_file: FilePath | None = Field(
        default=None, description="A GeoIP file of cities (.mmdb): the list of sessions says where each is used"
    )


Auth = Function[AuthSettings]
