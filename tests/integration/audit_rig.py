"""A trail under test: chains in Postgres, a bucket of its own, and the command line on both."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from adloom import audit
from adloom.audit import heads
from adloom.audit.signing import SigningKeys
from adloom.audit.store import HeadFile
from adloom.cli.__main__ import adloom
from adloom.db import Database
from adloom.settings import StorageSettings
from adloom.storage import Storage

if TYPE_CHECKING:
    from infra.local.stack import Stack
    from tests.conftest import Postgres

TABLES = "audit_events, audit_chains, audit_heads, audit_duties"
LONG_AGO = timedelta(days=130)


@dataclass
class Trail:
    """`admin` is the database's administrator, `database` what `auth` sees of it."""

    postgres: Postgres
    database: Database
    admin: psycopg.Connection[Any]
    s3: Stack
    org_id: UUID
    environment: dict[str, str]
    ring: str = field(default_factory=lambda: Fernet.generate_key().decode())
    bucket: str = field(default_factory=lambda: f"audit-{uuid.uuid4().hex[:12]}")

    @property
    def storage(self) -> Storage:
        return Storage(self.storage_settings(), attempts=1)

    def storage_settings(self, **other: str) -> StorageSettings:
        return StorageSettings(
            **{
                "s3_endpoint": f"http://127.0.0.1:{self.s3.port('s3')}",
                "s3_bucket": self.bucket,
                "s3_access_key": self.s3.secret("cli", "s3-access-key"),
                "s3_secret_key": self.s3.secret("cli", "s3-secret-key"),
                **other,
            }
        )

    @property
    def keys(self) -> SigningKeys:
        return SigningKeys(self.ring)

    @property
    def chain(self) -> str:
        return str(self.org_id)

    def write(self, count: int, **said: Any) -> None:
        """So many events of the organisation."""
        for number in range(count):
            with self.database.tenant(self.org_id) as connection:
                audit.record(
                    connection, "session.opened", org_id=self.org_id, target=("session", number), new=said or None
                )

    def sign(self) -> HeadFile:
        made = heads.sign(self.database, self.storage, self.keys)
        assert made is not None
        return made

    def past(self, count: int, ago: timedelta = LONG_AGO, *, apart: timedelta = timedelta(minutes=1)) -> None:
        """So many events of the organisation that began so long ago, after what is there."""
        self.backdate([datetime.now(UTC) - ago + number * apart for number in range(count)])

    def backdate(self, moments: Sequence[datetime]) -> None:
        """Events of these moments, written as the database would have written them then."""
        found = self.admin.execute("select position, hash from audit_chains where chain = %s", (self.chain,)).fetchone()
        position, digest = found or (0, bytes(32))
        rows = []
        for position, at in enumerate(moments, start=position + 1):  # noqa: B020 - goes on counting
            record = _record(self.chain, position, at)
            digest = hashlib.sha256(bytes(digest) + record.encode()).digest()
            rows.append((self.chain, position, self.org_id, at, "session.opened", "system", record, digest))
        with (
            self.admin.cursor() as cursor,
            cursor.copy(
                "copy audit_events (chain, position, org_id, recorded_at, action, actor_kind, record, hash) from stdin"
            ) as copy,
        ):
            for row in rows:
                copy.write_row(row)
        self.admin.execute(
            "insert into audit_chains (chain, org_id, position, hash, last_at)"
            " values (%(c)s, %(o)s, %(p)s, %(h)s, %(a)s)"
            " on conflict (chain) do update set position = %(p)s, hash = %(h)s, last_at = %(a)s",
            {"c": self.chain, "o": self.org_id, "p": position, "h": digest, "a": moments[-1]},
        )

    def positions(self) -> list[int]:
        query = "select position from audit_events where chain = %s order by position"
        return [row[0] for row in self.admin.execute(query, (self.chain,))]

    def objects(self, folder: str) -> list[str]:
        return [each.key for each in self.storage.objects(folder)]

    def remove(self, key: str) -> None:
        """Take an object out of the bucket, which nothing of ours ever does."""
        self.storage._client.delete_object(Bucket=self.bucket, Key=key)

    def adloom(self, *words: str) -> Result:
        """The command line on this trail."""
        return CliRunner().invoke(adloom, ["--org", self.chain, *words], obj=False, env=self.environment)

    def verify(self) -> dict[str, Any]:
        """What `adloom --json audit verify` says, after its exit code was compared with it."""
        result = self.adloom("--json", "audit", "verify")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        said: dict[str, Any] = json.loads(result.stdout)
        assert result.exit_code == (0 if said["holds"] else 1)
        return said

    def faults(self) -> list[tuple[str, int | None, str]]:
        return [(fault["chain"], fault["position"], fault["what"]) for fault in self.verify()["faults"]]


def _record(chain: str, position: int, at: datetime) -> str:
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    first = f'{{"v":1,"chain":"{chain}","position":{position},"at":"{moment}","role":"adloom_auth",'
    return first + '"action":"session.opened","actor":{"kind":"system"}}'


@contextmanager
def opened(postgres: Postgres, auth: Database, org_id: UUID, s3: Stack, folder: Path) -> Iterator[Trail]:
    """A trail without events. `folder` takes the secrets of the command line."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"truncate {TABLES}")
        made = Trail(postgres, auth, admin, s3, org_id, {})
        made.storage.make_bucket()
        secrets = {
            "cli-database-url": postgres.url("cli"),
            "operator-key": "nobody-is-called",
            "audit-key": made.ring,
            "s3-access-key": s3.secret("cli", "s3-access-key"),
            "s3-secret-key": s3.secret("cli", "s3-secret-key"),
        }
        for name, value in secrets.items():
            (folder / name).write_text(str(value))
        made.environment |= {
            "ADLOOM_SECRETS_DIR": str(folder),
            "ADLOOM_PUBLIC_URL": "http://127.0.0.1:8080",
            "ADLOOM_GATEWAY_URL": "http://127.0.0.1:9",
            "ADLOOM_S3_ENDPOINT": made.storage_settings().s3_endpoint,
            "ADLOOM_S3_BUCKET": made.bucket,
        }
        yield made
