"""The Graph API's answers from bytes that were made beforehand, in a process of its own.

The sandbox renders every row when it is asked, which takes longer than reading it: a benchmark against it would measure
the sandbox. This one cuts a page out of a file. Paths, paging, errors and headers are those of the sandbox.

`python -m tests.bench.sync.graph <folder> <shape as JSON>` prints its port when it is ready.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.bench.sync.dataset import ACCOUNT_ID, CURRENCY, TIMEZONE, Dataset, Shape, name, object_id, parent

VERSIONS = (1, 2)
_MAX_LIMIT = 5000
_EDGES = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}
_ACCOUNT = {
    "id": f"act_{ACCOUNT_ID}",
    "account_id": ACCOUNT_ID,
    "name": "Adloom bench",
    "currency": CURRENCY,
    "timezone_name": TIMEZONE,
    "account_status": 1,
}
_STATE = {
    "status": "ACTIVE",
    "effective_status": "ACTIVE",
    "created_time": "2025-11-03T09:00:00+0100",
    "updated_time": "2026-02-14T09:00:00+0100",
}
_SHARE = {"call_count": 1, "total_cputime": 1, "total_time": 1}
_USAGE = {
    "X-App-Usage": _SHARE,
    "X-Ad-Account-Usage": {"acc_id_util_pct": 1, "reset_time_duration": 300},
    "X-Business-Use-Case-Usage": {
        ACCOUNT_ID: [{"type": "ads_insights", **_SHARE, "estimated_time_to_regain_access": 0}]
    },
    "X-FB-Ads-Insights-Throttle": {"app_id_util_pct": 1, "acc_id_util_pct": 1},
}
_HEADERS = "".join(f"{header}: {json.dumps(value)}\r\n" for header, value in _USAGE.items())

Body = list[bytes | memoryview]


class Graph:
    """One account. `served` is the version that is served now."""

    def __init__(self, folder: Path, shape: Shape, versions: tuple[int, ...] = VERSIONS) -> None:
        self.shape = shape
        self._versions = {version: Dataset.make(replace(shape, version=version), folder) for version in versions}
        self.served = min(versions)

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        node, _, edge = path.strip("/").partition("/")[2].partition("/")
        if path == "/_/version":
            self.served = int(params["served"])
            return 200, [b"{}"]
        if node == "me":
            return 200, [_json({"data": [_ACCOUNT]} if edge == "adaccounts" else {"id": "1", "name": "Bench"})]
        if node != f"act_{ACCOUNT_ID}":
            return _refused(f"Unknown path {path}")
        if edge == "insights":
            return self._insights(path, params)
        if edge in _EDGES:
            return self._listed(path, _EDGES[edge], params)
        return (200, [_json(_ACCOUNT)]) if not edge else _refused(f"Unknown edge {edge}")

    def _insights(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        if params.get("time_increment") != "1" or "campaign.id" in params.get("filtering", ""):
            return _refused("Only daily rows of the whole account were made")
        days = json.loads(params["time_range"])
        dataset, level = self._versions[self.served], params.get("level", "account")
        begin, end = dataset.row_range(level, date.fromisoformat(days["since"]), date.fromisoformat(days["until"]))
        start, stop, paging = _page(path, params, end - begin)
        return 200, [b'{"data":[', dataset.levels[level].slice(begin + start, begin + stop), b"]" + paging + b"}"]

    def _listed(self, path: str, level: str, params: dict[str, str]) -> tuple[int, Body]:
        start, stop, paging = _page(path, params, self.shape.objects[level])
        nodes = [_node(level, number) for number in range(start, stop)]
        return 200, [b'{"data":' + _json(nodes) + paging + b"}"]


def _page(path: str, params: dict[str, str], count: int) -> tuple[int, int, bytes]:
    """Where the page begins and ends among `count` rows, and its `paging`. A cursor is the next row's place."""
    start = int(params.get("after") or 0)
    stop = min(start + min(int(params.get("limit") or 25), _MAX_LIMIT), count)
    if start >= stop:
        return start, start, b""
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(stop)}}
    if stop < count:
        paging["next"] = f"https://graph.facebook.com{path}?{urlencode({**params, 'after': stop})}"
    return start, stop, b',"paging":' + _json(paging)


def _node(level: str, number: int) -> dict[str, str]:
    found = {"id": object_id(level, number), "name": name(level, number), **_STATE}
    if level == "campaign":
        return {**found, "objective": "OUTCOME_SALES", "buying_type": "AUCTION", "daily_budget": "5000"}
    above = "campaign" if level == "adset" else "adset"
    return {**found, f"{above}_id": object_id(above, parent(level, number))}


def _refused(message: str) -> tuple[int, Body]:
    return 400, [_json({"error": {"message": message, "type": "GraphMethodException", "code": 100, "fbtrace_id": "x"}})]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class _Connection(socketserver.StreamRequestHandler):
    """HTTP/1.1 with keep-alive, GET only: nothing more is asked for here."""

    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass  # headers
            url = urlsplit(line.split()[1].decode())
            status, body = self.server.graph.answer(url.path, dict(parse_qsl(url.query)))
            head = (
                f"HTTP/1.1 {status} -\r\nContent-Type: application/json; charset=UTF-8\r\n{_HEADERS}"
                f"Content-Length: {sum(map(len, body))}\r\n\r\n"
            )
            for part in (head.encode(), *body):
                self.request.sendall(part)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, graph: Graph) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.graph = graph

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until standard input ends, so that nothing is left when whoever started us is gone."""
    folder, shape, versions = sys.argv[1:4]
    server = _Server(Graph(Path(folder), Shape(**json.loads(shape)), tuple(json.loads(versions))))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
