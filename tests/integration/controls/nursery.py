"""Runs pytest many times without importing the same libraries each time: a process that forks itself for each run.

It reads one run per line, {"folder", "nodes", "log", "environment"}, and writes {"log", "code"} as each ends, two at a
time. A run imports our own code from its folder, which is why nothing of ours is imported before.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

# What the imports of the tests take their time for.
LIBRARIES = (
    *("alembic.command", "argon2", "authlib.jose", "cryptography.fernet", "flask", "httpx", "hypothesis", "limits"),
    *("nh3", "psycopg", "pydantic_settings", "pyotp", "pytest", "pytest_asyncio", "secure", "segno", "sqlalchemy"),
    # The last two are plugins that every run of pytest brings in.
    *("starlette.responses", "structlog", "schemathesis.pytest.plugin", "xdist.plugin"),
)
AT_ONCE = 2
# Not one of pytest's own exit codes.
_BROKEN = 70


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    running: dict[int, str] = {}
    for line in sys.stdin:
        if len(running) == AT_ONCE:
            _await_one(running)
        run = json.loads(line)
        running[_fork(run)] = run["log"]
    while running:
        _await_one(running)


def _await_one(running: dict[int, str]) -> None:
    process, status = os.wait()
    sys.stdout.write(json.dumps({"log": running.pop(process), "code": os.waitstatus_to_exitcode(status)}) + "\n")
    sys.stdout.flush()


def _fork(run: dict[str, Any]) -> int:
    process = os.fork()
    if process == 0:
        code = _BROKEN
        try:
            code = _run(**run)
        except BaseException:  # noqa: BLE001 - a child never goes on with its parent's work
            Path(run["log"]).write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(code)
    return process


def _run(folder: str, nodes: list[str], log: str, environment: dict[str, str]) -> int:
    import pytest

    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, written), (2, written)):
        os.dup2(file, stream)
    os.chdir(folder)
    os.environ.update(environment)
    sys.path[:] = [f"{folder}/shared", folder, *filter(_is_foreign, sys.path)]
    # What was imported before cannot be rewritten, and nobody reads what an assertion compared.
    options = ("-q", "--assert=plain", "--rootdir", folder, "--basetemp", f"{log}.tmp")
    code = int(pytest.main([*nodes, *options]))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _is_foreign(path: str) -> bool:
    """Whether libraries lie there, and nothing of ours."""
    return "site-packages" in path or Path(path).is_relative_to(sys.base_prefix)


if __name__ == "__main__":
    main()
