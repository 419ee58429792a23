"""The real stack, brought back to the moment before its first sync as often as wanted."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
from psycopg.errors import DeadlockDetected

from adloom import failpoints
from adloom.cli.__main__ import adloom
from adloom.db import Database
from adloom.errors import Unavailable
from adloom.events import AccountsConnected, publish
from adloom.failpoints import Failpoint
from infra.connector.broker import STREAM
from infra.local.stack import Stack
from infra.local.verify import LEVELS, Comparison, Span, compare
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from tests.integration.kills.matrix import CONNECTOR, FUNCTIONS

PARTS = ["first-login", "sandbox", CONNECTOR, *FUNCTIONS, "oauth-callback"]
WINDOW_S = 2.0
PATIENCE_S = 60.0
_KEPT_TABLES = (
    *("alembic_version", "organisations", "users", "user_credentials", "memberships", "sessions", "operator_keys"),
    *("known_devices", "connections", "connection_tokens", "connection_subscriptions"),
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
    """A stack with a connection to the sandbox's accounts of each platform."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.span = Span.of(folder)
        self._folder = folder
        self._callback = Database(stack.secret("admin", "oauth-callback-database-url"), pool_size=1)
        self._run("connect", "sandbox")
        self.wait_done()
        self._connections = self.admin("select org_id, connection_id, platform from connections order by platform")

    def close(self) -> None:
        self._callback.close()

    # Doing

    def reset(self) -> None:
        """Forget everything but people and the connection."""
        tables = [name for (name,) in self.admin("select tablename from pg_tables where schemaname = 'public'")]
        forget = "truncate " + ", ".join(name for name in tables if name not in _KEPT_TABLES)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.admin(forget)
            except DeadlockDetected:  # a tick holds one of the tables and waits for another: it goes first
                if time.monotonic() > deadline:
                    raise
                continue
            break
        self._sandbox("DELETE", "requests")

    def sync(self) -> None:
        """What the callback does at the end of a log-in: tell that there is a connection, of each platform."""
        events = [
            AccountsConnected(
                org_id=UUID(str(org)), account_id=None, connection_id=UUID(str(connection)), platform=platform
            )
            for org, connection, platform in self._connections
        ]
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self._callback.tenant(events[0].org_id) as connection:
                    for event in events:
                        publish(connection, event)
            except Unavailable:  # Postgres was killed a moment ago: its last connections are still in the pool
                if time.monotonic() > deadline:
                    raise
                continue
            return

    def slow_down_platform(self, seconds: float) -> None:
        """Let every request for metrics take so much longer; 0 for none."""
        delays = [
            {"match": {"path": path, "times": None}, "fault": {"kind": "delay", "seconds": seconds}}
            for path in ("insights", "report/integrated/get")
        ]
        self._sandbox("POST", "faults", delays if seconds else [])

    def arm(self, point: Failpoint) -> None:
        failpoints.arm(self.failpoint, point)

    @property
    def failpoint(self) -> Path:
        return Path(self.stack.env(FUNCTIONS[0])["ADLOOM_FAILPOINT"])

    # Waiting

    def wait_fired(self) -> None:
        _wait(lambda: not self.failpoint.exists(), lambda: f"{self.failpoint.read_text()} was never reached")

    def wait_done(self) -> None:
        """Until nothing waits anywhere: in the work list, the outbox, the broker."""
        still = ""

        def is_done() -> bool:
            nonlocal still
            try:
                before = self._waiting()
                if before[:2] != (0, 0) or not before.written:
                    still = f"{before} in the database"
                    return False
                at_broker, after = self._waiting_at_broker(), self._waiting()
            except (psycopg.Error, nats.errors.Error, OSError, TimeoutError) as error:
                still = repr(error)  # killed a moment ago
                return False
            still = f"{before} in the database, {at_broker} at the broker, then {after} in the database"
            # What an event leads to is written before the broker hears that it was taken.
            return before == after and at_broker == 0

        _wait(is_done, lambda: f"still waiting: {still}\n{self._logs()}")

    def _waiting(self) -> Waiting:
        return Waiting(*self.admin(_OPEN)[0])

    def _waiting_at_broker(self) -> int:
        return asyncio.run(_undelivered(self.stack.secret(CONNECTOR, "nats-url"), FUNCTIONS))

    def _logs(self) -> str:
        return "\n".join(self.stack.log(function)[-1500:] for function in FUNCTIONS)

    # Looking

    def compare(self, target: Path) -> Comparison:
        """Every exported cell against the folder."""
        target.mkdir(exist_ok=True)
        between = ("--since", self.span.first.isoformat(), "--until", self.span.last.isoformat())
        for level in LEVELS:
            output = str(target / f"{level}.csv")
            self._run("export", "metrics", "--level", level, *between, "--format", "csv", "--output", output)
        for level in ("account", "campaign"):
            output = str(target / f"{level}_hours.csv")
            self._run("export", "hours", "--level", level, *between, "--format", "csv", "--output", output)
        return compare(target, self._folder, self.span.clock)

    def days_read_twice(self) -> int:
        """Days of an account for whose ads the platform was asked, and answered, more than once.

        Only ads: an account's totals are asked for again, on purpose, where they differ from the sum of the rest.
        """
        read: Counter[tuple[str, int]] = Counter()
        for one in self._sandbox("GET", "requests")["requests"]:
            if one["status"] == httpx.codes.OK and (window := _ads_of(one["params"])):
                days = range(window[0].toordinal(), window[1].toordinal() + 1)
                read.update((one["path"] + one["params"].get("advertiser_id", ""), day) for day in days)
        assert read, "the sandbox's log names no request for metrics"
        return sum(count > 1 for count in read.values())

    def admin(self, statement: str, *values: object) -> list[Any]:
        """What the superuser reads or changes, who is above row security."""
        url = self.stack.secret("admin", "admin-database-url")
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def _run(self, *arguments: str) -> None:
        with environment(self.stack.env("cli")):
            done = CliRunner().invoke(adloom, arguments)
        assert done.exit_code == 0, f"adloom {' '.join(arguments)}: {done.output}"

    def _sandbox(self, method: str, path: str, body: object = None) -> Any:
        url = self.stack.run["urls"]["sandbox"]
        key = {"X-Sandbox-Key": self.stack.secret("cli", "sandbox-key")}
        answer = httpx.request(method, f"{url}/_sandbox/{path}", headers=key, json=body, timeout=10, trust_env=False)
        return answer.raise_for_status().json()


def small_world(folder: Path) -> Path:
    """An account of each platform, a fortnight long."""
    acceptance.write(folder, 7, Size(accounts=3, ads=12, days=12, until=date(2026, 3, 31)))
    return folder


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


def _ads_of(asked: dict[str, str]) -> tuple[date, date] | None:
    """The days of which a request asks for ads' facts, on its first page; None for any other request."""
    if asked.get("level") == "ad" and "after" not in asked and "hourly" not in asked.get("breakdowns", ""):
        window = json.loads(asked["time_range"])
        return date.fromisoformat(window["since"]), date.fromisoformat(window["until"])
    dimensions = asked.get("dimensions", "")
    if asked.get("data_level") == "AUCTION_AD" and "stat_time_day" in dimensions and asked.get("page", "1") == "1":
        return date.fromisoformat(asked["start_date"]), date.fromisoformat(asked["end_date"])
    return None


async def _undelivered(url: str, consumers: Sequence[str]) -> int:
    client = await nats.connect(url, allow_reconnect=False, connect_timeout=2)
    try:
        found = [await client.jetstream().consumer_info(STREAM, consumer) for consumer in consumers]
        return sum(int(info.num_pending or 0) + int(info.num_ack_pending or 0) for info in found)
    finally:
        await client.close()


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """This process with the variables of another one of a stack, for what is run in place of a program."""
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
