"""Reports made in the background: no limit of days, never cut, downloaded as CSV. Kept in memory for a while."""

from __future__ import annotations

import csv
import io
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.sandbox.facts.model import Account
from infra.sandbox.tiktok import reportquery, reports
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.errors import TikTokError, parameter
from infra.sandbox.tiktok.reportquery import Query

# Real seconds a task takes: long enough that a caller must poll, short enough for a person who watches.
_STARTED_AFTER, _DONE_AFTER = 0.05, 0.25
# An address to download from is good for an hour; the endpoint gives a new one.
_URL_SECONDS = 3600.0
_MOST_TASKS = 4500


@dataclass
class _Task:
    query: Query
    as_of: datetime
    began: float
    fails: bool
    cancelled: bool = False

    @property
    def status(self) -> str:
        """QUEUING, PROCESSING, SUCCESS, FAILED or CANCELED."""
        age = time.monotonic() - self.began
        if self.cancelled:
            return "CANCELED"
        if age < _STARTED_AFTER:
            return "QUEUING"
        if age < _DONE_AFTER:
            return "PROCESSING"
        return "FAILED" if self.fails else "SUCCESS"


class Tasks:
    """All report tasks, and the addresses of their files."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._urls: dict[str, tuple[str, float]] = {}

    def create(self, call: Call, account: Account) -> dict[str, Any]:
        """Start one; its parameters are checked at once."""
        query = reportquery.read(call, account, is_task=True)
        if (call.text("output_format") or "CSV_STRING") not in ("CSV_STRING", "CSV_DOWNLOAD", "XLSX_DOWNLOAD"):
            raise parameter("output_format: is not a valid choice.")
        if len(self._tasks) >= _MOST_TASKS:
            raise TikTokError(40100, "Too many tasks today.")
        task_id = str(secrets.randbelow(9 * 10**18) + 10**18)
        fails = call.fault is not None and call.fault.kind == "fail_at"
        self._tasks[task_id] = _Task(query, call.now, time.monotonic(), fails)
        return {"task_id": task_id}

    def check(self, call: Call, account: Account) -> dict[str, Any]:
        """How far it is."""
        task = self._task(call, account)
        return {"status": task.status, "message": "The report failed." if task.status == "FAILED" else ""}

    def cancel(self, call: Call, account: Account) -> dict[str, Any]:
        """End one that is not done."""
        self._task(call, account).cancelled = True
        return {"task_id": call.needed("task_id")}

    def download(self, call: Call, account: Account, base_url: str) -> dict[str, Any]:
        """A new address of the file."""
        task = self._task(call, account)
        if task.status != "SUCCESS":
            raise TikTokError(40201, "The task is not ready.")
        key = secrets.token_urlsafe(24)
        self._urls[key] = (call.needed("task_id"), time.monotonic() + _URL_SECONDS)
        return {"download_url": f"{base_url}/open_api/files/{key}"}

    def file(self, key: str) -> bytes | None:
        """The file behind an address; None when the address has ended."""
        task_id, until = self._urls.get(key, ("", 0.0))
        task = self._tasks.get(task_id)
        if task is None or time.monotonic() > until:
            return None
        rows = reports.render(task.query, reports.groups_of(task.query, task.as_of, None, {}), task.as_of)
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([*task.query.dimensions, *task.query.metrics])
        for row in rows:
            cells = {**row["metrics"], **row["dimensions"]}
            writer.writerow([cells[name] for name in (*task.query.dimensions, *task.query.metrics)])
        return out.getvalue().encode()

    def _task(self, call: Call, account: Account) -> _Task:
        task = self._tasks.get(call.needed("task_id"))
        if task is None or task.query.account.id != account.id:
            raise TikTokError(40200, "The task does not exist.")
        return task
