"""What bounds a sync of any platform: reading alone, loading alone, and both at once, each in a process of its own.

A platform says how its pages are fetched and how they look as COPY text.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from tests.bench.sync import load
from tests.bench.sync.dataset import Shape
from tests.bench.sync.measure import Spent, measured

DAYS_OF_A_TRANSACTION = 5
# Pages that wait between fetching and loading; enough to fetch on while a transaction ends.
_PAGES_AHEAD = 8


@dataclass(frozen=True)
class Job:
    """Which peer, against which servers. `target` is the table or view that a loading peer writes, `endpoint` where
    there is gRPC.
    """

    peer: str
    url: str
    shape: dict[str, Any]
    database_url: str
    postgres_pid: int
    target: str = load.BARE
    endpoint: str = ""

    @property
    def size(self) -> Shape:
        return Shape(**self.shape)

    def windows(self) -> list[tuple[date, date]]:
        """The days in pieces of a transaction, oldest first."""
        size, step = self.size, timedelta(DAYS_OF_A_TRANSACTION)
        starts = [size.since + step * index for index in range(-(-size.days // DAYS_OF_A_TRANSACTION))]
        return [(start, min(start + step - timedelta(1), size.until)) for start in starts]


# The rows of a level, in whatever form `Lines` takes them.
Page = tuple[str, list[Any]]
Fetch = Callable[[date, date], Iterator[Page]]
Lines = Callable[[str, list[Any]], bytes]
Peer = Callable[[Job], Spent]


def fetch_alone(make: Callable[[Job], Fetch]) -> Peer:
    """Every page is parsed and thrown away."""

    def run(job: Job) -> Spent:
        fetch, rows = make(job), 0
        with measured_here(job) as spent:
            for days in job.windows():
                for _, page in fetch(*days):
                    rows += len(page)
        return checked(job, spent, rows)

    return run


def imports(make: Callable[[Job], Fetch]) -> Peer:
    """What the libraries take when they are imported and connected, before the first row."""

    def run(job: Job) -> Spent:
        fetch, before = make(job), job.size.since.replace(year=job.size.since.year - 10)
        with measured_here(job) as spent:
            if any(page for _, page in fetch(before, before)):
                raise RuntimeError("There is a row before the first day")
        return spent

    return run


def load_alone(make: Callable[[Job], Fetch], lines: Lines, *, staged: bool = True) -> Peer:
    """Everything is fetched and written as COPY text before the clock starts."""

    def run(job: Job) -> Spent:
        fetch = make(job)
        ready = [[lines(level, page) for level, page in fetch(*days)] for days in job.windows()]
        if not staged:
            ready = [[load.with_constants(page) for page in window] for window in ready]
        loader = load.Loader(job.database_url, job.target, staged=staged)
        with measured_here(job) as spent:
            for window in ready:
                with loader:
                    for page in window:
                        loader.copy(page)
        loader.close()
        spent.peak_mb = 0.0  # it holds all rows at once, which says nothing
        return checked(job, spent, sum(page.count(b"\n") for window in ready for page in window))

    return run


def pipeline(make: Callable[[Job], Fetch], lines: Lines) -> Peer:
    """Fetch and parse in one thread while a second connection loads."""

    def run(job: Job) -> Spent:
        fetch, rows = make(job), 0
        loader = load.Loader(job.database_url, job.target)
        pages: queue.Queue[bytes | None] = queue.Queue(_PAGES_AHEAD)

        def fetch_all() -> None:
            for days in job.windows():
                for level, page in fetch(*days):
                    pages.put(lines(level, page))
                pages.put(None)

        with measured_here(job) as spent:
            fetching = threading.Thread(target=fetch_all, daemon=True)
            fetching.start()
            for _ in job.windows():
                with loader:
                    while (page := pages.get()) is not None:
                        loader.copy(page)
                        rows += page.count(b"\n")
            fetching.join()
        loader.close()
        return checked(job, spent, rows)

    return run


def measured_here(job: Job) -> AbstractContextManager[Spent]:
    return measured(job.size.rows, pid=os.getpid(), postgres_pid=job.postgres_pid)


def checked(job: Job, spent: Spent, rows: int) -> Spent:
    if rows != job.size.rows:
        raise RuntimeError(f"{job.peer} read {rows} rows of {job.size.rows}")
    return spent


def main(peers: Mapping[str, Peer]) -> None:
    """Run the peer of the job that the command line describes as JSON, and print what it took."""
    job = Job(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(peers[job.peer](job))))
