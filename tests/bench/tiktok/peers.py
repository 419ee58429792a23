"""What bounds the sync of TikTok, each in a process of its own.

`python -m tests.bench.tiktok.peers <job as JSON>` prints what it took as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from operator import attrgetter

import msgspec

from tests.bench.sync import bare
from tests.bench.sync.bare import Fetch, Job, Page, Peer
from tests.bench.sync.dataset import ACCOUNT_ID, LEVELS
from tests.bench.tiktok import rows

PAGE_LIMIT = 1000
NUMBERS = ("impressions", "clicks", "spend", "conversion", "total_complete_payment_rate", "video_play_actions", "reach")
EXTRAS = (
    *("real_time_conversion", "complete_payment", "total_purchase", "total_purchase_value"),
    *("onsite_shopping", "total_onsite_shopping_value"),
)


class _Dimensions(msgspec.Struct, gc=False):
    stat_time_day: str
    advertiser_id: str = ""
    campaign_id: str = ""
    adgroup_id: str = ""
    ad_id: str = ""


class _Metrics(msgspec.Struct, gc=False):
    impressions: str
    clicks: str
    spend: str
    conversion: str
    total_complete_payment_rate: str
    video_play_actions: str
    reach: str
    real_time_conversion: str
    complete_payment: str
    total_purchase: str
    total_purchase_value: str
    onsite_shopping: str
    total_onsite_shopping_value: str


class _Row(msgspec.Struct, gc=False):
    dimensions: _Dimensions
    metrics: _Metrics


class _PageInfo(msgspec.Struct):
    total_page: int


class _Data(msgspec.Struct):
    page_info: _PageInfo
    rows: list[_Row] = msgspec.field(name="list")


class _Envelope(msgspec.Struct):
    code: int
    data: _Data


def _fetch(job: Job) -> Fetch:
    """The fastest that these libraries do: httpx, and msgspec into objects that the collector passes over."""
    import httpx

    client = httpx.Client(base_url=f"{job.url}/open_api/v1.3/", headers={"Access-Token": "token"}, timeout=30)
    decoder = msgspec.json.Decoder(_Envelope)

    def fetch(since: date, until: date) -> Iterator[Page]:
        for level in LEVELS:
            asked = {
                "advertiser_id": ACCOUNT_ID,
                "report_type": "BASIC",
                "data_level": rows.DATA_LEVELS[level],
                "dimensions": json.dumps([rows.IDS[level], "stat_time_day"]),
                "metrics": json.dumps([*rows.names(level), *NUMBERS, *EXTRAS]),
                "start_date": since.isoformat(),
                "end_date": until.isoformat(),
                "page_size": str(PAGE_LIMIT),
            }
            page, pages = 1, 1
            while page <= pages:
                content = client.get("report/integrated/get/", params={**asked, "page": str(page)}).content
                data = decoder.decode(content).data
                yield level, data.rows
                page, pages = page + 1, data.page_info.total_page

    return fetch


def _lines(level: str, page: list[_Row]) -> bytes:
    """COPY text of a page."""
    id_of: Callable[[_Dimensions], str] = attrgetter(rows.IDS[level])
    stored, found = "ad_group" if level == "adset" else level, []
    for row in page:
        of, m = row.dimensions, row.metrics
        found.append(
            f"{stored}\t{id_of(of)}\t{of.stat_time_day}\t{m.impressions}\t{m.clicks}\t{m.spend}\t{m.conversion}\t"
            f"{m.total_complete_payment_rate}\t{m.video_play_actions}\t{m.reach}\t"
            f'{{"real_time_conversion":"{m.real_time_conversion}","complete_payment":"{m.complete_payment}",'
            f'"total_purchase":"{m.total_purchase}","total_purchase_value":"{m.total_purchase_value}",'
            f'"onsite_shopping":"{m.onsite_shopping}",'
            f'"total_onsite_shopping_value":"{m.total_onsite_shopping_value}"}}\n'
        )
    return "".join(found).encode()


PEERS: dict[str, Peer] = {
    "imports": bare.imports(_fetch),
    "httpx": bare.fetch_alone(_fetch),
    "copy": bare.load_alone(_fetch, _lines, staged=False),
    "upsert": bare.load_alone(_fetch, _lines),
    "pipeline": bare.pipeline(_fetch, _lines),
}

if __name__ == "__main__":
    bare.main(PEERS)
