"""Calls through a gateway whose function is away for a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from adloom.cli import context
from adloom.cli.context import FunctionRefusedError, read_answer
from adloom.errors import Unavailable

PROBLEM = "application/problem+json"
GATEWAYS_WORDS = [(404, "text/plain", b""), (500, "text/plain", b"Can't reach service"), (502, "", b""), (503, "", b"")]


class Gateway:
    """Answers one request after the other with what it was given; the last again and again."""

    def __init__(self, *answers: tuple[int, str, bytes] | None) -> None:
        self.asked = 0
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = answers[min(gateway.asked, len(answers) - 1)]
                gateway.asked += 1
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if answer is None:
                    return self.connection.close()
                status, kind, body = answer
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/function/f/runs"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    monkeypatch.setattr(context, "AWAY_S", 1.0)
    monkeypatch.setattr(context, "NOBODY_S", 0.1)
    opened = []

    def ask(*answers: tuple[int, str, bytes] | None, repeatable: bool = True) -> tuple[Gateway, httpx.Response]:
        opened.append(Gateway(*answers))
        with httpx.Client(timeout=5, trust_env=False) as client:
            return opened[-1], context._ask(client, "POST", opened[-1].url, {}, repeatable=repeatable)

    yield ask
    for gateway in opened:
        gateway.server.shutdown()
        gateway.server.server_close()


@pytest.mark.parametrize("away", [*GATEWAYS_WORDS, None], ids=["404", "500", "502", "503", "cut off"])
def test_a_function_that_is_away_for_a_moment_is_asked_again(ask, away):
    gateway, answer = ask(away, (200, "application/json", b"{}"))
    assert (gateway.asked, answer.status_code) == (2, 200)


@pytest.mark.parametrize("away", GATEWAYS_WORDS)
def test_what_stays_away_is_told(ask, away):
    gateway, answer = ask(away)
    assert gateway.asked > 1
    with pytest.raises(FunctionRefusedError, match=f"does not reach the function .HTTP {away[0]}"):
        read_answer(answer)


@pytest.mark.parametrize("status", [404, 409, 500, 503])
def test_a_functions_own_word_is_taken_at_once(ask, status):
    gateway, answer = ask((status, PROBLEM, b'{"detail": "no", "retryable": false}'))
    assert (gateway.asked, answer.status_code) == (1, status)


@pytest.mark.parametrize("away", GATEWAYS_WORDS)
def test_what_must_not_happen_twice_is_asked_once(ask, away):
    gateway, _ = ask(away, (200, "application/json", b"{}"), repeatable=False)
    assert gateway.asked == 1


def test_what_was_cut_off_and_must_not_happen_twice_is_not_asked_again(ask):
    with pytest.raises(Unavailable):
        ask(None, (200, "application/json", b"{}"), repeatable=False)


def test_where_nobody_listens_it_is_said_soon(ask):
    with httpx.Client(timeout=5, trust_env=False) as client, pytest.raises(Unavailable, match="is the stack running"):
        context._ask(client, "POST", "http://127.0.0.1:1/function/f/runs", {}, repeatable=True)
