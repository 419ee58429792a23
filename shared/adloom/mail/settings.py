"""What sending mails needs to be told."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

# The name the sandbox's mails come from; no address of the domain `.example` can ever exist.
SANDBOX_SENDER = "Adloom <hello@adloom.example>"
RESEND_URL = "https://api.resend.com"


class MailSettings(BaseSettings):
    """Mails go through Resend, or through an SMTP server where `smtp_url` names one.

    Without a sender no mails are sent, unless beside the sandbox, whose mailbox takes them.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOM_", frozen=True, extra="ignore", env_ignore_empty=True)

    sandbox_url: str | None = None
    mail_from: str | None = Field(default=None, description="The sender: Adloom <adloom@example.com>; no mails without")
    mail_ring: SecretStr = Field(description="Fernet keys for the links in mails, newest first, comma separated")
    mail_key: SecretStr | None = Field(default=None, description="Resend's API key, or the SMTP user's password")
    smtp_url: str | None = Field(
        default=None, description="smtps://user@host:465 or smtp://user@host:587; Resend if not said"
    )
    resend_url: str | None = Field(default=None, description=f"Resend's API, {RESEND_URL} if not said")

    @property
    def sender(self) -> str | None:
        """Who mails come from; None where none are sent. A sandbox takes them from whoever has its key."""
        return self.mail_from or (SANDBOX_SENDER if self.sandbox_url and self.mail_key else None)

    @property
    def resend_api(self) -> str:
        sandbox = f"{self.sandbox_url.rstrip('/')}/resend" if self.sandbox_url else None
        return self.resend_url or sandbox or RESEND_URL

    @property
    def sends_mails(self) -> bool:
        return self.sender is not None
