"""The request id and the log line of a request."""

from __future__ import annotations

import time

from flask import Response, g, request

from adloom import logs
from adloom.web import acts

# Probes come every few seconds and say nothing new.
_QUIET_PREFIX = "/_/"

log = logs.get(__name__)


def begin() -> None:
    """Take over the caller's request id, or make one, and start the clock."""
    g.started = time.perf_counter()
    acts.begin()
    logs.request_id.set(logs.accept_request_id(request.headers.get(logs.REQUEST_ID_HEADER)))


def finish(response: Response) -> None:
    """Send the request id back and write the line: who, what, how long; no address, query, header or body."""
    response.headers[logs.REQUEST_ID_HEADER] = logs.request_id.get()
    principal = g.get("principal")
    route = request.url_rule.rule if request.url_rule else "(unknown)"
    write = log.debug if route.startswith(_QUIET_PREFIX) else log.info
    write(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        ms=round((time.perf_counter() - g.started) * 1000, 1),
        principal=principal.kind if principal else None,
        org_id=str(principal.organisation_id) if principal and principal.organisation_id else None,
    )
