"""One call: signed by the SDK's session, limited in time, tried again, and silent about the token."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from adloom.errors import (
    AccountInaccessible,
    ConnectionBroken,
    PlatformError,
    PlatformProtocolError,
    PlatformThrottled,
    PlatformTransient,
)
from adloom.platforms.meta import usage
from adloom.platforms.meta.client import App, GraphClient
from adloom.platforms.retry import Deadline, OutOfTimeError, RetryPolicy

TOKEN, SECRET = "EAAtoken12345678901234567890", "app-secret"
QUICK = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.02)


class Thing(msgspec.Struct):
    id: str


things = msgspec.json.Decoder(Thing)
Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    graph: Graph

    def do_GET(self) -> None:
        self.graph.asked.append((self.path, dict(self.headers)))
        replies = self.graph.replies
        (replies.pop(0) if len(replies) > 1 else replies[0])(self)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Graph:
    """A Graph API of a few lines: the replies in order, the last one again and again."""

    replies: list[Reply]
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def query(self, index: int = 0) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.asked[index][0]).query).items()}


@contextmanager
def graph(*replies: Reply) -> Iterator[Graph]:
    served = Graph(list(replies))
    handler = type("Bound", (Handler,), {"graph": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def body(data: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()

    def reply(to: Handler) -> None:
        to.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(raw))}.items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(raw)

    return reply


def error(code: int, subcode: int | None = None, status: int = 400) -> Reply:
    return body({"error": {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode}}, status)


@contextmanager
def client(url: str, *, seconds: float = 20, timeout_s: float = 5, retry: RetryPolicy = QUICK) -> Iterator[GraphClient]:
    made = GraphClient(App("1", SECRET, url), TOKEN, deadline=Deadline(seconds), timeout_s=timeout_s, retry=retry)
    try:
        yield made
    finally:
        made.close()


def test_the_sdks_session_signs_every_call() -> None:
    with graph(body({"id": "7"})) as served, client(served.url) as api:
        assert api.get("7", {"fields": "id", "filtering": [{"b": 1, "a": True}]}, things) == Thing("7")
    query = served.query()
    assert query["access_token"] == TOKEN
    assert query["appsecret_proof"] == hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert query["filtering"] == '[{"a":true,"b":1}]'
    path, headers = served.asked[0]
    assert path.startswith("/v26.0/7?")
    assert headers["User-Agent"].startswith("fbbizsdk-python-")


def test_two_clients_never_share_a_token() -> None:
    with graph(body({"id": "7"})) as served, client(served.url) as one:
        other = GraphClient(App("1", SECRET, served.url), "EAAother", deadline=Deadline(5))
        other.get("7", {}, things)
        one.get("7", {}, things)
        other.close()
    assert [served.query(index)["access_token"] for index in range(2)] == ["EAAother", TOKEN]


@pytest.mark.parametrize(
    "broken",
    [
        body(b"<html>502 Bad Gateway</html>", 502),
        body(b'{"id": "7'),
        body(b""),
        body({"name": "not a thing"}),
        error(2),
        error(2, status=500),
    ],
    ids=["an HTML page", "a body cut short", "nothing", "another shape", "code 2", "code 2 on HTTP 500"],
)
def test_a_passing_fault_is_tried_again_at_once(broken: Reply) -> None:
    with graph(broken, body({"id": "7"})) as served, client(served.url) as api:
        assert api.get("7", {}, things) == Thing("7")
        assert api.requests == len(served.asked) == 2


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (body(b"<html>", 502), PlatformTransient),
        (body(b"<html>", 200), PlatformProtocolError),
        (body({"name": "x"}), PlatformProtocolError),
        (error(2), PlatformTransient),
    ],
)
def test_after_five_tries_a_fault_is_told(broken: Reply, kind: type[PlatformError]) -> None:
    with graph(broken) as served, client(served.url) as api:
        with pytest.raises(kind):
            api.get("7", {}, things)
        assert len(served.asked) == 5


@pytest.mark.parametrize("reply", [error(190, 463), error(10), error(200), error(100), error(17), error(1, 99)])
def test_what_asking_again_cannot_mend_is_asked_once(reply: Reply) -> None:
    with graph(reply) as served, client(served.url) as api:
        with pytest.raises(PlatformError):
            api.get("7", {}, things)
        assert len(served.asked) == 1


def test_a_token_in_doubt_is_tried_on_its_owner() -> None:
    with graph(error(190), body({"id": "me"})) as served, client(served.url) as api:
        with pytest.raises(AccountInaccessible):
            api.get("act_1", {}, things)
        assert urlsplit(served.asked[1][0]).path == "/v26.0/me"
    with graph(error(190)) as served, client(served.url) as api, pytest.raises(ConnectionBroken):
        api.get("act_1", {}, things)


def test_a_connection_that_fails_tells_neither_token_nor_proof_nor_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with client(url, retry=RetryPolicy(tries=1)) as api, pytest.raises(PlatformTransient) as caught:
        api.get("7", {}, things)
    told = "".join(traceback.format_exception(caught.value))
    assert "ConnectionError" in told
    for secret in (TOKEN, "appsecret_proof=", url):
        assert secret not in told.replace(f"File {url}", "")


def test_a_server_that_drips_is_given_up_at_the_time_limit() -> None:
    def drip(to: Handler) -> None:
        to.send_response(200)
        to.send_header("Content-Length", "100000")
        to.end_headers()
        for _ in range(100):
            try:
                to.wfile.write(b" ")
                to.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    with graph(drip) as served, client(served.url, timeout_s=0.4, retry=RetryPolicy(tries=1)) as api:
        began = time.monotonic()
        with pytest.raises(PlatformTransient):
            api.get("7", {}, things)
        assert time.monotonic() - began < 1.5


def test_a_platform_that_hangs_is_a_fault_also_when_the_time_is_up_before_the_last_try() -> None:
    def hang(to: Handler) -> None:
        time.sleep(1)
        to.close_connection = True

    with graph(hang) as served, client(served.url, seconds=0.6, timeout_s=0.4) as api:
        with pytest.raises(PlatformTransient, match="Timeout"):
            api.get("me", {}, things)
        assert len(served.asked) == 2


def test_a_call_that_the_deadline_cut_short_is_nobodys_fault() -> None:
    def hang(to: Handler) -> None:
        time.sleep(1)
        to.close_connection = True

    with graph(hang) as served, client(served.url, seconds=0.3, timeout_s=5) as api:
        with pytest.raises(OutOfTimeError):
            api.get("7", {}, things)
        with pytest.raises(OutOfTimeError):
            api.get("7", {}, things)
        assert len(served.asked) == 1


def test_a_redirect_is_not_followed_for_it_would_carry_the_token_away() -> None:
    moved = body(b"", 302, {"Location": "http://127.0.0.1:9/elsewhere"})
    with graph(moved) as served, client(served.url, retry=RetryPolicy(tries=1)) as api:
        with pytest.raises(PlatformProtocolError):
            api.get("7", {}, things)
        assert len(served.asked) == 1


def usage_header(percent: int, minutes: int = 0) -> dict[str, str]:
    entry: dict[str, Any] = {"type": "ads_insights", "call_count": percent, "estimated_time_to_regain_access": minutes}
    return {"X-Business-Use-Case-Usage": json.dumps({"1": [entry]})}


def test_beyond_75_percent_of_a_quota_calls_wait() -> None:
    waited: list[float] = []
    with graph(body({"id": "7"}, headers=usage_header(80))) as served:
        api = GraphClient(App("1", SECRET, served.url), TOKEN, deadline=Deadline(20, sleep=waited.append))
        for _ in range(3):
            api.get("7", {}, things)
        api.close()
    assert waited == pytest.approx([0.8, 0.8])


def test_a_quota_that_is_closed_is_not_knocked_at_again() -> None:
    with graph(body({"id": "7"}, headers=usage_header(100, minutes=19))) as served, client(served.url) as api:
        assert api.get("7", {}, things) == Thing("7")
        with pytest.raises(PlatformThrottled) as caught:
            api.get("7", {}, things)
        assert caught.value.scope == "account"
        assert len(served.asked) == 1


def test_a_header_that_asks_for_years_means_a_day() -> None:
    header = {"X-Business-Use-Case-Usage": json.dumps({"1": [{"estimated_time_to_regain_access": 1e12}]})}
    assert usage.read(header).regain_s == usage.LONGEST_WAIT_S
