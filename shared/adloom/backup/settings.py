"""What the commands of backups are told. Their process is called `backup`, that of a restore `restore`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from adloom.settings import AdminDatabaseSettings, DatabaseSettings, StorageSettings

BACKUP, RESTORE = "backup", "restore"


class BackupSettings(DatabaseSettings, StorageSettings):
    """The database URL is that of the role adloom_backup, which reads everything and writes nothing."""

    backup_recipient: str | None = Field(
        default=None, description="The public key (age1...) that backups are encrypted to; several, comma separated"
    )
    backup_folder: Path | None = Field(default=None, description="The folder that backups are written into")


class RestoreSettings(AdminDatabaseSettings, StorageSettings):
    """A restore makes roles and tables, so it needs the administrator."""


class IdentitySettings(BaseSettings):
    """Where no file with an identity is named."""

    model_config = SettingsConfigDict(env_prefix="ADLOOM_", frozen=True, extra="ignore")

    backup_identity: SecretStr | None = Field(default=None, description="The identity that opens backups")
