"""What the front door writes down when something behind it breaks off."""

from __future__ import annotations

import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.deployment.front import Front, caddyfile
from tests.unit.sandbox.support import free_port

CADDY = Path(sys.executable).parent / "caddy"


class BreaksOff(socketserver.StreamRequestHandler):
    """Announces a body, sends a part of it and goes."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\nbegun")


@pytest.fixture
def upstream() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), BreaksOff) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_error_of_the_front_door_names_no_credential_of_an_address(tmp_path: Path, upstream: str) -> None:
    """Mailed links and redirects of platforms carry theirs in the query."""
    port = free_port()
    file, log = tmp_path / "Caddyfile", tmp_path / "log"
    settings = Front((f"http://127.0.0.1:{port}",), dashboard=upstream, bind="127.0.0.1", port=port)
    file.write_text(caddyfile(settings), encoding="utf-8")
    url = f"http://127.0.0.1:{port}/reset?token=adl_r_secret1&code=secret2&state=secret3&kept=seen"
    with log.open("wb") as output:
        caddy = subprocess.Popen([CADDY, "run", "--config", file, "--adapter", "caddyfile"], stderr=output)
        try:
            until = time.monotonic() + 30
            while b"kept=seen" not in log.read_bytes() and time.monotonic() < until:
                try:
                    httpx.get(url, trust_env=False, timeout=20)
                except httpx.HTTPError:
                    time.sleep(0.05)
        finally:
            caddy.terminate()
            caddy.wait(20)
    written = log.read_text(encoding="utf-8")
    assert "kept=seen" in written
    assert "secret" not in written
