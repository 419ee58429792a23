"""The Marketing API's answers from bytes that were made beforehand, in a process of its own.

Paths, paging and envelopes are those of the sandbox, which renders each row when it is asked for it.

`python -m tests.bench.tiktok.server <folder> <shape as JSON> <versions as JSON>` prints its port when it is ready.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.bench.sync import http
from tests.bench.sync.dataset import ACCOUNT_ID, CURRENCY, TIMEZONE, Dataset, Shape, name
from tests.bench.sync.http import Body, as_json
from tests.bench.tiktok import rows
from tests.bench.tiktok.rows import IDS, object_id

_REPORT = "report/integrated/get"
_MOST_ROWS = 1000
_DIMENSIONS = b'{"dimensions":{'
_LEVELS = {word: level for level, word in rows.DATA_LEVELS.items()}
_LISTS = {"campaign/get": "campaign", "adgroup/get": "adset", "ad/get": "ad"}
_ACCOUNT = {
    "advertiser_id": ACCOUNT_ID,
    "name": "Adloom bench",
    "currency": CURRENCY,
    "timezone": TIMEZONE,
    "display_timezone": TIMEZONE,
    "status": "STATUS_ENABLE",
    "create_time": 1_700_000_000,
}
_STATE = {
    "operation_status": "ENABLE",
    "create_time": "2025-11-03 08:00:00",
    "modify_time": "2026-02-14 08:00:00",
    "budget": 50.0,
    "budget_mode": "BUDGET_MODE_DAY",
}


class Account:
    """One account."""

    headers = "X-Tt-Logid: 202603311800000100000000000000AB\r\n"

    def __init__(self, folder: Path, shape: Shape, versions: tuple[int, ...]) -> None:
        self._shape = shape
        self._versions = {
            version: Dataset.make(replace(shape, version=version), folder, rows.head, rows.line) for version in versions
        }
        self.served = min(versions)

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        path = path.removeprefix("/open_api/v1.3/").rstrip("/")
        if path == _REPORT:
            return self._report(params)
        if path in _LISTS:
            return self._listed(_LISTS[path], params)
        if path in {"oauth2/advertiser/get", "advertiser/info"}:
            return _enveloped([as_json({"list": [_ACCOUNT]})])
        if path == "ad/review_info":
            ids = json.loads(params["ad_ids"])
            return _enveloped([as_json({"ad_review_map": {one: {"review_status": "ALL_AVAILABLE"} for one in ids}})])
        if path == "file/video/ad/info":
            ids = json.loads(params["video_ids"])
            covers = [{"video_id": one, "video_cover_url": f"https://p16.example/{one}.jpeg"} for one in ids]
            return _enveloped([as_json({"list": covers})])
        return _refused(f"Unknown path {path}")

    def _report(self, params: dict[str, str]) -> tuple[int, Body]:
        dimensions, level = json.loads(params["dimensions"]), _LEVELS[params["data_level"]]
        if "campaign_ids" in params.get("filtering", "") or "adgroup_ids" in params.get("filtering", ""):
            return _refused("Only rows of the whole account were made")
        dataset = self._versions[self.served]
        since, until = (date.fromisoformat(params[f"{which}_date"]) for which in ("start", "end"))
        begin, end = dataset.row_range(level, since, until)
        if "stat_time_day" not in dimensions:
            begin = end  # no hours were made
        start, stop, info = _page(params, end - begin)
        page: bytes | memoryview = dataset.levels[level].slice(begin + start, begin + stop)
        if "advertiser_ids" in params:
            # Rows say whose they are where several accounts may be asked for.
            page = bytes(page).replace(_DIMENSIONS, _DIMENSIONS + f'"advertiser_id":"{ACCOUNT_ID}",'.encode())
        return _enveloped([b'{"list":[', page, b"]," + info + b"}"])

    def _listed(self, level: str, params: dict[str, str]) -> tuple[int, Body]:
        # Nothing of it is TopView's, which is asked for by itself.
        count = 0 if "TOP_VIEW" in params.get("filtering", "") else self._shape.objects[level]
        start, stop, info = _page(params, count)
        nodes = as_json([_node(level, number) for number in range(start, stop)])
        return _enveloped([b'{"list":', nodes, b"," + info + b"}"])


def _page(params: dict[str, str], count: int) -> tuple[int, int, bytes]:
    """Where the page begins and ends among `count` rows, and its `page_info`."""
    page, size = int(params.get("page", 1)), min(int(params.get("page_size", 10)), _MOST_ROWS)
    start = min((page - 1) * size, count)
    info = {"page": page, "page_size": size, "total_number": count, "total_page": -(-count // size)}
    return start, min(start + size, count), b'"page_info":' + as_json(info)


def _node(level: str, number: int) -> dict[str, object]:
    ids = {IDS[one]: object_id(one, above) for one, above in rows.above(level, number).items()}
    word = {"campaign": "CAMPAIGN_STATUS_ENABLE", "adset": "ADGROUP_STATUS_DELIVERY_OK", "ad": "AD_STATUS_DELIVERY_OK"}
    found = {IDS[level].replace("_id", "_name"): name(level, number), "secondary_status": word[level]}
    more: dict[str, dict[str, object]] = {
        "campaign": {"objective_type": "WEB_CONVERSIONS", "campaign_automation_type": "MANUAL"},
        "adset": {"click_attribution_window": "SEVEN_DAYS", "view_attribution_window": "ONE_DAY"},
        "ad": {
            "ad_text": f"Our spring collection {number}",
            "display_name": "Bench",
            "landing_page_url": f"https://bench.example/{number}",
            "video_id": f"v10033g50000{number:08}",
        },
    }
    return {**ids, **found, **_STATE, **more[level]}


def _enveloped(data: Body) -> tuple[int, Body]:
    head = b'{"code":0,"message":"OK","request_id":"202603311800000100000000000000AB","data":'
    return 200, [head, *data, b"}"]


def _refused(message: str) -> tuple[int, Body]:
    return 200, [as_json({"code": 40002, "message": message, "request_id": "x", "data": {}})]


if __name__ == "__main__":
    http.main(Account)
