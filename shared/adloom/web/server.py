"""Serves a function with waitress until SIGTERM, then lets the requests in flight end.

This is what the template's entry point runs, in an image as process 1 and in the embedded runtime. Without a handler
for SIGTERM of its own process 1 would ignore the signal, and an update would wait for it and then kill it.
"""

from __future__ import annotations

import signal
import socket
import time
from types import FrameType
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer, create_server  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]

from adloom import logs
from adloom.web import problems
from adloom.web.body import MAX_BODY_BYTES
from adloom.web.function import Function
from adloom.web.inflight import InflightLimit

DEFAULT_INFLIGHT = 8
DRAIN_S = 25.0

# Threads beyond the limit answer probes and refuse what is too much while all others work.
_SPARE_THREADS = 2
# A connection that was quiet for so long has no request on its way.
_QUIET_S = 0.2
_LOOK_S = 1.0
# With waitress's own hundred connections anyone who sends a hundred requests byte by byte would shut everybody out, the
# probes too. What has not come whole in this time is given up.
_CONNECTIONS = 500
# Flask refuses what is larger than a body may be, once it came whole. Waitress hangs up on what is larger than this
# without reading on, and a gateway that is still writing takes that for a function that is down.
_MOST_BYTES = 3 * MAX_BODY_BYTES
WHOLE_REQUEST_S = 30.0

log = logs.get(__name__)


def interfaces() -> set[str]:
    """The network interfaces of this machine or container besides loopback.

    faasd takes a function's away and then tells it to stop: no answer reaches anybody any more, and whatever waits for
    the database or a platform waits in vain. To drain would only keep the new container from its start.
    """
    return {name for _, name in socket.if_nameindex() if name != "lo"}


class _ProblemTask(ErrorTask):  # type: ignore[misc]
    """What waitress refuses by itself - a body too large, a broken request - as one of our problems."""

    def execute(self) -> None:
        error = self.request.error
        logs.request_id.set(logs.new_request_id())
        known = {400: "invalid_request", 413: "body_too_large", 431: "headers_too_large"}
        response = problems.build(
            error.code,
            code=known.get(error.code, "http_error"),
            title=error.reason,
            detail=error.reason,
            acts="caller",
        )
        body = response.get_data()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", problems.CONTENT_TYPE))
        self.response_headers.append((logs.REQUEST_ID_HEADER, logs.request_id.get()))
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _ProblemTask
    # When the request that is still coming in began to; None between requests. Monotonic seconds.
    coming_since: float | None = None

    def received(self, data: bytes) -> bool:
        was_read = bool(super().received(data))
        if self.request is None:
            self.coming_since = None
        elif self.coming_since is None:
            self.coming_since = time.monotonic()
        return was_read

    def is_too_slow(self, now: float) -> bool:
        return self.coming_since is not None and now - self.coming_since > WHOLE_REQUEST_S


class Server:
    """A function on a port. `run` returns when the process was told to stop and has drained."""

    def __init__(self, app: Function[Any], *, bind: str, port: int, inflight: int, drain: float = DRAIN_S) -> None:
        TcpWSGIServer.channel_class = _Channel
        self._drain = drain
        self._stopping = False
        self._next_look = 0.0
        self._server = create_server(
            InflightLimit(app, inflight),
            host=bind,
            port=port,
            threads=inflight + _SPARE_THREADS,
            connection_limit=_CONNECTIONS,
            max_request_body_size=_MOST_BYTES,
            ident=None,
            clear_untrusted_proxy_headers=False,
            expose_tracebacks=False,
        )
        self.port = int(self._server.effective_port)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Stop accepting and drain. May be called from a signal handler or another thread."""
        self._stopping = True
        self._server.pull_trigger()

    def run(self) -> int:
        """Serve until told to stop; the number of requests that did not end in time."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        log.info("serving", port=self.port)
        attached = bool(interfaces())
        while not self._stopping:
            self._turn(_LOOK_S)
            self._close_slow_connections()
        self._turn(0)  # whoever is connected already gets in
        wasyncore.dispatcher.close(self._server)
        deadline = time.monotonic() + self._drain
        while self._server.active_channels and time.monotonic() < deadline:
            if attached and not interfaces():
                log.warning("cut_off")
                break
            self._close_quiet_connections()
            self._turn(_QUIET_S / 2)
        left = len(self._server.active_channels)
        log.info("stopped", unfinished=left)
        self._server.task_dispatcher.shutdown(timeout=0 if left else 1)
        return left

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, map=self._server._map, use_poll=True, count=1)  # noqa: SLF001 - no public name

    def _close_slow_connections(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_S
        slow = [channel for channel in self._server.active_channels.values() if channel.is_too_slow(now)]
        for channel in slow:
            channel.will_close = True
        if slow:
            log.warning("requests_too_slow", connections=len(slow))

    def _close_quiet_connections(self) -> None:
        before = time.time() - _QUIET_S
        for channel in list(self._server.active_channels.values()):
            if not channel.requests and not channel.total_outbufs_len and channel.last_activity < before:
                channel.will_close = True
