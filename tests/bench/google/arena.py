"""Where the rounds take place: the platform's process, the peers' and the function's, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from infra.sandbox.google import tls
from tests.bench.sync import load
from tests.bench.sync.bare import Job
from tests.bench.sync.dataset import Shape
from tests.bench.sync.measure import Spent
from tests.bench.sync.rig import VERSIONS, Platform, run_peer, started
from tests.bench.sync.rounds import Arena

_PEERS = "tests.bench.google.peers"


@dataclass(frozen=True)
class Google(Platform):
    """The running platform; `endpoint` is that of gRPC, `folder` has the certificate to trust."""

    endpoint: str
    folder: Path


@contextmanager
def google(folder: Path, shape: Shape, versions: tuple[int, ...] = VERSIONS) -> Iterator[Google]:
    """Serialises every row, then serves until the block ends."""
    with started("tests.bench.google.server", folder, shape, versions) as (front, grpc):
        settings = {
            "ADLOOM_GOOGLE_ADS_CLIENT_ID": "1",
            "ADLOOM_GOOGLE_ADS_CLIENT_SECRET": "secret",
            # What a benchmark asks for is no quota's affair.
            "ADLOOM_GOOGLE_ADS_TIER": "standard",
            "ADLOOM_SANDBOX_URL": f"http://localhost:{front}",
            "ADLOOM_SANDBOX_GOOGLE_PORT": str(grpc),
        }
        yield Google(f"http://127.0.0.1:{front}", shape, settings, f"localhost:{grpc}", folder)


@dataclass(frozen=True)
class GoogleArena(Arena):
    """Everything that a round needs."""

    platform: Google

    def peers(self) -> Iterator[tuple[str, Spent]]:
        self.platform.serve(1)
        for name in ("sdk", "sdk_plus"):
            yield name, self.peer(name)
        yield from self.cold_and_changed("upsert", "pipeline")

    def job(self, peer: str, target: str = load.BARE) -> Job:
        return replace(super().job(peer, target), endpoint=self.platform.endpoint)

    def peer(self, name: str) -> Spent:
        trusted = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self.platform.folder / tls.CA_FILE)}
        return run_peer(_PEERS, self.job(name), trusted)
