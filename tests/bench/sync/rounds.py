"""Everyone against everyone, several times, in turns: what disturbs the machine disturbs all alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bench.sync import load
from tests.bench.sync.function import EVENING, Function, Tenant, running
from tests.bench.sync.measure import Spent, neighbours
from tests.bench.sync.peers import Job
from tests.bench.sync.report import Results
from tests.bench.sync.rig import Graph, run_peer
from tests.conftest import Postgres

_FETCHERS = ("httpx", "sdk_calls", "sdk_cursor")


@dataclass(frozen=True)
class Arena:
    """Where the rounds take place."""

    postgres: Postgres
    postgres_pid: int
    tenant: Tenant
    graph: Graph
    folder: Path

    def run(self, rounds: int) -> Results:
        results = Results()
        with neighbours(self.postgres_pid) as others:
            for _ in range(rounds):
                for contestant, spent in (*self._peers(), *self._sync()):
                    results.add(contestant, spent)
        results.others = others.share
        return results

    def _peers(self) -> Iterator[tuple[str, Spent]]:
        self.graph.serve(1)
        for fetcher in _FETCHERS:
            yield fetcher, self._peer(fetcher)
        load.empty(self.postgres.admin_url, load.BARE)
        yield "copy", self._peer("copy")
        for name, peer, target in (
            ("upsert", "upsert", load.BARE),
            ("upsert_view", "upsert", load.VIEW),
            ("pipeline", "pipeline", load.BARE),
        ):
            load.empty(self.postgres.admin_url, load.BARE)
            load.empty(self.postgres.admin_url, "metrics")
            self.graph.serve(1)
            yield name, self._peer(peer, target)
            self.graph.serve(2)
            yield f"{name}_changed", self._peer(peer, target)

    def _peer(self, peer: str, target: str = load.BARE) -> Spent:
        url = self.postgres.url("sync-meta") if target == load.VIEW else self.postgres.admin_url
        arguments = self.graph.shape.arguments()
        return run_peer(Job(peer, self.graph.url, arguments, url, self.postgres_pid, target))

    def _sync(self) -> Iterator[tuple[str, Spent]]:
        with running(self.postgres, self.tenant, self.graph, self.folder) as function:
            self.graph.serve(1)
            warm_up(function)
            rows = self.graph.shape.rows
            yield "sync", self._measured(function, inserted=rows)
            yield "sync_unchanged", self._measured(function)
            self.graph.serve(2)
            yield "sync_changed", self._measured(function, updated=rows)
            self.graph.serve(1)
            function.at(EVENING + timedelta(days=1))
            yield "sync_restated", self._measured(function, updated=rows, restated=rows)

    def _measured(self, function: Function, *, inserted: int = 0, updated: int = 0, restated: int = 0) -> Spent:
        """A sync that did what it should: a fast one that lost something would be no sync."""
        spent, did = function.measured_sync(self.postgres_pid)
        expected = (inserted, updated, 0, restated)
        found = (did.inserted, did.updated, did.deleted, did.restated)
        if found != expected:
            raise RuntimeError(f"It inserted, updated, deleted, restated {found} instead of {expected}")
        if differences := function.differences():
            raise RuntimeError(f"{len(differences)} numbers are not the platform's, among them {differences[0]}")
        return spent


def warm_up(function: Function) -> None:
    """A first sync of one day loads what is loaded once in a process's life; then the account is new again."""
    function.forget_everything()
    function.sync(days=1)
    function.forget_everything()
