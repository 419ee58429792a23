"""The Graph API's answers from bytes that were made beforehand, in a process of its own.

The sandbox renders every row when it is asked, which takes longer than reading it: a benchmark against it would measure
the sandbox. This one cuts a page out of a file. Paths, paging, errors and headers are those of the sandbox.

`python -m tests.bench.sync.graph <folder> <shape as JSON> <versions as JSON>` prints its port when it is ready.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.bench.sync import http
from tests.bench.sync.dataset import ACCOUNT_ID, CURRENCY, TIMEZONE, Dataset, Shape, name, object_id, parent
from tests.bench.sync.http import Body, as_json

_MAX_LIMIT = 5000
_EDGES = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}
_ACCOUNT = {
    "id": f"act_{ACCOUNT_ID}",
    "account_id": ACCOUNT_ID,
    "name": "Adloom bench",
    "currency": CURRENCY,
    "timezone_name": TIMEZONE,
    "account_status": 1,
}
_STATE = {
    "status": "ACTIVE",
    "effective_status": "ACTIVE",
    "created_time": "2025-11-03T09:00:00+0100",
    "updated_time": "2026-02-14T09:00:00+0100",
}
_SHARE = {"call_count": 1, "total_cputime": 1, "total_time": 1}
_USAGE = {
    "X-App-Usage": _SHARE,
    "X-Ad-Account-Usage": {"acc_id_util_pct": 1, "reset_time_duration": 300},
    "X-Business-Use-Case-Usage": {
        ACCOUNT_ID: [{"type": "ads_insights", **_SHARE, "estimated_time_to_regain_access": 0}]
    },
    "X-FB-Ads-Insights-Throttle": {"app_id_util_pct": 1, "acc_id_util_pct": 1},
}
_HEADERS = "".join(f"{header}: {json.dumps(value)}\r\n" for header, value in _USAGE.items())


class Graph:
    """One account."""

    headers = _HEADERS

    def __init__(self, folder: Path, shape: Shape, versions: tuple[int, ...]) -> None:
        self.shape = shape
        self._versions = {version: Dataset.make(replace(shape, version=version), folder) for version in versions}
        self.served = min(versions)
        self._reports: dict[str, dict[str, str]] = {}

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        node, _, edge = path.strip("/").partition("/")[2].partition("/")
        if node == "me":
            return 200, [as_json({"data": [_ACCOUNT]} if edge == "adaccounts" else {"id": "1", "name": "Bench"})]
        if node in self._reports:
            return self._report(node, edge, path, params)
        if node != f"act_{ACCOUNT_ID}":
            return _refused(f"Unknown path {path}")
        if edge == "insights":
            return self._ordered(params) if "time_ranges" in params else self._insights(path, params)
        if edge in _EDGES:
            return self._listed(path, _EDGES[edge], params)
        return (200, [as_json(_ACCOUNT)]) if not edge else _refused(f"Unknown edge {edge}")

    def _report(self, node: str, edge: str, path: str, params: dict[str, str]) -> tuple[int, Body]:
        """A report that was asked for before: it is ready at once, and read like rows that are asked for."""
        if edge == "insights":
            return self._insights(path, {**self._reports[node], **params})
        state = {"async_status": "Job Completed", "async_percent_completion": 100}
        return 200, [as_json({"id": node, "account_id": ACCOUNT_ID, **state})]

    def _ordered(self, params: dict[str, str]) -> tuple[int, Body]:
        """A report, of one range of days."""
        (days,) = json.loads(params["time_ranges"])
        number = str(6 * 10**15 + len(self._reports))
        asked = {key: value for key, value in params.items() if key in {"level", "limit", "time_increment"}}
        self._reports[number] = {**asked, "time_range": json.dumps(days)}
        return 200, [as_json({"report_run_id": number})]

    def _insights(self, path: str, params: dict[str, str]) -> tuple[int, Body]:
        if params.get("time_increment") != "1" or "campaign.id" in params.get("filtering", ""):
            return _refused("Only daily rows of the whole account were made")
        days = json.loads(params["time_range"])
        dataset, level = self._versions[self.served], params.get("level", "account")
        begin, end = dataset.row_range(level, date.fromisoformat(days["since"]), date.fromisoformat(days["until"]))
        if "breakdowns" in params:
            begin = end  # no hours were made
        start, stop, paging = _page(path, params, end - begin)
        return 200, [b'{"data":[', dataset.levels[level].slice(begin + start, begin + stop), b"]" + paging + b"}"]

    def _listed(self, path: str, level: str, params: dict[str, str]) -> tuple[int, Body]:
        start, stop, paging = _page(path, params, self.shape.objects[level])
        nodes = [_node(level, number) for number in range(start, stop)]
        return 200, [b'{"data":' + as_json(nodes) + paging + b"}"]


def _page(path: str, params: dict[str, str], count: int) -> tuple[int, int, bytes]:
    """Where the page begins and ends among `count` rows, and its `paging`. A cursor is the next row's place."""
    start = int(params.get("after") or 0)
    stop = min(start + min(int(params.get("limit") or 25), _MAX_LIMIT), count)
    if start >= stop:
        return start, start, b""
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(stop)}}
    if stop < count:
        paging["next"] = f"https://graph.facebook.com{path}?{urlencode({**params, 'after': stop})}"
    return start, stop, b',"paging":' + as_json(paging)


def _node(level: str, number: int) -> dict[str, str]:
    found = {"id": object_id(level, number), "name": name(level, number), **_STATE}
    if level == "campaign":
        return {**found, "objective": "OUTCOME_SALES", "buying_type": "AUCTION", "daily_budget": "5000"}
    above = "campaign" if level == "adset" else "adset"
    return {**found, f"{above}_id": object_id(above, parent(level, number))}


def _refused(message: str) -> tuple[int, Body]:
    return 400, [
        as_json({"error": {"message": message, "type": "GraphMethodException", "code": 100, "fbtrace_id": "x"}})
    ]


if __name__ == "__main__":
    http.main(Graph)
