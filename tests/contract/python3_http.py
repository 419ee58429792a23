"""Serves a handler as OpenFaaS's python3-http template does: `python python3_http.py` beside the folder `function/`.

What a handler of that template may rely on, written down from its documentation: `handle(event, context)` is called for
every path and method; the event has body (bytes), headers, method, query and path, the context a hostname; a dict is
read as statusCode, body and headers; what Flask can send is sent as it is.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, request
from waitress import create_server  # type: ignore[import-untyped]
from werkzeug.datastructures import EnvironHeaders, MultiDict

METHODS = ["GET", "PUT", "POST", "PATCH", "DELETE"]
OK = 200


@dataclass(frozen=True)
class Event:
    body: bytes
    headers: EnvironHeaders
    method: str
    query: MultiDict[str, str]
    path: str


@dataclass(frozen=True)
class Context:
    hostname: str


def answer(result: Any) -> Any:
    """What Flask is given for what a handler returned."""
    if not isinstance(result, dict):
        return result
    body = result.get("body", "")
    return body, result.get("statusCode", OK), result.get("headers", {})


def application(handle: Any) -> Flask:
    outer = Flask("template")

    def call(path: str = "") -> Any:
        event = Event(request.get_data(), request.headers, request.method, request.args, request.path)
        return answer(handle(event, Context(socket.gethostname())))

    outer.add_url_rule("/", "root", call, methods=METHODS)
    outer.add_url_rule("/<path:path>", "rest", call, methods=METHODS)
    return outer


def simple(event: Event, context: Context) -> dict[str, Any]:
    """A handler of the plainest kind, which shows that this harness does what the template says."""
    return {
        "statusCode": 201,
        "body": f"{event.method} {event.path} {dict(event.query)} {len(event.body)} {bool(context.hostname)}",
        "headers": {"X-Of-The-Handler": "yes"},
    }


def main() -> None:
    if sys.argv[1:] == ["simple"]:
        handle: Any = simple
    else:
        sys.path[:0] = [str(Path.cwd()), str(Path.cwd() / "function")]
        from function import handler  # type: ignore[import-not-found]

        handle = handler.handle
    server = create_server(application(handle), host="127.0.0.1", port=0, threads=4)
    print(f"port {server.effective_port}", flush=True)  # noqa: T201 - told to whoever started it
    server.run()


if __name__ == "__main__":
    main()
