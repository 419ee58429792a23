"""Runs the sandbox and ends it within two seconds of SIGTERM, whatever hangs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from infra.sandbox import jsonlog
from infra.sandbox.wire import BreakableProtocol

# Requests under way may end within the first, everything else is dropped at the second.
_GRACE_SECONDS = 1
_HARD_SECONDS = 1.7
_KEEP_ALIVE_SECONDS = 75


class _Server(uvicorn.Server):
    """A server that does not outlive its grace period, even with a thread at work."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, with a last moment set."""
        last = threading.Timer(_HARD_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()
        super().handle_exit(sig, frame)


def run(app: ASGIApp, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; ends the process."""
    jsonlog.take_over()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="asyncio",
        http=BreakableProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )
    # uvicorn raises the signal again when it has ended: the process ends well then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    jsonlog.log("start", port=port)
    _Server(config).run()


def _end(_number: int, _frame: FrameType | None) -> None:
    jsonlog.log("end")
    sys.stdout.flush()
    os._exit(0)
