"""What the sync of Google is measured against, each in a process of its own.

`python -m tests.bench.google.peers <job as JSON>` prints what it took as JSON.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from adloom.platforms.google import queries
from adloom.platforms.google.client import VERSION
from adloom.platforms.model import Days, Level
from tests.bench.google.rows import RESOURCES
from tests.bench.sync import load
from tests.bench.sync.dataset import ACCOUNT_ID, Shape
from tests.bench.sync.measure import Spent, measured

DAYS_OF_A_TRANSACTION = 5
# Batches that wait between fetching and loading.
_BATCHES_AHEAD = 4
_LEVELS: dict[str, Level] = {"customer": "account", "campaign": "campaign", "ad_group": "ad_group", "ad_group_ad": "ad"}


@dataclass(frozen=True)
class Job:
    """Which peer, against which servers."""

    peer: str
    url: str
    endpoint: str
    shape: dict[str, Any]
    database_url: str
    postgres_pid: int

    @property
    def size(self) -> Shape:
        return Shape(**self.shape)

    def windows(self) -> list[tuple[date, date]]:
        """The days in pieces of a transaction, oldest first."""
        size, step = self.size, timedelta(DAYS_OF_A_TRANSACTION)
        starts = [size.since + step * index for index in range(-(-size.days // DAYS_OF_A_TRANSACTION))]
        return [(start, min(start + step - timedelta(1), size.until)) for start in starts]


Batch = tuple[str, Any]
Fetch = Callable[[date, date], Iterator[Batch]]


def _sdk(job: Job, *, is_plus: bool) -> Fetch:
    """Batches of the SDK's stream: its comfortable rows, or the messages below."""
    from google.ads.googleads.client import GoogleAdsClient
    from google.oauth2.credentials import Credentials

    credentials = Credentials(  # type: ignore[no-untyped-call]
        None, refresh_token="1//bench", client_id="1", client_secret="secret", token_uri=f"{job.url}/token"
    )
    client = GoogleAdsClient(
        credentials, login_customer_id=ACCOUNT_ID, endpoint=job.endpoint, use_proto_plus=is_plus, version=VERSION
    )
    service = client.get_service("GoogleAdsService")

    def fetch(since: date, until: date) -> Iterator[Batch]:
        for resource in RESOURCES:
            query = queries.facts(resource, Days(since, until))
            stream = service.search_stream(customer_id=ACCOUNT_ID, query=query, timeout=60)
            for batch in stream:
                yield resource, batch.results

    return fetch


def lines(resource: str, rows: Iterable[Any]) -> bytes:
    """COPY text of a batch."""
    return b"".join([_line(resource, row) for row in rows])


def _id(resource: str, row: Any) -> int:
    node = row.ad_group_ad.ad if resource == "ad_group_ad" else getattr(row, resource)
    return int(node.id)


def _line(resource: str, row: Any) -> bytes:
    metrics = row.metrics
    raw = orjson.dumps(
        {"all_conversions": metrics.all_conversions, "all_conversions_value": metrics.all_conversions_value}
    )
    micros = metrics.cost_micros
    return (
        f"{_LEVELS[resource]}\t{_id(resource, row)}\t{row.segments.date}\t{metrics.impressions}\t{metrics.clicks}\t"
        f"{micros // 1_000_000}.{micros % 1_000_000:06}\t{metrics.conversions!r}\t{metrics.conversions_value!r}\t"
        f"{metrics.video_trueview_views}\t\\N\t"
    ).encode() + raw + b"\n"  # fmt: skip


def _fetch_alone(*, is_plus: bool) -> Callable[[Job], Spent]:
    """Every number of every row is read and thrown away."""

    def run(job: Job) -> Spent:
        fetch, rows = _sdk(job, is_plus=is_plus), 0
        with _measured(job) as spent:
            for since, until in job.windows():
                for resource, batch in fetch(since, until):
                    rows += len([_line(resource, row) for row in batch])
        return _checked(job, spent, rows)

    return run


def _upsert(job: Job) -> Spent:
    """Everything is fetched and written as COPY text before the clock starts."""
    fetch = _sdk(job, is_plus=False)
    ready = [[lines(*batch) for batch in fetch(*days)] for days in job.windows()]
    loader = load.Loader(job.database_url, load.BARE)
    with _measured(job) as spent:
        for window in ready:
            with loader:
                for page in window:
                    loader.copy(page)
    loader.close()
    spent.peak_mb = 0.0  # it holds all rows at once, which says nothing
    return _checked(job, spent, sum(page.count(b"\n") for window in ready for page in window))


def _pipeline(job: Job) -> Spent:
    """Fetch and parse in one thread while a second connection loads."""
    fetch, rows = _sdk(job, is_plus=False), 0
    loader = load.Loader(job.database_url, load.BARE)
    pages: queue.Queue[bytes | None] = queue.Queue(_BATCHES_AHEAD)

    def fetch_all() -> None:
        for days in job.windows():
            for resource, batch in fetch(*days):
                pages.put(lines(resource, batch))
            pages.put(None)

    with _measured(job) as spent:
        fetching = threading.Thread(target=fetch_all, daemon=True)
        fetching.start()
        for _ in job.windows():
            with loader:
                while (page := pages.get()) is not None:
                    loader.copy(page)
                    rows += page.count(b"\n")
        fetching.join()
    loader.close()
    return _checked(job, spent, rows)


def _imports(job: Job) -> Spent:
    """What the SDK takes when it is imported and connected, before the first row."""
    fetch = _sdk(job, is_plus=False)
    size = job.size
    with _measured(job) as spent:
        before = size.since - timedelta(1)
        for _ in fetch(before, before):
            raise RuntimeError("There is a row before the first day")
    return spent


def _measured(job: Job) -> AbstractContextManager[Spent]:
    return measured(job.size.rows, pid=os.getpid(), postgres_pid=job.postgres_pid)


def _checked(job: Job, spent: Spent, rows: int) -> Spent:
    if rows != job.size.rows:
        raise RuntimeError(f"{job.peer} read {rows} rows of {job.size.rows}")
    return spent


PEERS: dict[str, Callable[[Job], Spent]] = {
    "imports": _imports,
    "sdk": _fetch_alone(is_plus=False),
    "sdk_plus": _fetch_alone(is_plus=True),
    "upsert": _upsert,
    "pipeline": _pipeline,
}

if __name__ == "__main__":
    todo = Job(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(PEERS[todo.peer](todo))))
