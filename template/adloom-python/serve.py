"""Serves one function: `python serve.py <folder of handler.py>`.

Environment: `port` (8080), `max_inflight` (8 requests at once, then 429), `ADLOOM_BIND` (0.0.0.0). The names in lower
case are OpenFaaS's own. A missing setting or secret stops the start with a sentence that says what to set.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


def load_app(folder: Path) -> Any:
    """The `app` of the handler in the folder."""
    spec = importlib.util.spec_from_file_location("handler", folder / "handler.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"There is no handler.py in {folder}")
    sys.path.insert(0, str(folder))
    module = importlib.util.module_from_spec(spec)
    sys.modules["handler"] = module
    spec.loader.exec_module(module)
    return module.app


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    # Process 1 ignores what it has no handler for, and the server has its own only once it serves. An update that stops
    # a function at its start would wait until it is killed.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "function").resolve()
    app = load_app(folder)

    from adloom.errors import ConfigurationError
    from adloom.web.server import DEFAULT_INFLIGHT, Server

    try:
        app.prepare()
    except ConfigurationError as error:
        print(error.detail, file=sys.stderr)
        return EXIT_CONFIGURATION
    unfinished = Server(
        app,
        bind=os.environ.get("ADLOOM_BIND", "0.0.0.0"),  # noqa: S104 - in an image; the embedded runtime sets loopback
        port=int(os.environ.get("port", "8080")),  # noqa: SIM112 - OpenFaaS's own name
        inflight=int(os.environ.get("max_inflight", "0")) or DEFAULT_INFLIGHT,  # noqa: SIM112
    ).run()
    if unfinished:
        # Python would wait for the threads that are at work on them, and whoever stops us kills us for it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
