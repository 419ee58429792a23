"""What the sync is measured against, each in a process of its own.

`python -m tests.bench.sync.peers <job as JSON>` prints what it took as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.bench.sync import bare, load
from tests.bench.sync.bare import Fetch, Job, Page, Peer
from tests.bench.sync.dataset import ACCOUNT_ID, LEVELS

PAGE_LIMIT = 1000
FIELDS = (
    *("account_id", "campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name", "impressions"),
    *("clicks", "spend", "reach", "actions", "action_values"),
)


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
    url = f"{job.url}/v26.0/act_{ACCOUNT_ID}/insights"

    def fetch(since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            asked = _params(level, since, until)
            asked |= {"time_range": json.dumps(asked["time_range"]), "fields": ",".join(FIELDS)}
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
    session.GRAPH = job.url
    return FacebookAdsApi(session)


def _with_sdk_calls(job: Job) -> Fetch:
    """Pages by the SDK's `call`, its dictionaries as they are."""
    api = _sdk_api(job)

    def fetch(since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            asked = {**_params(level, since, until), "fields": ",".join(FIELDS)}
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

    def fetch(since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            for row in account.get_insights(fields=list(FIELDS), params=_params(level, since, until)):
                yield level, [row]

    return fetch


PEERS: dict[str, Peer] = {
    "httpx": bare.fetch_alone(_with_httpx),
    "sdk_calls": bare.fetch_alone(_with_sdk_calls),
    "sdk_cursor": bare.fetch_alone(_with_sdk_cursor),
    "copy": bare.load_alone(_with_httpx, load.lines, staged=False),
    "upsert": bare.load_alone(_with_httpx, load.lines),
    "pipeline": bare.pipeline(_with_httpx, load.lines),
}

if __name__ == "__main__":
    bare.main(PEERS)
