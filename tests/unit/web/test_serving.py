"""The template's entry point, as a process: it serves, limits, drains."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adloom.web.body import MAX_BODY_BYTES

ROOT = Path(__file__).resolve().parents[3]
SERVE = ROOT / "template" / "adloom-python" / "serve.py"

_PATIENCE_S = 60

HANDLER = """
import os
import sys
import threading
import time
from adloom.settings import CoreSettings
from adloom.web import Guard, RequestModel, create_function, server
from pydantic import BaseModel

server.WHOLE_REQUEST_S = float(os.environ.get("WHOLE_REQUEST_S", server.WHOLE_REQUEST_S))
if told := os.environ.get("INTERFACES"):
    server.interfaces = lambda: set(open(told).read().split())

class Nap(RequestModel):
    seconds: float

class Slept(BaseModel):
    seconds: float

app = create_function("napper", CoreSettings)

@app.route_model("POST", "/naps", guard=Guard.public("for a test", "1000/minute"), summary="Sleep")
def nap(body: Nap) -> Slept:
    sys.stdout.write("napping\\n")  # one write, so that two of them are two lines
    sys.stdout.flush()
    helper = threading.Thread(target=time.sleep, args=(body.seconds,))  # as a reader of pages ahead is one
    helper.start()
    helper.join()
    return Slept(seconds=body.seconds)
"""


class Served:
    """A running entry point."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any, dict[str, str]]:
        connection = self.connect()
        text = body if isinstance(body, bytes | None) else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        read = json.loads(answer.read())
        connection.close()
        return answer.status, read, dict(answer.headers)

    def wait_for(self, text: str) -> str:
        """Read the output up to a line that holds the text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return line
        raise AssertionError(f"the output ended without {text!r}")


@contextmanager
def served(tmp_path: Path, **env: str) -> Iterator[Served]:
    (tmp_path / "handler.py").write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ADLOOM_")}
    address = "http://127.0.0.1:8080"
    settings = {"ADLOOM_PUBLIC_URL": address, "ADLOOM_GATEWAY_URL": address, "ADLOOM_BIND": "127.0.0.1", "port": "0"}
    with subprocess.Popen(
        [sys.executable, SERVE, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**plain, **settings, **env},
    ) as process:
        watchdog = threading.Timer(_PATIENCE_S, process.kill)  # a test that waits for its output then ends too
        watchdog.start()
        try:
            running = Served(process, 0)
            found = re.search(r'"port": (\d+)', running.wait_for('"serving"'))
            assert found is not None
            running.port = int(found[1])
            yield running
        finally:
            watchdog.cancel()
            process.kill()


@pytest.fixture
def napper(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, max_inflight="2") as running:
        yield running


def test_it_serves(napper: Served) -> None:
    status, answer, headers = napper.call("POST", "/naps", {"seconds": 0})

    assert (status, answer) == (200, {"seconds": 0.0})
    assert "Server" not in headers


def test_what_is_too_much_is_refused_at_once_and_probes_still_answer(napper: Served) -> None:
    sleepers = [threading.Thread(target=napper.call, args=("POST", "/naps", {"seconds": 4})) for _ in range(2)]
    for sleeper in sleepers:
        sleeper.start()
    for _ in sleepers:
        napper.wait_for("napping")

    began = time.monotonic()
    status, problem, headers = napper.call("POST", "/naps", {"seconds": 0})
    probe, _, _ = napper.call("GET", "/_/ready")

    assert (status, problem["code"], problem["retryable"], headers["Retry-After"]) == (429, "busy", True, "1")
    assert probe == 200
    assert time.monotonic() - began < 3.9
    for sleeper in sleepers:
        sleeper.join()
    assert napper.call("POST", "/naps", {"seconds": 0})[0] == 200


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_end_before_the_process_does(napper: Served, signal_number: int) -> None:
    answers: list[int] = []
    sleeper = threading.Thread(target=lambda: answers.append(napper.call("POST", "/naps", {"seconds": 0.5})[0]))
    sleeper.start()
    napper.wait_for("napping")
    idle = napper.connect()
    idle.request("GET", "/_/health")
    idle.getresponse().read()  # a connection that stays open and says nothing more

    napper.process.send_signal(signal_number)

    assert napper.process.wait(timeout=5) == 0
    sleeper.join()
    assert answers == [200]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", napper.port))
    idle.close()


@pytest.mark.parametrize(("before", "after", "waits"), [("eth0", "", False), ("eth0", "eth0", True), ("", "", True)])
def test_what_lost_its_network_does_not_wait_for_requests(tmp_path: Path, before: str, after: str, waits: bool) -> None:
    network = tmp_path / "interfaces"
    network.write_text(before)
    with served(tmp_path, INTERFACES=str(network)) as napper:
        connection = napper.connect()
        connection.request("POST", "/naps", json.dumps({"seconds": 3}), {"Content-Type": "application/json"})
        napper.wait_for("napping")
        network.write_text(after)
        began = time.monotonic()

        napper.process.send_signal(signal.SIGTERM)

        assert napper.process.wait(timeout=10) == 0
        assert (time.monotonic() - began > 2) is waits
        connection.close()


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(napper: Served) -> None:
    connection = napper.connect()
    connection.putrequest("POST", "/naps")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()

    answer = connection.getresponse()

    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    problem = json.loads(answer.read())
    assert (problem["code"], problem["request_id"]) == ("body_too_large", answer.headers["X-Request-Id"])
    connection.close()


@pytest.mark.parametrize(("too_much", "status"), [(0, 200), (1, 413)])
def test_a_body_that_a_gateway_sends_in_chunks_may_be_as_large(napper: Served, too_much: int, status: int) -> None:
    body = json.dumps({"seconds": 0}).encode().ljust(MAX_BODY_BYTES + too_much)
    connection = napper.connect()
    parts = (body[start : start + 32768] for start in range(0, len(body), 32768))
    connection.request("POST", "/naps", parts, {"Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == status
    connection.close()


def test_a_body_in_chunks_is_cut_off_at_the_limit(napper: Served) -> None:
    connection = napper.connect()
    connection.putrequest("POST", "/naps")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    try:
        while sent < 1000:
            connection.send(chunk)
            sent += 1
    except (BrokenPipeError, ConnectionResetError):
        pass
    connection.close()

    assert 16 <= sent < 500  # the limit, and what the buffers of the two sockets hold


def test_a_request_that_is_none_is_a_problem(napper: Served) -> None:
    with socket.create_connection(("127.0.0.1", napper.port), timeout=5) as raw:
        raw.sendall(b"POST /naps HTTP/1.1\r\nContent-Length: many\r\n\r\n")
        answer = raw.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_missing_setting_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ADLOOM_")}

    ended = subprocess.run([sys.executable, SERVE, tmp_path], env=plain, capture_output=True, text=True, check=False)

    assert ended.returncode == 78
    assert "Set ADLOOM_PUBLIC_URL" in ended.stderr
    assert "Traceback" not in ended.stderr


def drip(running: Served, connections: int) -> list[socket.socket]:
    """Requests whose bodies do not end."""
    opened = [socket.create_connection(("127.0.0.1", running.port), timeout=10) for _ in range(connections)]
    for one in opened:
        one.sendall(b"POST /naps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
    return opened


def test_many_slow_clients_shut_nobody_out(napper: Served) -> None:
    slow = drip(napper, 150)

    assert napper.call("GET", "/_/health")[0] == 200
    assert napper.call("POST", "/naps", {"seconds": 0})[0] == 200
    for one in slow:
        one.close()


def test_a_request_that_does_not_come_whole_is_given_up_and_one_that_does_is_not(tmp_path: Path) -> None:
    with served(tmp_path, WHOLE_REQUEST_S="0.5") as running:
        (slow,) = drip(running, 1)
        assert running.call("POST", "/naps", {"seconds": 2.5})[0] == 200
        assert slow.recv(1) == b""
        slow.close()
