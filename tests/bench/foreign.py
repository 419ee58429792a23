"""ingestr beside the sync: the package in a venv of its own, reading the same server into the same Postgres."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import IO

import psycopg

from tests import venvs
from tests.bench.sync.bare import Job
from tests.bench.sync.dataset import Shape, numbers_of
from tests.bench.sync.measure import Spent, measured
from tests.bench.sync.rig import Platform

# The last one whose program is on PyPI; later packages fetch theirs from elsewhere when they are run.
PACKAGE = "ingestr==0.14.155"
_SCRIPT = Path(__file__).with_name("with_ingestr.py")
_SCHEMA = "ingestr"
_QUIET = {"INGESTR_DISABLE_TELEMETRY": "1", "RUNTIME__DLTHUB_TELEMETRY": "false", "TZ": "UTC"}


@dataclass(frozen=True)
class Source:
    """What it reads: where its code keeps the platform's address, and how it is asked for the last days of the ads."""

    address: tuple[str, str, str]
    uri: str
    table: str
    days: int


def rounds(platform: Platform, job: Job, source: Source) -> Iterator[tuple[str, Spent]]:
    """Everything cold, and again when every row has changed. It begins with a day that is not measured, in which it
    loads what is loaded once in a process's life. It has no rows of an account's total, so it reads ads only.
    """
    python, shape = venvs.python_with(PACKAGE, venvs.ROOT / ".adloom" / "bench" / "ingestr"), platform.shape
    since = shape.until - timedelta(source.days - 1)
    every, first = (since, shape.until), (since, since)
    asked = {
        "address": source.address,
        "arguments": _arguments(job, source),
        "questions": [_question("warm", first), _question("ads", every), _question("ads", every)],
    }
    _empty(job.database_url)
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [python, "-P", _SCRIPT, json.dumps(asked)],
            env={**os.environ, **_QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        _wait(process, log)
        platform.serve(1)
        _answered(process, log)
        for name, version in (("ingestr", 1), ("ingestr_changed", 2)):
            platform.serve(version)
            with measured(shape.ads * source.days, pid=process.pid, postgres_pid=job.postgres_pid) as spent:
                _answered(process, log)
            _check(job.database_url, replace(shape, version=version), source.days)
            yield name, spent


def _arguments(job: Job, source: Source) -> list[str]:
    return [
        *("ingest", "--yes", "--progress", "log", "--source-uri", source.uri),
        *("--dest-uri", job.database_url, "--source-table", source.table),
    ]


def _question(table: str, days: tuple[date, date]) -> list[str]:
    since, until = map(date.isoformat, days)
    return ["--dest-table", f"{_SCHEMA}.{table}", "--interval-start", since, "--interval-end", until]


def _answered(process: subprocess.Popen[str], log: IO[str]) -> None:
    if process.stdin:
        process.stdin.write("\n")
        process.stdin.flush()
    _wait(process, log)


def _wait(process: subprocess.Popen[str], log: IO[str]) -> None:
    if not process.stdout or not process.stdout.readline():
        log.seek(0)
        raise RuntimeError(f"{PACKAGE} ended:\n{log.read()[-4000:]}")


def _empty(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for schema in (_SCHEMA, f"{_SCHEMA}_staging"):
            connection.execute(f"drop schema if exists {schema} cascade".encode())
        connection.execute("checkpoint")


def _check(database_url: str, shape: Shape, days: int) -> None:
    """It has every row, with the numbers that were served."""
    numbers = [of_ad for index in range(shape.days - days, shape.days) for of_ad in numbers_of(shape, index)["ad"]]
    expected = (len(numbers), sum(one[0] for one in numbers), sum(one[1] for one in numbers))
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            f"select count(*), sum(impressions)::bigint, sum(clicks)::bigint from {_SCHEMA}.ads".encode()
        ).fetchone()
    if found != expected:
        raise RuntimeError(f"{PACKAGE} stored {found} instead of {expected}")
