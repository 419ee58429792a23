"""The secrets of a deployment: made once, one file each, in one folder.

    python -m infra.deployment.secrets FOLDER [--functions-reach HOST] [--services-reach HOST] ...

What is there stays as it is, so that a second run changes nothing; an address that is said differently is written
anew with the same password. A secret that others give (the secrets of the apps at the ad platforms, the keys of an S3
server, the key with which mails are sent, the secret of a client at an identity provider) is put into the folder as a
file of its name, before or after.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from adloom.errors import ConfigurationError
from adloom.identity.tokens import new_operator_key
from adloom.platforms.apps import MADE_UP
from infra.deployment.broker import USERS, nats_conf
from infra.deployment.private import write_private
from infra.deployment.stackfile import STACK_FILE, read_functions

ADMIN = "adloom_admin"
DATABASE = "adloom"
# Besides the functions these have a login role in the database.
SERVICES = ("dashboard", "connector", "cli", "backup")
# Those of our apps at the ad platforms: what is made up opens the sandbox alone.
APP_SECRETS = ("google-ads-client-secret", "meta-app-secret", "tiktok-app-secret")
# Secrets that are any random text.
GENERATED = (
    *("operator-key", "storage-secret", "s3-access-key", "s3-secret-key", "sandbox-key"),
    *("owner-password", "postgres-password", "mail-key"),
    *APP_SECRETS,
    *("google-client-secret", "oidc-client-secret", "sandbox-client-secret"),
)
# Secrets that are Fernet keys: one ring for each purpose.
RINGS = ("token-ring", "mail-ring", "mfa-ring")
# Secrets that are 32 random bytes in base64 too, and encrypt nothing: what signs the audit trail.
SIGNING = ("audit-key",)
_TOKEN_BYTES = 32


def token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def generated(name: str) -> str:
    """A new value for a secret of GENERATED. An operator key begins as all of them do, so that logs know it."""
    if name == "operator-key":
        return new_operator_key()
    return MADE_UP + token() if name in APP_SECRETS else token()


def fernet_key() -> str:
    """A key for `cryptography.fernet`: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Addresses:
    """Where Postgres and NATS are found, as `host:port`: by the functions, and by the services beside them."""

    postgres_for_functions: str
    postgres_for_services: str
    nats: str
    nats_listen: str
    nats_store: Path


class SecretFolder:
    """The files; `mode` is that of each, the folder's own is 0700."""

    def __init__(self, folder: Path, mode: int = 0o600) -> None:
        self.folder = folder
        self._mode = mode
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def known(self, name: str) -> str | None:
        """The secret of this name; None where there is none, or only an empty file."""
        path = self.folder / name
        return (path.read_text(encoding="utf-8").strip() or None) if path.is_file() else None

    def get(self, name: str, make: Callable[[], str] = token) -> str:
        """The secret of this name, made where there is none yet."""
        if (value := self.known(name)) is None:
            value = make()
            self.put(name, value)
        else:
            (self.folder / name).chmod(self._mode)
        return value

    def put(self, name: str, value: str) -> None:
        """Write a file in one step, unless it says the same already."""
        path = self.folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == value + "\n":
            path.chmod(self._mode)
            return
        write_private(path, value + "\n", mode=self._mode)


def write(folder: SecretFolder, addresses: Addresses, stack_file: Path = STACK_FILE) -> None:
    """Every secret that the functions of `stack.yml`, the services and the servers need."""
    functions = read_functions(stack_file)
    for name in GENERATED:
        folder.get(name, partial(generated, name))
    for name in (*RINGS, *SIGNING):
        folder.get(name, fernet_key)
    for function in functions:
        _database(folder, function.name, addresses.postgres_for_functions)
        folder.get(f"{function.name}-event-secret")
    for service in SERVICES:
        _database(folder, service, addresses.postgres_for_services)
    _put_url(folder, "admin-database-url", ADMIN, folder.get("postgres-password"), addresses.postgres_for_services)
    passwords = {user: folder.get(f"nats-{user}-password") for user in USERS}
    for user, password in passwords.items():
        folder.put(f"{user}-nats-url", f"nats://{user}:{quote(password)}@{addresses.nats}")
    folder.put("nats.conf", nats_conf(addresses.nats_listen, addresses.nats_store, passwords).rstrip("\n"))
    unknown = {name for one in functions for name in one.secrets if folder.known(name) is None}
    if unknown:
        raise ConfigurationError(
            f"stack.yml asks for {', '.join(sorted(unknown))}, which cannot be made up. Put each into {folder.folder} "
            "as a file of its name."
        )


def write_backup_key(folder: SecretFolder) -> None:
    """A pair of keys for backups unless a recipient is there, and what a backup knows of the key rings."""
    from adloom.backup import keys  # age is no dependency of those who make no backups

    if folder.known("backup-recipient") is None:
        folder.put("backup-recipient", keys.recipient_of(folder.get("backup-identity", keys.new_identity)))
    write_fingerprints(folder)


def write_fingerprints(folder: SecretFolder) -> None:
    """What a backup knows of the key rings without having them."""
    from adloom.backup import keys

    rings = {path.name: path.read_text(encoding="utf-8").strip() for path in sorted(folder.folder.glob("*-ring"))}
    folder.put(keys.FINGERPRINTS_FILE, json.dumps(keys.fingerprints(rings)))


def _database(folder: SecretFolder, process: str, address: str) -> None:
    role = "adloom_" + process.replace("-", "_")
    known = folder.known(f"{process}-database-url")
    password = urlsplit(known).password if known else None
    _put_url(folder, f"{process}-database-url", role, password or token(), address)


def _put_url(folder: SecretFolder, name: str, role: str, password: str, address: str) -> None:
    folder.put(name, f"postgresql://{role}:{password}@{address}/{DATABASE}")


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.deployment.secrets", description="Make the secrets of a deployment.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--functions-reach", default="127.0.0.1", help="the host where functions find Postgres")
    parser.add_argument("--services-reach", default="127.0.0.1", help="the host where the services find Postgres")
    parser.add_argument("--postgres-port", type=int, default=5432)
    parser.add_argument("--nats-reach", default="127.0.0.1", help="the host where the services find NATS")
    parser.add_argument("--nats-port", type=int, default=4222)
    parser.add_argument("--nats-listen", default="127.0.0.1", help="the address NATS listens on")
    parser.add_argument("--nats-store", type=Path, default=Path("/var/lib/adloom/nats"))
    parser.add_argument("--readable", action="store_true", help="files of mode 0644, for containers of other users")
    parser.add_argument("--backup-key", action="store_true", help="a pair of keys for backups too")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    chosen = _arguments(words)
    addresses = Addresses(
        postgres_for_functions=f"{chosen.functions_reach}:{chosen.postgres_port}",
        postgres_for_services=f"{chosen.services_reach}:{chosen.postgres_port}",
        nats=f"{chosen.nats_reach}:{chosen.nats_port}",
        nats_listen=f"{chosen.nats_listen}:{chosen.nats_port}",
        nats_store=chosen.nats_store,
    )
    try:
        folder = SecretFolder(chosen.folder, 0o644 if chosen.readable else 0o600)
        write(folder, addresses)
        if chosen.backup_key:
            write_backup_key(folder)
    except (ConfigurationError, OSError) as error:
        print(f"secrets: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
