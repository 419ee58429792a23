"""A sync with everything real around it: Postgres, the sandbox in a process of its own, and events by hand.

What the connector would deliver is taken from the outbox and handed to the sync one by one, so that a test decides
when, how often and in which order.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psycopg
from cryptography.fernet import Fernet
from psycopg.rows import dict_row

from adloom import clock
from adloom.connections import store
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.events import AccountsConnected, publish
from adloom.events.catalogue import Platform, SyncMetaRequested, SyncRequested
from adloom.events.envelope import parse
from adloom.metrics import connected, slices
from adloom.metrics.sync import Access, Sync
from adloom.platforms.grant import Grant
from adloom.platforms.meta.cadence import CADENCE
from adloom.platforms.meta.client import App, GraphClient
from adloom.platforms.meta.read import MetaReader
from adloom.platforms.model import Cadence, Reader
from adloom.platforms.retry import RetryPolicy
from tests.conftest import Postgres
from tests.unit.sandbox.support import APP_ID, APP_SECRET, Sandbox, running

# As the product does, but a hanging call is given up sooner.
QUICK = RetryPolicy(tries=5, first_wait_s=0.05, longest_wait_s=0.2)


@dataclass
class Rig:
    """One organisation with a connection to the sandbox."""

    postgres: Postgres
    sandbox: Sandbox
    clock_file: Path
    org_id: uuid.UUID = field(default_factory=uuid.uuid4)
    retry: RetryPolicy = QUICK
    timeout_s: float = 5.0
    vault: Vault = field(default_factory=lambda: Vault(Fernet.generate_key().decode()))
    connection_id: uuid.UUID = field(init=False)
    function: ClassVar[str] = "sync-meta"
    platform: ClassVar[Platform] = "meta"
    cadence: ClassVar[Cadence] = CADENCE
    requested: ClassVar[type[SyncRequested]] = SyncMetaRequested

    def __post_init__(self) -> None:
        self.callback = Database(self.postgres.url("oauth-callback"), pool_size=2)
        self.database = Database(self.postgres.url(self.function), pool_size=6)
        self.admin = psycopg.connect(self.postgres.admin_url, autocommit=True, row_factory=dict_row)
        self.admin.execute("insert into organisations (org_id, name) values (%s, 'Acme')", (self.org_id,))
        self.connect(self.token())

    def close(self) -> None:
        # The ticks of other tests in this database are to find nothing here.
        self.admin.execute("update connections set status = 'revoked' where org_id = %s", (self.org_id,))
        self.admin.close()
        self.callback.close()
        self.database.close()

    @property
    def sync(self) -> Sync:
        return Sync(
            function=self.function,
            platform=self.platform,
            database=self.database,
            cadence=self.cadence,
            open_reader=self._reader,
            requested=self.requested,
            decrypt=self.vault.decrypt,
        )

    def _reader(self, access: Access) -> Reader:
        app = App(APP_ID, APP_SECRET, self.sandbox.url)
        client = GraphClient(
            app, access.token, deadline=access.deadline, admit=access.admit, timeout_s=self.timeout_s, retry=self.retry
        )
        return MetaReader(client)

    def token(self) -> str:
        """A token that outlives the test."""
        return long_lived(self.sandbox)

    def connect(self, token: str) -> None:
        """What the log-in at the platform leaves behind."""
        grant = Grant(token, "person-1", "A person", ("ads_read",), None)
        with self.callback.tenant(self.org_id) as connection:
            self.connection_id = store.save(connection, self.vault, self.org_id, self.platform, grant)
            event = AccountsConnected(
                org_id=self.org_id, account_id=None, connection_id=self.connection_id, platform=self.platform
            )
            publish(connection, event)

    # Events

    def undelivered(self) -> list[dict[str, Any]]:
        """The envelopes of this organisation that wait in the outbox, oldest first."""
        rows = self.rows("select envelope from outbox where org_id = %s and published_at is null order by position")
        return [row["envelope"] for row in rows]

    def deliver(self, envelope: dict[str, Any]) -> None:
        """Hand over one event, as often as a test likes."""
        read, event = parse(json.dumps(envelope).encode())
        if isinstance(event, AccountsConnected):
            connected.welcome(self.sync, event, read.id)
        elif isinstance(event, SyncRequested):
            slices.run(self.sync, event, read.id)

    def accept(self, envelope: dict[str, Any]) -> None:
        """The connector's word that an event arrived."""
        self.admin.execute("update outbox set published_at = now() where event_id = %s", (envelope["id"],))

    def settle(self, most: int = 200) -> int:
        """Deliver everything until nothing waits; the number of events."""
        count = 0
        while waiting := self.undelivered():
            for envelope in waiting:
                self.deliver(envelope)
                self.accept(envelope)
                count += 1
                assert count <= most, "events never end"
        return count

    # What is stored

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows as the superuser sees them; the organisation's id is the first value."""
        return self.admin.execute(query.encode(), (self.org_id, *values)).fetchall()

    def one(self, query: str, *values: object) -> Any:
        """The only value of the only row."""
        (row,) = self.rows(query, *values)
        (value,) = row.values()
        return value

    def account_id(self, external_id: str) -> int:
        return int(self.one("select account_id from ad_accounts where org_id = %s and external_id = %s", external_id))

    def at(self, now: str | datetime, rate: float = 0) -> None:
        """Move the business clock of this process and the sandbox; it stands still by default."""
        clock.move(self.clock_file, datetime.fromisoformat(now) if isinstance(now, str) else now, rate)


def long_lived(sandbox: Sandbox) -> str:
    """A token of sixty days of the business clock."""
    asked = {
        "grant_type": "fb_exchange_token",
        "client_id": APP_ID,
        "client_secret": APP_SECRET,
        "fb_exchange_token": sandbox.login(),
    }
    return str(httpx.get(f"{sandbox.graph}/oauth/access_token", params=asked).json()["access_token"])


@contextmanager
def business_clock(path: Path, now: str) -> Iterator[Path]:
    """This process's business clock in a file that a sandbox can share."""
    clock.move(path, datetime.fromisoformat(now), 0)
    before = os.environ.get(clock.ENVIRONMENT_VARIABLE)
    os.environ[clock.ENVIRONMENT_VARIABLE] = f"file:{path}"
    try:
        yield path
    finally:
        if before is None:
            del os.environ[clock.ENVIRONMENT_VARIABLE]
        else:
            os.environ[clock.ENVIRONMENT_VARIABLE] = before


@contextmanager
def sandbox_on(folder: Path, home: Path, now: str, **more: str) -> Iterator[tuple[Sandbox, Path]]:
    """A sandbox that serves a facts folder, and the file of the business clock, which stands at `now`."""
    with business_clock(home / "clock", now) as clock_file:
        settings = {"ADLOOM_SANDBOX_FACTS": str(folder), "ADLOOM_CLOCK": f"file:{clock_file}", **more}
        with running(home / "sandbox", **settings) as sandbox:
            yield sandbox, clock_file


@contextmanager
def rig_on(postgres: Postgres, folder: Path, home: Path, now: str) -> Iterator[Rig]:
    """A rig with a sandbox of its own."""
    with sandbox_on(folder, home, now) as (sandbox, clock_file), rig_in(postgres, sandbox, clock_file) as rig:
        yield rig


@contextmanager
def rig_in(postgres: Postgres, sandbox: Sandbox, clock_file: Path, kind: type[Rig] = Rig, **more: Any) -> Iterator[Rig]:
    """A rig in a sandbox that others use too."""
    rig = kind(postgres, sandbox, clock_file, **more)
    try:
        yield rig
    finally:
        rig.close()
