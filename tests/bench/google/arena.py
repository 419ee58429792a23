"""Where the rounds take place: the platform's process, the peers' and the function's, in turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from infra.sandbox.google import tls
from tests.bench.google.peers import Job
from tests.bench.sync import load
from tests.bench.sync.dataset import Shape
from tests.bench.sync.function import EVENING, Function, Tenant, running
from tests.bench.sync.measure import Spent, neighbours
from tests.bench.sync.report import Results
from tests.bench.sync.rig import ROOT
from tests.bench.sync.rounds import warm_up
from tests.conftest import Postgres

VERSIONS = (1, 2)


@dataclass(frozen=True)
class Google:
    """The running platform."""

    url: str
    port: int
    folder: Path
    shape: Shape

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "ADLOOM_GOOGLE_ADS_CLIENT_ID": "1",
            "ADLOOM_GOOGLE_ADS_CLIENT_SECRET": "secret",
            # What a benchmark asks for is no quota's affair.
            "ADLOOM_GOOGLE_ADS_TIER": "standard",
            "ADLOOM_SANDBOX_URL": self.url.replace("127.0.0.1", "localhost"),
            "ADLOOM_SANDBOX_GOOGLE_PORT": str(self.port),
        }

    def serve(self, version: int) -> None:
        httpx.get(f"{self.url}/_/version", params={"served": version}).raise_for_status()


@contextmanager
def google(folder: Path, shape: Shape, versions: tuple[int, ...] = VERSIONS) -> Iterator[Google]:
    """Serialises every row, then serves until the block ends."""
    arguments = [str(folder), json.dumps(shape.arguments()), json.dumps(versions)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.google.server", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        ports = process.stdout.readline().split() if process.stdout else []
        if len(ports) != 2:
            raise RuntimeError("The benchmark's Google did not start")
        yield Google(f"http://127.0.0.1:{ports[0]}", int(ports[1]), folder, shape)


@dataclass(frozen=True)
class Arena:
    """Everything that a round needs."""

    postgres: Postgres
    postgres_pid: int
    tenant: Tenant
    google: Google
    folder: Path

    def run(self, rounds: int) -> Results:
        results = Results()
        with neighbours(self.postgres_pid) as others:
            for _ in range(rounds):
                for contestant, spent in (*self._peers(), *self._sync()):
                    results.add(contestant, spent)
        results.others = others.share
        return results

    def peer(self, name: str) -> Spent:
        """One peer in a new process."""
        job = Job(
            name, self.google.url, f"localhost:{self.google.port}", self.google.shape.arguments(),
            self.postgres.admin_url, self.postgres_pid,
        )  # fmt: skip
        trusted = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self.google.folder / tls.CA_FILE)}
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.google.peers", json.dumps(asdict(job))],
            cwd=ROOT,
            env={**os.environ, **trusted},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return Spent(**json.loads(done.stdout))

    def _peers(self) -> Iterator[tuple[str, Spent]]:
        self.google.serve(1)
        for name in ("sdk", "sdk_plus"):
            yield name, self.peer(name)
        for name in ("upsert", "pipeline"):
            load.empty(self.postgres.admin_url, load.BARE)
            self.google.serve(1)
            yield name, self.peer(name)
            self.google.serve(2)
            yield f"{name}_changed", self.peer(name)

    def _sync(self) -> Iterator[tuple[str, Spent]]:
        with running(self.postgres, self.tenant, self.google, self.folder) as function:
            self.google.serve(1)
            warm_up(function)
            rows = self.google.shape.rows
            yield "sync", self.measured(function, inserted=rows)
            yield "sync_unchanged", self.measured(function)
            self.google.serve(2)
            yield "sync_changed", self.measured(function, updated=rows)
            self.google.serve(1)
            function.at(EVENING + timedelta(days=1))
            yield "sync_restated", self.measured(function, updated=rows, restated=rows)

    def measured(self, function: Function, *, inserted: int = 0, updated: int = 0, restated: int = 0) -> Spent:
        """A sync that did what it should: a fast one that lost something would be no sync."""
        spent, did = function.measured_sync(self.postgres_pid)
        found = (did.inserted, did.updated, did.deleted, did.restated)
        if found != (inserted, updated, 0, restated):
            raise RuntimeError(f"It inserted, updated, deleted, restated {found}")
        if differences := function.differences():
            raise RuntimeError(f"{len(differences)} numbers are not the platform's, among them {differences[0]}")
        return spent
