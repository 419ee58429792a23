"""Starts what a round needs: the Graph API's process, a peer's process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from tests.bench.sync.dataset import Shape
from tests.bench.sync.graph import VERSIONS
from tests.bench.sync.measure import Spent
from tests.bench.sync.peers import Job

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Graph:
    """The running Graph API."""

    url: str
    shape: Shape

    @property
    def settings(self) -> Mapping[str, str]:
        return {"ADLOOM_META_APP_ID": "1", "ADLOOM_META_APP_SECRET": "secret", "ADLOOM_META_GRAPH_URL": self.url}

    def serve(self, version: int) -> None:
        httpx.get(f"{self.url}/_/version", params={"served": version}).raise_for_status()


@contextmanager
def graph(folder: Path, shape: Shape, versions: tuple[int, ...] = VERSIONS) -> Iterator[Graph]:
    """Serialises every row, then serves until the block ends."""
    arguments = [str(folder), json.dumps(shape.arguments()), json.dumps(versions)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sync.graph", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        if process.stdout is None or not (port := process.stdout.readline().strip()):
            raise RuntimeError("The Graph API of the benchmark did not start")
        yield Graph(f"http://127.0.0.1:{port}", shape)


def run_peer(job: Job) -> Spent:
    """One peer in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.sync.peers", json.dumps(asdict(job))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Spent(**json.loads(done.stdout))
