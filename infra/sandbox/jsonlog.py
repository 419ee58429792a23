"""Log lines of the sandbox: one JSON object each, on stdout. Nothing here may be given a token."""

from __future__ import annotations

import logging
import sys
import traceback

import msgspec

from adloom import clock


def log(event: str, **fields: object) -> None:
    """Write one line with the real time."""
    line = msgspec.json.encode({"at": clock.real_now().isoformat(), "part": "sandbox", "event": event, **fields})
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


class JsonLines(logging.Handler):
    """Passes what the web server says on as JSON lines."""

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else None
        log("server", level=record.levelname, message=record.getMessage(), trace=trace)


def take_over() -> None:
    """Send warnings of every library through here."""
    root = logging.getLogger()
    root.handlers[:] = [JsonLines()]
    root.setLevel(logging.WARNING)
