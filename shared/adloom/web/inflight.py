"""At most so many requests at once; the next is told to come back at once instead of waiting in a queue."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wsgi import ClosingIterator

from adloom import logs
from adloom.errors import TooManyRequests
from adloom.web import problems

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A probe says how the process is also when it is busy.
_PROBES = frozenset({"/_/health", "/_/ready"})


class InflightLimit:
    """WSGI middleware. Counts a request from its arrival to the end of its answer."""

    def __init__(self, app: WSGIApplication, most: int) -> None:
        self._app = app
        self._places = threading.Semaphore(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in _PROBES:
            return self._app(environ, start_response)
        if not self._places.acquire(blocking=False):
            return _busy(environ, start_response)
        try:
            answer: Any = self._app(environ, start_response)
        except BaseException:
            self._places.release()
            raise
        return ClosingIterator(answer, self._places.release)


def _busy(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    logs.request_id.set(logs.accept_request_id(environ.get("HTTP_X_REQUEST_ID")))
    error = TooManyRequests("All places are taken; try again in a moment.", code="busy", retry_after=1)
    response = problems.from_error(error)
    response.headers[logs.REQUEST_ID_HEADER] = logs.request_id.get()
    return response(environ, start_response)
