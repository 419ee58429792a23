"""A function behind OpenFaaS's own python3-http templates."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from flask import Response
from werkzeug.datastructures import EnvironHeaders, Headers, MultiDict
from werkzeug.test import run_wsgi_app

from adloom.errors import ConfigurationError
from adloom.web.function import Function

# The templates' handler runs behind of-watchdog on the same host.
_WATCHDOG = "127.0.0.1"


class Event(Protocol):
    """What those templates hand over."""

    body: bytes
    headers: Headers | EnvironHeaders
    method: str
    query: MultiDict[str, str]
    path: str


def openfaas(app: Function[Any]) -> Callable[[Event, object], Response]:
    """`handle(event, context)` of the app.

    It answers with a Flask Response, which those templates pass on as it is: a dict without `body` they would make an
    empty 200, a list its repr, a JSON string text/html, bytes "b'..'" and an exception an HTML page.
    """
    prepare = cache(partial(_prepare, app))

    def handle(event: Event, _context: object) -> Response:
        prepare()
        body, status, headers = run_wsgi_app(app.wsgi_app, _environ(event), buffered=True)
        return Response(body, status=status, headers=headers)

    return handle


def _prepare(app: Function[Any]) -> None:
    """Those templates start without asking the handler: what `prepare` refuses, every answer says instead."""
    with suppress(ConfigurationError):
        app.prepare()


def _environ(event: Event) -> dict[str, Any]:
    path = event.path if event.path.startswith("/") else f"/{event.path}"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": event.method,
        "SCRIPT_NAME": "",
        # WSGI carries the bytes of the path as latin-1.
        "PATH_INFO": path.encode("utf-8").decode("latin-1"),
        "RAW_URI": quote(path),
        "QUERY_STRING": urlencode(list(event.query.items(multi=True))),
        "SERVER_NAME": "function",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _WATCHDOG,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(event.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in event.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    # The body is whole by now, however it came.
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(event.body))
    return environ
