"""Answers over HTTP from bytes that are ready, so that who asks is measured and not who answers."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tests.bench.sync.dataset import Shape

Body = list[bytes | memoryview]


class Account(Protocol):
    """An account of a platform. `served` is the version that is served now; `headers` go out with every answer."""

    served: int
    headers: str

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        """The status and the body."""
        ...


def as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class _Connection(socketserver.StreamRequestHandler):
    """HTTP/1.1 with keep-alive; what a POST sends counts as parameters."""

    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        while line := self.rfile.readline():
            size = 0
            while header := self.rfile.readline().strip().lower():
                if header.startswith(b"content-length:"):
                    size = int(header.partition(b":")[2])
            url, sent = urlsplit(line.split()[1].decode()), self.rfile.read(size).decode()
            status, body = self._answer(url.path, dict(parse_qsl(url.query) + parse_qsl(sent)))
            head = (
                f"HTTP/1.1 {status} -\r\nContent-Type: application/json; charset=UTF-8\r\n"
                f"{self.server.account.headers}Content-Length: {sum(map(len, body))}\r\n\r\n"
            )
            for part in (head.encode(), *body):
                self.request.sendall(part)

    def _answer(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        if path == "/_/version":
            self.server.account.served = int(params["served"])
            return 200, [b"{}"]
        return self.server.account.answer(path, params)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, account: Account) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.account = account

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main(make: Callable[[Path, Shape, tuple[int, ...]], Account]) -> None:
    """Serve what the command line says: a folder, and a shape and versions as JSON; print the port when it is ready.

    Until standard input ends, so that nothing is left when whoever started us is gone.
    """
    folder, shape, versions = sys.argv[1:4]
    server = _Server(make(Path(folder), Shape(**json.loads(shape)), tuple(json.loads(versions))))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
