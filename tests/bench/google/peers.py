"""What the sync of Google is measured against, each in a process of its own.

`python -m tests.bench.google.peers <job as JSON>` prints what it took as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import orjson

from adloom.platforms.google import queries
from adloom.platforms.google.client import VERSION
from adloom.platforms.model import Days, Level
from tests.bench.google.rows import RESOURCES
from tests.bench.sync import bare
from tests.bench.sync.bare import Fetch, Job, Page, Peer
from tests.bench.sync.dataset import ACCOUNT_ID

_LEVELS: dict[str, Level] = {"customer": "account", "campaign": "campaign", "ad_group": "ad_group", "ad_group_ad": "ad"}


def _sdk(job: Job, *, is_plus: bool = False) -> Fetch:
    """Batches of the SDK's stream: the messages, or its comfortable rows above them."""
    from google.ads.googleads.client import GoogleAdsClient
    from google.oauth2.credentials import Credentials

    credentials = Credentials(  # type: ignore[no-untyped-call]
        None, refresh_token="1//bench", client_id="1", client_secret="secret", token_uri=f"{job.url}/token"
    )
    client = GoogleAdsClient(
        credentials, login_customer_id=ACCOUNT_ID, endpoint=job.endpoint, use_proto_plus=is_plus, version=VERSION
    )
    service = client.get_service("GoogleAdsService")

    def fetch(since: date, until: date) -> Iterator[Page]:
        for resource in RESOURCES:
            query = queries.facts(resource, Days(since, until))
            stream = service.search_stream(customer_id=ACCOUNT_ID, query=query, timeout=60)
            for batch in stream:
                yield resource, batch.results

    return fetch


def _lines(resource: str, rows: Iterable[Any]) -> bytes:
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


def _read(*, is_plus: bool) -> Callable[[Job], Fetch]:
    """Batches of which every number of every row was read."""

    def make(job: Job) -> Fetch:
        fetch = _sdk(job, is_plus=is_plus)

        def read(since: date, until: date) -> Iterator[Page]:
            for resource, batch in fetch(since, until):
                yield resource, [_line(resource, row) for row in batch]

        return read

    return make


PEERS: dict[str, Peer] = {
    "imports": bare.imports(_sdk),
    "sdk": bare.fetch_alone(_read(is_plus=False)),
    "sdk_plus": bare.fetch_alone(_read(is_plus=True)),
    "upsert": bare.load_alone(_sdk, _lines),
    "pipeline": bare.pipeline(_sdk, _lines),
}

if __name__ == "__main__":
    bare.main(PEERS)
