"""Whose word the front door takes for where a request comes from."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.deployment.front import Front, caddyfile

CADDY = Path(sys.executable).parent / "caddy"


class Says(http.server.BaseHTTPRequestHandler):
    """Answers with the way that the request came."""

    def do_GET(self) -> None:
        said = self.headers.get("X-Forwarded-For", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("proxies", "way"),
    [
        ("", "127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1/32", "203.0.113.7, 127.0.0.1"),
        ("private_ranges", "203.0.113.7, 127.0.0.1"),
    ],
)
def test_only_a_proxy_that_was_named_is_believed(tmp_path: Path, upstream: str, proxies: str, way: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file = tmp_path / "Caddyfile"
    front = Front((f"http://127.0.0.1:{port}",), upstream, bind="127.0.0.1", port=port, proxies=proxies)
    file.write_text(caddyfile(front), encoding="utf-8")
    caddy = subprocess.Popen(
        [CADDY, "run", "--config", file, "--adapter", "caddyfile"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        assert _asked(f"http://127.0.0.1:{port}/") == way
    finally:
        caddy.terminate()
        caddy.wait(20)


def _asked(url: str) -> str:
    until = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, headers={"X-Forwarded-For": "203.0.113.7"}, trust_env=False, timeout=20).text
        except httpx.ConnectError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
