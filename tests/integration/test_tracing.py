"""One request id leads from the caller through function, event and delivery; errors reach Sentry without secrets."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import psycopg
import pytest

from infra.local.stack import Stack
from tests.facts import write_folder

REQUEST_ID = "trace-me-0123456789"
TOKEN = "EAA" + "x1Y2" * 10


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("tracing")
    facts = write_folder(home / "facts", 5, accounts=1, days=3, ads=3, last=date(2026, 3, 3))
    clock = datetime(2026, 3, 5, 12, tzinfo=UTC)
    with Stack(home / "home", facts=facts, clock=clock, rate=0, autoconnect=True) as running:
        eventually(lambda: is_synced(running), patience=120)
        yield running


def is_synced(stack: Stack) -> bool:
    """Whether the first sync has ended. While it goes on it also stores what others ask for, as its own work."""
    ((accounts, stored, waiting, unnoted),) = rows(
        stack,
        "select count(*), count(last_synced_at), (select count(*) from sync_windows),"
        " (select count(*) from outbox o where subject in"
        " ('adloom.connections.connected', 'adloom.sync_meta.requested')"
        " and not exists (select from inbox i where i.event_id = o.event_id)) from ad_accounts",
    )
    return bool((accounts, stored, waiting, unnoted) == (1, 1, 0, 0))


def rows(stack: Stack, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.secret("admin", "admin-database-url")) as connection:
        return connection.execute(query.encode(), values).fetchall()


def lines(stack: Stack, part: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in stack.log(part).splitlines() if line.startswith("{")]
    return [line for line in found if line.get("request_id") == REQUEST_ID]


def eventually(look, patience: float = 30.0):
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def test_a_request_id_leads_from_the_caller_through_the_event_to_its_delivery(stack):
    answer = httpx.post(
        f"{stack.url}/function/sync-meta/runs",
        json={"since": "2026-03-01", "until": "2026-03-03"},
        headers={"Authorization": f"Bearer {stack.secret('cli', 'operator-key')}", "X-Request-Id": REQUEST_ID},
        trust_env=False,
        timeout=30,
    )
    assert answer.is_success, answer.text
    assert answer.headers["X-Request-Id"] == REQUEST_ID
    routes = eventually(lambda: {str(one.get("route")) for one in lines(stack, "sync-meta")} >= {"/runs", "/events"})
    assert routes
    eventually(lambda: lines(stack, "connector"))
    caused = "select subject from outbox where envelope ->> 'requestid' = %s"
    subjects = {("adloom.sync_meta.requested",), ("adloom.metrics.synced",)}
    eventually(lambda: subjects <= set(rows(stack, caused, REQUEST_ID)))


def test_an_error_document_carries_the_request_id(stack):
    answer = httpx.get(
        f"{stack.url}/function/auth/session", headers={"X-Request-Id": REQUEST_ID}, trust_env=False, timeout=10
    )
    assert (answer.status_code, answer.json()["request_id"]) == (401, REQUEST_ID)


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes Sentry's envelopes; its DSN and what it got."""
    received: list[bytes] = []

    class Ingest(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ingest)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", received
    server.shutdown()
    thread.join()
    server.server_close()


PROGRAM = f"""
import sys, sentry_sdk
from adloom import logs
from adloom.settings import CoreSettings
logs.configure("test", CoreSettings())
secret = "{TOKEN}"
try:
    raise RuntimeError("refused: https://graph/me?access_token=" + secret)
except RuntimeError:
    sentry_sdk.capture_exception()
sentry_sdk.flush(10)
# Frameworks that are installed beside us are not imported to be watched: that would cost a second at every start.
print("starlette" in sys.modules, "openai" in sys.modules)
"""


def test_errors_reach_sentry_without_secrets_and_without_a_slow_start(sentry):
    dsn, received = sentry
    environment = {
        "ADLOOM_PUBLIC_URL": "http://127.0.0.1",
        "ADLOOM_GATEWAY_URL": "http://127.0.0.1",
        "ADLOOM_SENTRY_DSN": dsn,
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["False", "False"]
    text = b"".join(received).decode()
    assert "refused: https://graph/me?access_token=[redacted]" in text
    assert TOKEN not in text


def test_without_a_dsn_nothing_is_sent(sentry):
    _, received = sentry
    environment = {"ADLOOM_PUBLIC_URL": "http://127.0.0.1", "ADLOOM_GATEWAY_URL": "http://127.0.0.1"}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
    assert received == []
