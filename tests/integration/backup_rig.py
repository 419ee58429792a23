"""A database and a bucket to back up, and empty ones to restore into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyrage
from psycopg import sql

from adloom.backup import keys, make, restore
from adloom.backup.read import Whole
from adloom.settings import StorageSettings
from adloom.storage import Storage
from infra.deployment.secrets import fernet_key
from infra.local.home import ROOT
from infra.local.stack import Stack
from tests.conftest import Postgres

TABLES = "select c.oid::regclass::text from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r'"
SEQUENCES = TABLES.replace("'r'", "'S'")


@dataclass
class Rig:
    """One server of Postgres and one of S3. `ring` is the secret token-ring of what is backed up."""

    postgres: Postgres
    s3: Stack
    folder: Path
    bucket: str = field(default_factory=lambda: f"bucket-{uuid.uuid4().hex[:12]}")
    identity: Any = field(default_factory=pyrage.x25519.Identity.generate)
    ring: str = field(default_factory=fernet_key)

    def storage_settings(self, bucket: str, **other: Any) -> StorageSettings:
        told = {
            "s3_endpoint": f"http://127.0.0.1:{self.s3.port('s3')}",
            "s3_access_key": self.s3.secret("cli", "s3-access-key"),
            "s3_secret_key": self.s3.secret("cli", "s3-secret-key"),
            "s3_bucket": bucket,
        }
        return StorageSettings(**{**told, **other})

    @property
    def storage(self) -> Storage:
        storage = Storage(self.storage_settings(self.bucket))
        storage.make_bucket()
        return storage

    def new_storage(self) -> Storage:
        """A bucket that is not there yet."""
        return Storage(self.storage_settings(f"bucket-{uuid.uuid4().hex[:12]}"))

    def make(self, storage: Storage | None = None, **other: Any) -> make.Made:
        return make.make(
            other.pop("url", self.postgres.url("backup")),
            storage or self.storage,
            self.folder / uuid.uuid4().hex,
            recipients=[self.identity.to_public()],
            rings=keys.fingerprints({"token-ring": self.ring}),
            **other,
        )

    def restore(self, path: Path, target: Postgres, storage: Storage, **other: Any) -> Whole:
        identity = other.pop("identity", self.identity)
        rings = keys.fingerprints({"token-ring": other.pop("ring", self.ring)})
        server = restore.Server(
            other.pop("url", target.admin_url),
            storage,
            other.pop("rings", rings),
            other.pop("passwords", {}),
        )
        return restore.restore(path, [identity], server, **other)

    def environment(self, tmp_path: Path, **other: str) -> dict[str, str]:
        """What a command line of a deployment finds: secrets as files, settings in the environment."""
        folder = tmp_path / "secrets"
        folder.mkdir(exist_ok=True)
        settings = self.storage_settings(self.bucket)
        secrets = {
            "backup-database-url": self.postgres.url("backup"),
            "s3-access-key": settings.s3_access_key.get_secret_value(),
            "s3-secret-key": settings.s3_secret_key.get_secret_value(),
            "backup-recipient": str(self.identity.to_public()),
            "token-ring": self.ring,
        }
        for name, value in secrets.items():
            (folder / name).write_text(value + "\n", encoding="utf-8")
        (tmp_path / "identity").write_text(f"# public key\n{self.identity}\n", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "COV_"))}
        return kept | {
            "ADLOOM_SECRETS_DIR": str(folder),
            "ADLOOM_GATEWAY_URL": "http://127.0.0.1:9",
            "ADLOOM_S3_ENDPOINT": settings.s3_endpoint,
            "ADLOOM_S3_BUCKET": self.bucket,
            **other,
        }


def adloom(environment: Mapping[str, str], *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        command(*words), env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False, **options
    )


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "adloom.cli", *words]


@contextmanager
def new_database(stack: Stack) -> Iterator[Postgres]:
    """The name of a database that is not there yet; dropped at the end if it is by then."""
    database = Postgres(stack, f"test_{uuid.uuid4().hex[:12]}")
    yield database
    if exists(database):
        database.drop()


def exists(database: Postgres) -> bool:
    with psycopg.connect(database.server) as connection:
        found = connection.execute("select from pg_database where datname = %s", (database.name,))
        return found.fetchone() is not None


def contents(database: Postgres) -> dict[str, list[str]]:
    """Table -> a hash of each row by the server itself, sorted; and sequence -> where it stands.

    Where TimescaleDB stores sums, the marks on what is in none yet are the server's own: a restore adds to them.
    """
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("set timezone = 'UTC'")
        found = {}
        for (name,) in connection.execute(TABLES).fetchall():
            question = sql.SQL("select md5(t::text) from {} t order by 1").format(sql.Identifier(name))
            found[name] = [one for (one,) in connection.execute(question)]
        for (name,) in connection.execute(SEQUENCES).fetchall():
            question = sql.SQL("select format('%s %s', last_value, is_called) from {}").format(sql.Identifier(name))
            found[name] = [one for (one,) in connection.execute(question)]
        if connection.execute("select sums_are_stored()").fetchone() == (True,):
            del found["metrics_marks"]
        return found


def objects(storage: Storage) -> dict[str, bytes]:
    return {one.key: storage.get(one.key) for one in storage.objects()}


def execute(url: str, *statements: str, **values: Any) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement, values or None)


def fetch(url: str, question: str) -> Sequence[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()


def as_json(result: subprocess.CompletedProcess[str]) -> Any:
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
