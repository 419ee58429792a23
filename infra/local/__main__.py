"""`python -m infra.local up|start|stop|status|clean|supervise`. The Makefile calls it; see `make help`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable

from infra.local import daemon, runtime, status
from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.lock import AlreadyRunning

# The moment `make` was called, told by the installation that ran before; else that of this process.
_BEGAN = float(os.environ.pop("ADLOOM_BEGAN", time.time()))


def main() -> int:
    options = _arguments()
    home = Home.from_environment()
    try:
        return _ACTIONS[options.action](home, options)
    except RuntimeFault as fault:
        print(f"Adloom did not {options.action}: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("up", "start", "supervise"):
        actions.add_parser(name).add_argument("parts", nargs="*", help="only these parts and what they need")
    actions.add_parser("stop")
    actions.add_parser("clean").add_argument("--yes", action="store_true")
    actions.add_parser("status").add_argument("--json", action="store_true")
    return parser.parse_args()


def _up(home: Home, options: argparse.Namespace) -> int:
    print("Adloom is starting; Ctrl-C stops it.", flush=True)

    def running() -> None:
        print(status.welcome(home, time.time() - _BEGAN), flush=True)

    return _supervised(home, options, running)


def _supervise(home: Home, options: argparse.Namespace) -> int:
    with contextlib.suppress(AlreadyRunning):
        return runtime.run(home, only=options.parts, say=_say, on_running=lambda: _say("everything answers"))
    return 0


def _supervised(home: Home, options: argparse.Namespace, running: Callable[[], None]) -> int:
    try:
        code = runtime.run(home, only=options.parts, say=_say, on_running=running)
    except AlreadyRunning:
        print(status.already(home))
        return 0
    print("Adloom has stopped.")
    return code


def _start(home: Home, options: argparse.Namespace) -> int:
    began = daemon.start(home, only=options.parts)
    print(status.welcome(home, time.time() - _BEGAN) if began else status.already(home))
    return 0


def _stop(home: Home, _options: argparse.Namespace) -> int:
    print("Adloom has stopped." if daemon.stop(home) else "Adloom was not running.")
    return 0


def _status(home: Home, options: argparse.Namespace) -> int:
    return status.show(home, as_json=options.json)


def _clean(home: Home, options: argparse.Namespace) -> int:
    print(f"Removed {home.path}." if daemon.clean(home, sure=options.yes) else f"There is no {home.path}.")
    return 0


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


_ACTIONS = {"up": _up, "start": _start, "stop": _stop, "status": _status, "supervise": _supervise, "clean": _clean}

if __name__ == "__main__":
    sys.exit(main())
