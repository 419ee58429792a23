"""Starts what a round needs: the platform's process, a peer's process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from tests.bench.sync.bare import Job
from tests.bench.sync.dataset import Shape
from tests.bench.sync.measure import Spent

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = (1, 2)


@dataclass(frozen=True)
class Platform:
    """A running platform. `settings` are what the function must know to reach it."""

    url: str
    shape: Shape
    settings: Mapping[str, str]

    def serve(self, version: int) -> None:
        httpx.get(f"{self.url}/_/version", params={"served": version}).raise_for_status()


@contextmanager
def started(module: str, folder: Path, shape: Shape, versions: tuple[int, ...] = VERSIONS) -> Iterator[list[str]]:
    """A server that serialises every row, then serves until the block ends; the ports that it names."""
    arguments = [str(folder), json.dumps(shape.arguments()), json.dumps(versions)]
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        if process.stdout is None or not (ports := process.stdout.readline().split()):
            raise RuntimeError(f"{module} did not start")
        yield ports


def run_peer(module: str, job: Job, settings: Mapping[str, str] | None = None) -> Spent:
    """One peer in a new process, with settings of its own."""
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(asdict(job))],
        cwd=ROOT,
        env={**os.environ, **(settings or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Spent(**json.loads(done.stdout))
