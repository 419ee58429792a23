"""The real stack, brought back to the moment before its first sync as often as wanted."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import nats
import nats.errors
import psycopg
from click.testing import CliRunner

from adloom import failpoints
from adloom.cli.__main__ import adloom
from adloom.db import Database
from adloom.errors import Unavailable
from adloom.events import AccountsConnected, publish
from adloom.failpoints import Failpoint
from infra.connector.broker import STREAM
from infra.local.stack import Stack
from infra.local.verify import LEVELS, Comparison, Span, compare
from tests.integration.kills.matrix import CONNECTOR, FUNCTION

PARTS = ["first-login", "sandbox", CONNECTOR, FUNCTION, "oauth-callback"]
WINDOW_S = 3.0
PATIENCE_S = 60.0
_KEPT_TABLES = (
    *("alembic_version", "organisations", "users", "user_credentials", "memberships", "sessions", "operator_keys"),
    *("known_devices", "connections", "connection_tokens"),
)
_OPEN = """
select (select count(*) from sync_windows) as windows,
       (select count(*) from outbox where published_at is null) as unpublished,
       (select count(*) from outbox) as written
"""


class Waiting(NamedTuple):
    """Ranges of days on the work list, events that are not published, all events ever written."""

    windows: int
    unpublished: int
    written: int


class Stage:
    """A stack with one connection to the sandbox's accounts."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.span = Span.of(folder)
        self._folder = folder
        self._callback = Database(stack.secret("admin", "oauth-callback-database-url"), pool_size=1)
        self._run("connect", "sandbox", "--platform", "meta")
        self.wait_done()
        ((self._org, self._connection),) = self.admin("select org_id, connection_id from connections")

    def close(self) -> None:
        self._callback.close()

    # Doing

    def reset(self) -> None:
        """Forget everything but people and the connection."""
        tables = [name for (name,) in self.admin("select tablename from pg_tables where schemaname = 'public'")]
        self.admin("truncate " + ", ".join(name for name in tables if name not in _KEPT_TABLES))
        self._sandbox("DELETE", "requests")

    def sync(self) -> None:
        """What the callback does at the end of a log-in: tell that there is a connection."""
        event = AccountsConnected(
            org_id=UUID(str(self._org)), account_id=None, connection_id=UUID(str(self._connection)), platform="meta"
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self._callback.tenant(event.org_id) as connection:
                    publish(connection, event)
            except Unavailable:  # Postgres was killed a moment ago: its last connections are still in the pool
                if time.monotonic() > deadline:
                    raise
                continue
            return

    def slow_down_platform(self, seconds: float) -> None:
        """Let every request for metrics take so much longer; 0 for none."""
        delay = {"match": {"path": "insights", "times": None}, "fault": {"kind": "delay", "seconds": seconds}}
        self._sandbox("POST", "faults", [delay] if seconds else [])

    def arm(self, point: Failpoint) -> None:
        failpoints.arm(self.failpoint, point)

    @property
    def failpoint(self) -> Path:
        return Path(self.stack.env(FUNCTION)["ADLOOM_FAILPOINT"])

    # Waiting

    def wait_fired(self) -> None:
        _wait(lambda: not self.failpoint.exists(), lambda: f"{self.failpoint.read_text()} was never reached")

    def wait_done(self) -> None:
        """Until nothing waits anywhere: in the work list, the outbox, the broker."""
        still = ""

        def is_done() -> bool:
            nonlocal still
            try:
                before, at_broker, after = self._waiting(), self._waiting_at_broker(), self._waiting()
            except (psycopg.Error, nats.errors.Error, OSError, TimeoutError) as error:
                still = repr(error)  # killed a moment ago
                return False
            still = f"{before} in the database, {at_broker} at the broker, then {after} in the database"
            # What an event leads to is written before the broker hears that it was taken.
            return before == after and before[:2] == (0, 0) and before.written > 0 and at_broker == 0

        _wait(is_done, lambda: f"still waiting: {still}\n{self.stack.log(FUNCTION)[-3000:]}")

    def _waiting(self) -> Waiting:
        return Waiting(*self.admin(_OPEN)[0])

    def _waiting_at_broker(self) -> int:
        return asyncio.run(_undelivered(self.stack.secret(CONNECTOR, "nats-url"), FUNCTION))

    # Looking

    def compare(self, target: Path) -> Comparison:
        """Every exported cell against the folder."""
        target.mkdir(exist_ok=True)
        between = ("--since", self.span.first.isoformat(), "--until", self.span.last.isoformat())
        for level in LEVELS:
            output = str(target / f"{level}.csv")
            self._run("export", "metrics", "--level", level, *between, "--format", "csv", "--output", output)
        return compare(target, self._folder, self.span.clock)

    def days_read_twice(self) -> int:
        """Days of an account for whose ads the platform was asked, and answered, more than once.

        Only ads: an account's totals are asked for again, on purpose, where they differ from the sum of the rest.
        """
        read: Counter[tuple[str, int]] = Counter()
        for one in self._sandbox("GET", "requests")["requests"]:
            asked = one["params"]
            if asked.get("level") == "ad" and one["status"] == httpx.codes.OK and "after" not in asked:
                window = {end: date.fromisoformat(day) for end, day in json.loads(asked["time_range"]).items()}
                days = range(window["since"].toordinal(), window["until"].toordinal() + 1)
                read.update((one["path"], day) for day in days)
        assert read, "the sandbox's log names no request for metrics"
        return sum(count > 1 for count in read.values())

    def admin(self, statement: str, *values: object) -> list[Any]:
        """What the superuser reads or changes, who is above row security."""
        url = self.stack.secret("admin", "admin-database-url")
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def _run(self, *arguments: str) -> None:
        with _environment(self.stack.env("cli")):
            done = CliRunner().invoke(adloom, arguments)
        assert done.exit_code == 0, f"adloom {' '.join(arguments)}: {done.output}"

    def _sandbox(self, method: str, path: str, body: object = None) -> Any:
        url = self.stack.run["urls"]["sandbox"]
        key = {"X-Sandbox-Key": self.stack.secret("cli", "sandbox-key")}
        answer = httpx.request(method, f"{url}/_sandbox/{path}", headers=key, json=body, timeout=10, trust_env=False)
        return answer.raise_for_status().json()


@contextmanager
def open_stage(home: Path, folder: Path, failpoint: Path) -> Iterator[Stage]:
    """A stack over a facts folder, with one sync done."""
    settings = {
        "ADLOOM_FAILPOINT": str(failpoint),
        "ADLOOM_CONNECTOR_DUPLICATE_WINDOW": str(WINDOW_S),
        "ADLOOM_CONNECTOR_BACKOFF": "0.2",
    }
    clock = Span.of(folder).clock
    with Stack(home, parts=PARTS, facts=folder, clock=clock, rate=0, settings=settings) as stack:
        stage = Stage(stack, folder)
        try:
            yield stage
        finally:
            stage.close()


async def _undelivered(url: str, consumer: str) -> int:
    client = await nats.connect(url, allow_reconnect=False, connect_timeout=2)
    try:
        info = await client.jetstream().consumer_info(STREAM, consumer)
        return int(info.num_pending or 0) + int(info.num_ack_pending or 0)
    finally:
        await client.close()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("ADLOOM_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _wait(reached: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached within {PATIENCE_S:g} s: {what()}")
        time.sleep(0.1)
