"""A connector process between a real outbox, a real broker and a real receiver, with the means to kill each of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import nats
import nats.js.errors
import psycopg
from sqlalchemy import text

from adloom import failpoints
from adloom.db import Database
from adloom.events import SIGNATURE_HEADER, Event, SyncMetaRequested, first_delivery, parse, publish, verify
from infra.local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
SECRET = "the secret of sync-meta"
STACK_YML = """
functions:
  sync-meta:
    annotations:
      adloom-subjects: adloom.sync_meta.requested,adloom.connections.connected
  auth:
    annotations:
      adloom-subjects: adloom.connections.connected
"""
EFFECTS = """
create table effects (position bigint generated always as identity, function text, event_id uuid, account_id bigint);
grant insert, select on effects to adloom_sync_meta, adloom_auth;
"""


@dataclass(frozen=True)
class Delivered:
    """One request as the receiver saw it."""

    function: str
    event: Event
    event_id: uuid.UUID
    headers: Mapping[str, str]
    body: bytes
    began: float
    ended: float


@dataclass(frozen=True)
class Reply:
    """What the receiver answers; `effect` says whether it does its work first."""

    status: int = 202
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool = True


Behaviour = Callable[[Event, int], Reply]


def problem(status: int, *, retryable: bool) -> Reply:
    body = f'{{"code": "no", "detail": "it said no", "retryable": {str(retryable).lower()}}}'.encode()
    return Reply(status, body, {"Content-Type": "application/problem+json"}, effect=False)


class Receiver:
    """Functions as the connector sees them: it checks the signature, notes the event in the inbox, has one effect."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self.databases = databases
        self.deliveries: list[Delivered] = []
        # Events whose effect is there and whose delivery is among the deliveries.
        self.taken: set[uuid.UUID] = set()
        self.ticks: list[tuple[str, float]] = []
        self.began = 0
        self.behave: Behaviour = lambda _event, _count: Reply()
        self._seen: dict[uuid.UUID, int] = {}
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = receiver.receive(self.path, dict(self.headers), body)
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:  # the connector was killed while it waited
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def receive(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        _, _, function, *rest = path.split("/")
        if rest == [""]:
            self.ticks.append((function, time.monotonic()))
            return Reply()
        began = time.monotonic()
        try:
            verify(headers.get(SIGNATURE_HEADER), body, SECRET, int(time.time()))
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            return problem(401, retryable=False)
        envelope, event = parse(body)
        with self._lock:
            self.began += 1
            count = self._seen[envelope.id] = self._seen.get(envelope.id, 0) + 1
        reply = self.behave(event, count)
        if reply.effect and not self._have_effect(function, envelope.id, event):
            reply = Reply(503, effect=False)
        with self._lock:
            self.deliveries.append(Delivered(function, event, envelope.id, headers, body, began, time.monotonic()))
            if reply.effect:
                self.taken.add(envelope.id)
        return reply

    def _have_effect(self, function: str, event_id: uuid.UUID, event: Event) -> bool:
        try:
            with self.databases[function].tenant(event.org_id) as connection:
                if first_delivery(connection, function, event_id, event.org_id):
                    connection.execute(
                        text("insert into effects (function, event_id, account_id) values (:f, :e, :a)"),
                        {"f": function, "e": event_id, "a": event.account_id},
                    )
        except Exception:  # noqa: BLE001 - Postgres may be killed here; the answer is "not now"
            return False
        return True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class ConnectorProcess:
    """`python -m infra.connector`, restarted by whoever wants it back."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.connector"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.environment['ADLOOM_CONNECTOR_PORT']}/_/health", timeout=2)
        except httpx.HTTPError:
            return 0, {}
        return answer.status_code, answer.json()

    def wait_for(self, state: str) -> None:
        wait_until(lambda: self.health()[1].get("state") == state, what=lambda: self.log.read_text()[-3000:])


class Rig:
    """One test's connector and receiver on the module's Postgres and NATS."""

    def __init__(self, stack: Stack, folder: Path, stack_yml: str = STACK_YML, **settings: str) -> None:
        self.stack = stack
        self.folder = folder
        self.failpoint = folder / "failpoint"
        self.org_id = uuid.uuid4()
        self.databases = {
            name: Database(stack.secret("admin", f"{name}-database-url"), pool_size=8)
            for name in ("sync-meta", "auth", "cli")
        }
        self.receiver = Receiver(self.databases)
        (folder / "stack.yml").write_text(stack_yml)
        self._settings = settings
        self.connector = self.make_connector()

    def make_connector(self, **settings: str) -> ConnectorProcess:
        """Another connector on the same database; the first is `self.connector`."""
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        for name in ("nats-url", "database-url"):
            (secrets / name).write_text(self.stack.secret("connector", name))
        for function in ("sync-meta", "auth"):
            (secrets / f"{function}-event-secret").write_text(SECRET)
        environment = {
            "PATH": os.environ["PATH"],
            "ADLOOM_SECRETS_DIR": str(secrets),
            "ADLOOM_PUBLIC_URL": self.receiver.url,
            "ADLOOM_GATEWAY_URL": self.receiver.url,
            "ADLOOM_SANDBOX_URL": "http://127.0.0.1:9",
            "ADLOOM_STACK_FILE": str(self.folder / "stack.yml"),
            "ADLOOM_CONNECTOR_PORT": str(free_port()),
            "ADLOOM_CONNECTOR_BACKOFF": "0.1",
            "ADLOOM_FAILPOINT": str(self.failpoint),
        }
        return ConnectorProcess({**environment, **self._settings, **settings}, self.folder / "connector.log")

    def publish(self, *accounts: int) -> list[uuid.UUID]:
        """One event for each account, each in a transaction of its own."""
        return [
            self.publish_event(SyncMetaRequested(org_id=self.org_id, account_id=account, reason="tick"))
            for account in accounts
        ]

    def publish_event(self, event: Event) -> uuid.UUID:
        with self.databases["sync-meta"].tenant(event.org_id) as connection:
            return publish(connection, event)

    def ask_for_replay(self, function: str = "%") -> None:
        """What `adloom events replay` does, with the role it has."""
        with self.databases["cli"].tenant(self.org_id) as connection:
            connection.execute(
                text(
                    "update dead_letters set replay_requested_at = now()"
                    " where replayed_at is null and function like :function"
                ),
                {"function": function},
            )

    def effects(self, function: str = "sync-meta") -> list[tuple[uuid.UUID, int]]:
        """Event and account of every effect, in their order."""
        rows = self.admin("select event_id, account_id from effects where function = %s order by position", function)
        return [(event_id, account) for event_id, account in rows]

    def admin(self, statement: str, *values: object) -> list[Any]:
        """What the superuser reads or changes, who is above row security."""
        with psycopg.connect(self.stack.secret("admin", "admin-database-url"), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def unsettled(self, function: str = "sync-meta") -> int:
        """Events that the broker still wants to be rid of."""
        return asyncio.run(_unsettled(self.stack.secret("connector", "nats-url"), function))

    def arm(self, name: str, nth: int = 1, victim: int | None = None) -> None:
        failpoints.arm(self.failpoint, failpoints.Failpoint(name, nth, victim))

    def wait_fired(self) -> None:
        wait_until(lambda: not self.failpoint.exists(), what=lambda: "the failpoint was never reached")

    def wait_effects(self, number: int, function: str = "sync-meta") -> None:
        def is_there() -> bool:
            try:
                effects = self.effects(function)
                # An effect can be seen a moment before its delivery is noted.
                return len(effects) >= number and self.receiver.taken.issuperset(event_id for event_id, _ in effects)
            except psycopg.OperationalError:
                return False  # killed a moment ago

        wait_until(is_there, what=self.told)

    def told(self) -> str:
        """The end of what the connector logged."""
        return self.connector.log.read_text()[-4000:]

    def close(self) -> None:
        if self.connector.process is not None and self.connector.process.poll() is None:
            self.connector.end()
        self.receiver.close()
        for database in self.databases.values():
            database.close()


def begin(stack: Stack) -> None:
    """An outbox, a broker and effects as if nothing had ever happened."""
    with psycopg.connect(stack.secret("admin", "admin-database-url"), autocommit=True) as connection:
        connection.execute("drop table if exists effects")
        connection.execute(EFFECTS)
        connection.execute("truncate outbox, inbox, dead_letters")
    lose_stream(stack)


def lose_stream(stack: Stack) -> None:
    """As if the broker's disk were gone."""
    asyncio.run(_delete_stream(stack.secret("connector", "nats-url")))


async def _unsettled(url: str, consumer: str) -> int:
    client = await nats.connect(url)
    try:
        info = await client.jetstream().consumer_info("ADLOOM", consumer)
        return int(info.num_pending or 0) + int(info.num_ack_pending or 0)
    finally:
        await client.close()


async def _delete_stream(url: str) -> None:
    client = await nats.connect(url)
    try:
        await client.jetstream().delete_stream("ADLOOM")
    except nats.js.errors.NotFoundError:
        pass
    finally:
        await client.close()


@contextmanager
def rig(stack: Stack, folder: Path, stack_yml: str = STACK_YML, **settings: str) -> Iterator[Rig]:
    begin(stack)
    made = Rig(stack, folder, stack_yml, **settings)
    try:
        yield made
    finally:
        made.close()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(reached: Callable[[], bool], *, what: Callable[[], str], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached within {seconds:g} s: {what()}")
        time.sleep(0.02)
