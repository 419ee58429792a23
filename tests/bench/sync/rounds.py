"""Everyone against everyone, several times, in turns: what disturbs the machine disturbs all alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bench import foreign
from tests.bench.sync import load
from tests.bench.sync.bare import Job
from tests.bench.sync.dataset import ACCOUNT_ID
from tests.bench.sync.function import EVENING, Function, Tenant, running
from tests.bench.sync.measure import Spent, neighbours
from tests.bench.sync.peers import FIELDS
from tests.bench.sync.report import FOREIGN_DAYS, Results
from tests.bench.sync.rig import Platform, run_peer
from tests.conftest import Postgres

_PEERS = "tests.bench.sync.peers"
_FETCHERS = ("httpx", "sdk_calls", "sdk_cursor")


@dataclass(frozen=True)
class Arena(ABC):
    """Where the rounds take place."""

    postgres: Postgres
    postgres_pid: int
    tenant: Tenant
    platform: Platform
    folder: Path

    def run(self, rounds: int) -> Results:
        results = Results()
        with neighbours(self.postgres_pid) as others:
            for _ in range(rounds):
                for contestant, spent in (*self.peers(), *self.sync()):
                    results.add(contestant, spent)
        results.others = others.share
        return results

    @abstractmethod
    def peers(self) -> Iterator[tuple[str, Spent]]:
        """What the sync is measured against."""

    @abstractmethod
    def peer(self, name: str) -> Spent:
        """One peer in a new process."""

    def cold_and_changed(self, *peers: str) -> Iterator[tuple[str, Spent]]:
        """What loads: into an empty table, then the same rows with other numbers."""
        for name in peers:
            load.empty(self.postgres.admin_url, load.BARE)
            self.platform.serve(1)
            yield name, self.peer(name)
            self.platform.serve(2)
            yield f"{name}_changed", self.peer(name)

    def job(self, peer: str, target: str = load.BARE) -> Job:
        """What a peer is told."""
        url = self.postgres.url(self.tenant.function) if target == load.VIEW else self.postgres.admin_url
        return Job(peer, self.platform.url, self.platform.shape.arguments(), url, self.postgres_pid, target)

    def sync(self) -> Iterator[tuple[str, Spent]]:
        with running(self.postgres, self.tenant, self.platform, self.folder) as function:
            self.platform.serve(1)
            warm_up(function)
            rows = self.platform.shape.rows
            yield "sync", self.measured(function, inserted=rows)
            yield "sync_unchanged", self.measured(function)
            self.platform.serve(2)
            yield "sync_changed", self.measured(function, updated=rows)
            self.platform.serve(1)
            function.at(EVENING + timedelta(days=1))
            yield "sync_restated", self.measured(function, updated=rows, restated=rows)

    def peak_mb(self) -> float:
        """The most memory that the function held in a first sync of everything, in a process of its own."""
        with running(self.postgres, self.tenant, self.platform, self.folder) as function:
            warm_up(function)
            return self.measured(function, inserted=self.platform.shape.rows).peak_mb

    def measured(self, function: Function, *, inserted: int = 0, updated: int = 0, restated: int = 0) -> Spent:
        """A sync that did what it should: a fast one that lost something would be no sync."""
        spent, did = function.measured_sync(self.postgres_pid)
        expected = (inserted, updated, 0, restated)
        found = (did.inserted, did.updated, did.deleted, did.restated)
        if found != expected:
            raise RuntimeError(f"It inserted, updated, deleted, restated {found} instead of {expected}")
        if differences := function.differences():
            raise RuntimeError(f"{len(differences)} numbers are not the platform's, among them {differences[0]}")
        return spent


class MetaArena(Arena):
    def peers(self) -> Iterator[tuple[str, Spent]]:
        self.platform.serve(1)
        for fetcher in _FETCHERS:
            yield fetcher, self.peer(fetcher)
        load.empty(self.postgres.admin_url, load.BARE)
        yield "copy", self.peer("copy")
        for name, peer, target in (
            ("upsert", "upsert", load.BARE),
            ("upsert_view", "upsert", load.VIEW),
            ("pipeline", "pipeline", load.BARE),
        ):
            load.empty(self.postgres.admin_url, load.BARE)
            load.empty(self.postgres.admin_url, "metrics")
            self.platform.serve(1)
            yield name, run_peer(_PEERS, self.job(peer, target))
            self.platform.serve(2)
            yield f"{name}_changed", run_peer(_PEERS, self.job(peer, target))
        yield from foreign.rounds(self.platform, self.job("ingestr"), self.source())

    def peer(self, name: str) -> Spent:
        return run_peer(_PEERS, self.job(name))

    def source(self) -> foreign.Source:
        return foreign.Source(
            ("facebook_business.session", "FacebookSession.GRAPH", self.platform.url),
            f"facebookads://?access_token=token&account_id={ACCOUNT_ID}",
            f"facebook_insights:ad:{','.join(FIELDS)}",
            min(FOREIGN_DAYS, self.platform.shape.days),
        )


def warm_up(function: Function) -> None:
    """A first sync of one day loads what is loaded once in a process's life; then the account is new again."""
    function.forget_everything()
    function.sync(days=1)
    function.forget_everything()
