"""The real function in the process that serves it everywhere, and the deliveries that make it work."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import httpx
import psycopg
from cryptography.fernet import Fernet

from adloom import clock
from adloom.connections import store
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.events import SIGNATURE_HEADER, sign
from adloom.events.catalogue import Platform
from adloom.identity import operator_keys, tokens
from adloom.metrics import reconcile
from adloom.platforms.grant import Grant
from infra.deployment.stackfile import read_functions
from tests.bench.sync.dataset import ACCOUNT_ID, CURRENCY, LAST_DAY, TIMEZONE, Shape
from tests.bench.sync.measure import Spent, measured
from tests.bench.sync.rig import ROOT
from tests.conftest import Postgres

_SECRET = "s" * 32
_PATIENCE_S = 20.0
_WRITTEN = ("metrics", "restatements", "reconciliations", "sync_runs", "sync_windows", "entity_changes", "entities")
_TABLES = (*_WRITTEN, "outbox", "inbox")
# In the evening of the last day, so that no day is missing and none is cut.
EVENING = datetime.combine(LAST_DAY, datetime.min.time(), UTC).replace(hour=18)


@dataclass(frozen=True)
class Synced:
    """What the sync says that it did."""

    inserted: int
    updated: int
    deleted: int
    restated: int
    windows: int


class Served(Protocol):
    """The platform's process: where it is, and how much it serves."""

    @property
    def shape(self) -> Shape: ...

    @property
    def settings(self) -> Mapping[str, str]:
        """What the function must know to reach it."""
        ...


@dataclass(frozen=True)
class Tenant:
    """An organisation with one connected account."""

    org_id: UUID
    account_id: int
    operator_key: str
    ring: str
    platform: Platform = "meta"

    @property
    def function(self) -> str:
        return f"sync-{self.platform}"


def make_tenant(postgres: Postgres, platform: Platform = "meta") -> Tenant:
    """Connect the account as the log-in at the platform would."""
    org_id, ring, key = UUID(int=1), Fernet.generate_key().decode(), tokens.new_operator_key()
    auth, callback = (Database(postgres.url(name)) for name in ("auth", "oauth-callback"))
    operator_keys.register(auth, key, "bench")
    grant = Grant("token", "1", "Bench", ("ads_read",), None)
    with psycopg.connect(postgres.admin_url) as admin:
        admin.execute("insert into organisations (org_id, name) values (%s, 'Bench')", (org_id,))
    with callback.tenant(org_id) as connection:
        connection_id = store.save(connection, Vault(ring), org_id, platform, grant)
    with psycopg.connect(postgres.admin_url) as admin:
        row = admin.execute(
            "insert into ad_accounts (org_id, connection_id, platform, external_id, name, currency, timezone)"
            " values (%s, %s, %s, %s, 'Bench', %s, %s) returning account_id",
            (org_id, connection_id, platform, ACCOUNT_ID, CURRENCY, TIMEZONE),
        ).fetchone()
    for database in (auth, callback):
        database.close()
    if row is None:
        raise RuntimeError("The account was not made")
    return Tenant(org_id, int(row[0]), key, ring, platform)


class Function:
    """A running sync function. `sync` asks for days and delivers events until nothing is left to do."""

    def __init__(
        self, postgres: Postgres, tenant: Tenant, served: Served, clock_file: Path, url: str, pid: int
    ) -> None:
        self.pid = pid
        self._postgres = postgres
        self._tenant = tenant
        self._served = served
        self._clock_file = clock_file
        self._http = httpx.Client(base_url=url, timeout=65)

    def close(self) -> None:
        self._http.close()

    def at(self, now: datetime) -> None:
        """Move the business clock."""
        clock.move(self._clock_file, now)

    def forget_everything(self) -> None:
        """The account as it was before its first sync."""
        with psycopg.connect(self._postgres.admin_url, autocommit=True) as admin:
            admin.execute(f"truncate {', '.join(_TABLES)}".encode())
            admin.execute("update ad_accounts set last_synced_at = null, restated_on = null, next_due_at = null")
            admin.execute("checkpoint")
        self.at(EVENING)

    def sync(self, days: int | None = None) -> None:
        """Sync the last days, all of them if no number is given."""
        shape = self._served.shape
        since = shape.since if days is None else LAST_DAY.replace(day=LAST_DAY.day - days + 1)
        body = {"accounts": [ACCOUNT_ID], "since": since.isoformat(), "until": shape.until.isoformat()}
        headers = {
            "Authorization": f"Bearer {self._tenant.operator_key}",
            "X-Adloom-Org": str(self._tenant.org_id),
        }
        self._http.post("/runs", json=body, headers=headers).raise_for_status()
        while requested := self._requested():
            for envelope in requested:
                self._deliver(envelope)

    def measured_sync(self, postgres_pid: int) -> tuple[Spent, Synced]:
        """Sync everything; what it took and what it did."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before = self._last_run()
        with measured(self._served.shape.rows, pid=self.pid, postgres_pid=postgres_pid) as spent:
            self.sync()
        return spent, self._did(before)

    def differences(self) -> list[reconcile.Difference]:
        """What is stored and is not what the platform said."""
        database = Database(self._postgres.url(self._tenant.function))
        with database.tenant(self._tenant.org_id) as connection:
            found = reconcile.check(connection)
        database.close()
        return found

    def _requested(self) -> list[dict[str, Any]]:
        """What a connector would deliver now."""
        with psycopg.connect(self._postgres.admin_url) as admin:
            rows = admin.execute(
                "update outbox set published_at = now() where published_at is null returning envelope, position"
            ).fetchall()
        envelopes = [envelope for envelope, _ in sorted(rows, key=lambda row: row[1])]
        wanted = f"adloom.sync_{self._tenant.platform}.requested"
        return [envelope for envelope in envelopes if envelope["type"].startswith(wanted)]

    def _deliver(self, envelope: dict[str, Any]) -> None:
        body = json.dumps(envelope).encode()
        headers = {SIGNATURE_HEADER: sign(body, _SECRET, int(time.time()))}
        self._http.post("/events", content=body, headers=headers).raise_for_status()

    def _last_run(self) -> int:
        return int(self._one("select coalesce(max(run_id), 0) from sync_runs", ())[0])

    def _did(self, since_run: int) -> Synced:
        inserted, updated, deleted, windows, failed = self._one(
            "select coalesce(sum(rows_inserted), 0), coalesce(sum(rows_updated), 0), coalesce(sum(rows_deleted), 0),"
            " count(*), count(*) filter (where outcome <> 'succeeded')"
            " from sync_runs where kind = 'metrics' and run_id > %s",
            (since_run,),
        )
        if failed:
            raise RuntimeError(f"{failed} runs failed")
        restated = self._one("select count(*) from restatements where replaced_by_run_id > %s", (since_run,))[0]
        return Synced(int(inserted), int(updated), int(deleted), int(restated), int(windows))

    def _one(self, query: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        with psycopg.connect(self._postgres.admin_url) as admin:
            row = admin.execute(query.encode(), values).fetchone()
        if row is None:
            raise RuntimeError("The query found nothing")
        return tuple(row)


@contextmanager
def running(postgres: Postgres, tenant: Tenant, served: Served, folder: Path) -> Iterator[Function]:
    """The function in the template's server, as in its image; ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    clock_file = folder / "clock"
    clock.move(clock_file, EVENING)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **next(one.environment for one in read_functions() if one.name == tenant.function),
        "PATH": os.environ["PATH"],
        "port": str(port),
        "ADLOOM_BIND": "127.0.0.1",
        "ADLOOM_SECRETS_DIR": str(folder / "none"),
        "ADLOOM_PUBLIC_URL": url,
        "ADLOOM_GATEWAY_URL": url,
        "ADLOOM_DATABASE_URL": postgres.url(tenant.function),
        "ADLOOM_EVENT_SECRET": _SECRET,
        "ADLOOM_TOKEN_RING": tenant.ring,
        **served.settings,
        "ADLOOM_CLOCK": f"file:{clock_file}",
        "ADLOOM_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT / "shared"),
    }
    command = [sys.executable, "template/adloom-python/serve.py", f"functions/sync_{tenant.platform}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait(url, process, folder / "log")
        with closing(Function(postgres, tenant, served, clock_file, url, process.pid)) as function:
            yield function
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if httpx.get(f"{url}/_/ready").is_success:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The function did not start:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.02)
