"""What the sync is measured against, each in a process of its own.

`python -m tests.bench.sync.peers <job as JSON>` prints what it took as JSON.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from tests.bench.sync import load
from tests.bench.sync.dataset import ACCOUNT_ID, LEVELS, Shape
from tests.bench.sync.measure import Spent, measured

PAGE_LIMIT = 1000
DAYS_OF_A_TRANSACTION = 5
# Pages that wait between fetching and loading; enough to fetch on while a transaction ends.
_PAGES_AHEAD = 8
_FIELDS = (
    *("account_id", "campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name", "impressions"),
    *("clicks", "spend", "reach", "actions", "action_values"),
)


@dataclass(frozen=True)
class Job:
    """Which peer, against which servers. `target` is the table or view that a loading peer writes."""

    peer: str
    graph_url: str
    shape: dict[str, Any]
    database_url: str
    postgres_pid: int
    target: str = load.BARE

    @property
    def size(self) -> Shape:
        return Shape(**self.shape)

    def windows(self) -> list[tuple[date, date]]:
        """The days in pieces of a transaction, oldest first."""
        size, step = self.size, timedelta(DAYS_OF_A_TRANSACTION)
        starts = [size.since + step * index for index in range(-(-size.days // DAYS_OF_A_TRANSACTION))]
        return [(start, min(start + step - timedelta(1), size.until)) for start in starts]


Page = tuple[str, list[dict[str, Any]]]
Fetch = Callable[[Job, date, date], Iterator[Page]]


def _params(level: str, since: date, until: date) -> dict[str, Any]:
    return {
        "level": level,
        "time_increment": "1",
        "time_range": {"since": since.isoformat(), "until": until.isoformat()},
        "limit": PAGE_LIMIT,
    }


def _with_httpx(job: Job) -> Fetch:
    """The fastest that these libraries do."""
    import gc

    import httpx
    import orjson

    # The collector would look through every page's dictionaries again and again. Once in a window is enough.
    gc.freeze()
    gc.disable()
    client = httpx.Client(timeout=30)
    url = f"{job.graph_url}/v26.0/act_{ACCOUNT_ID}/insights"

    def fetch(_job: Job, since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            asked = _params(level, since, until)
            asked |= {"time_range": json.dumps(asked["time_range"]), "fields": ",".join(_FIELDS)}
            while True:
                page = orjson.loads(client.get(url, params=asked).content)
                yield level, page["data"]
                if "next" not in page.get("paging", ()):
                    break
                asked["after"] = page["paging"]["cursors"]["after"]
        gc.collect()

    return fetch


def _sdk_api(job: Job) -> Any:
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

    session = FacebookSession("1", "secret", "token", timeout=30)
    session.GRAPH = job.graph_url
    return FacebookAdsApi(session)


def _with_sdk_calls(job: Job) -> Fetch:
    """Pages by the SDK's `call`, its dictionaries as they are."""
    api = _sdk_api(job)

    def fetch(_job: Job, since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            asked = {**_params(level, since, until), "fields": ",".join(_FIELDS)}
            while True:
                page = api.call("GET", (f"act_{ACCOUNT_ID}", "insights"), params=asked).json()
                yield level, page["data"]
                if "next" not in page.get("paging", ()):
                    break
                asked["after"] = page["paging"]["cursors"]["after"]

    return fetch


def _with_sdk_cursor(job: Job) -> Fetch:
    """What the SDK's documentation shows: a cursor of AdsInsights objects."""
    from facebook_business.adobjects.adaccount import AdAccount

    account = AdAccount(f"act_{ACCOUNT_ID}", api=_sdk_api(job))

    def fetch(_job: Job, since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            for row in account.get_insights(fields=list(_FIELDS), params=_params(level, since, until)):
                yield level, [row]

    return fetch


def _fetch_alone(make: Callable[[Job], Fetch]) -> Callable[[Job], Spent]:
    def run(job: Job) -> Spent:
        fetch, rows = make(job), 0
        with _measured(job) as spent:
            for since, until in job.windows():
                for _, page in fetch(job, since, until):
                    rows += len(page)
        return _checked(job, spent, rows)

    return run


def _load_alone(*, staged: bool) -> Callable[[Job], Spent]:
    """Everything is fetched and written as COPY text before the clock starts."""

    def run(job: Job) -> Spent:
        fetch = _with_httpx(job)
        ready = [[load.lines(level, page) for level, page in fetch(job, *days)] for days in job.windows()]
        if not staged:
            ready = [[load.with_constants(page) for page in window] for window in ready]
        loader = load.Loader(job.database_url, job.target, staged=staged)
        with _measured(job) as spent:
            for window in ready:
                with loader:
                    for page in window:
                        loader.copy(page)
        loader.close()
        spent.peak_mb = 0.0  # it holds all rows at once, which says nothing
        return _checked(job, spent, sum(page.count(b"\n") for window in ready for page in window))

    return run


def _pipeline(job: Job) -> Spent:
    """Fetch and parse in one thread while a second connection loads."""
    fetch, rows = _with_httpx(job), 0
    loader = load.Loader(job.database_url, job.target)
    pages: queue.Queue[bytes | None] = queue.Queue(_PAGES_AHEAD)

    def fetch_all() -> None:
        for days in job.windows():
            for level, page in fetch(job, *days):
                pages.put(load.lines(level, page))
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


def _measured(job: Job) -> Any:
    return measured(job.size.rows, pid=os.getpid(), postgres_pid=job.postgres_pid)


def _checked(job: Job, spent: Spent, rows: int) -> Spent:
    if rows != job.size.rows:
        raise RuntimeError(f"{job.peer} read {rows} rows of {job.size.rows}")
    return spent


PEERS: dict[str, Callable[[Job], Spent]] = {
    "httpx": _fetch_alone(_with_httpx),
    "sdk_calls": _fetch_alone(_with_sdk_calls),
    "sdk_cursor": _fetch_alone(_with_sdk_cursor),
    "copy": _load_alone(staged=False),
    "upsert": _load_alone(staged=True),
    "pipeline": _pipeline,
}

if __name__ == "__main__":
    todo = Job(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(PEERS[todo.peer](todo))))
