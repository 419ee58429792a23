"""Google Ads' answers from bytes that were made beforehand, over gRPC and TLS, in a process of its own.

`python -m tests.bench.google.server <folder> <shape as JSON> <versions as JSON>` prints its ports when it is ready:
that of HTTP (the token endpoint, the authority's certificate, the version that is served), and that of gRPC.
"""

from __future__ import annotations

import http.server
import json
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc

from infra.sandbox.google import messages, tls
from tests.bench.google import rows
from tests.bench.google.rows import RESOURCES, Dataset
from tests.bench.sync.dataset import Shape

# Rows of a batch of a stream.
BATCH = 10_000
_FROM = re.compile(r" FROM (\w+)")
_DAYS = re.compile(r"BETWEEN '(\S+)' AND '(\S+)'")
_TOKEN = json.dumps({"access_token": "ya29.bench", "expires_in": 3599, "token_type": "Bearer"}).encode()


class Account:
    """One account. `served` is the version that is served now."""

    def __init__(self, folder: Path, shape: Shape, versions: tuple[int, ...]) -> None:
        self._versions = {version: Dataset.make(replace(shape, version=version), folder) for version in versions}
        self._shape = shape
        self.served = min(versions)

    def stream(self, request: Any, _context: Any) -> Iterator[bytes]:
        """The batches of an answer."""
        found = _FROM.search(request.query)
        resource = found.group(1) if found else ""
        if resource == "conversion_action":
            yield rows.account()
        elif "segments.hour" in request.query or resource not in RESOURCES:
            return
        elif days := _DAYS.search(request.query):
            dataset = self._versions[self.served]
            begin, end = dataset.row_range(resource, *map(date.fromisoformat, days.groups()))
            for start in range(begin, end, BATCH):
                yield dataset.resources[resource].slice(start, min(start + BATCH, end))
        else:
            count = self._shape.objects[RESOURCES[resource]]
            for start in range(0, count, BATCH):
                numbers = range(start, min(start + BATCH, count))
                yield b"".join([rows.framed(rows.head(resource, number)) for number in numbers])


def _handler(account: Account, ca: bytes) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/_/version":
                account.served = int(parse_qs(url.query)["served"][0])
            self._answer(ca if url.path == "/google-ca.pem" else b"{}")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._answer(_TOKEN)

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is written about a request."""

    return Handler


def main() -> None:
    """Serve until standard input ends, so that nothing is left when whoever started us is gone."""
    folder = Path(sys.argv[1])
    account = Account(folder, Shape(**json.loads(sys.argv[2])), tuple(json.loads(sys.argv[3])))
    identity = tls.identity(folder, "http://localhost")
    front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(account, tls.authority(folder).read_bytes()))
    threading.Thread(target=front.serve_forever, daemon=True).start()
    server = grpc.server(ThreadPoolExecutor(4))
    handler = grpc.unary_stream_rpc_method_handler(account.stream, messages.StreamRequest.FromString, bytes)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(messages.ADS_SERVICE, {"SearchStream": handler}),)
    )
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(identity.key, identity.certificate)]))
    server.start()
    print(front.server_address[1], port, flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main()
