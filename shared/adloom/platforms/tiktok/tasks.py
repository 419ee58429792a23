"""Reports that TikTok prepares by itself and never cuts: for the total of an account with too many ads.

Not every app may ask for them, so they are the last way and not the first.
https://business-api.tiktok.com/portal/docs?id=1740302766489602
"""

from __future__ import annotations

import csv
import io

import msgspec

from adloom import clock
from adloom.errors import OperatorMustAct, PlatformProtocolError, TooMuchData
from adloom.platforms.model import Days
from adloom.platforms.retry import NotReadyError
from adloom.platforms.tiktok import report
from adloom.platforms.tiktok.client import Envelope, TikTokClient
from adloom.platforms.tiktok.report import Row

# One that takes longer never ends.
LONGEST_TASK_S = 3600
# A task that failed is asked for once more.
MOST_TASKS = 2
_FIRST_POLL_S, _SLOWEST_POLL_S = 1.0, 8.0
_WAITING = frozenset({"QUEUING", "PROCESSING"})
_DONE = "SUCCESS"
# Of the conditions only ids are taken, and every object counts anyway; the names of columns stay the API's own.
_LEFT_OUT = frozenset({"filtering", "query_lifetime"})
_OUTPUT = {"output_format": "CSV_DOWNLOAD", "enable_report_title_translation": False}


class _Created(msgspec.Struct):
    task_id: str | int


class _Checked(msgspec.Struct):
    status: str


class _Ready(msgspec.Struct):
    download_url: str


_created_decoder = msgspec.json.Decoder(Envelope[_Created])
_checked_decoder = msgspec.json.Decoder(Envelope[_Checked])
_ready_decoder = msgspec.json.Decoder(Envelope[_Ready])


class Tasks:
    """Asks for reports and waits for them. `open` maps a question to `<id>@<unix seconds>` of its running task."""

    def __init__(self, client: TikTokClient) -> None:
        self._client = client
        self.open: dict[str, str] = {}

    def rows(self, account_id: str, days: Days, query: dict[str, object]) -> list[Row]:
        """All rows. NotReadyError when they are not ready in time, TooMuchData when they never will be."""
        question = f"{query['data_level']} {days.since} {days.until}"
        for _ in range(MOST_TASKS):
            task_id = self._asked(account_id, question, days, query)
            if self._wait(account_id, question, task_id):
                asked = {"advertiser_id": account_id, "task_id": task_id}
                url = self._client.get("report/task/download/", asked, _ready_decoder).data.download_url
                found = _read(self._client.download(url))
                self.open.pop(question, None)
                return found
            self.open.pop(question, None)
        raise TooMuchData("TikTok could not prepare a report of this account", platform_code="task")

    def _asked(self, account_id: str, question: str, days: Days, query: dict[str, object]) -> str:
        if question not in self.open:
            kept = {name: value for name, value in query.items() if name not in _LEFT_OUT}
            body = {**report.params(account_id, days, kept), **_OUTPUT}
            try:
                created = self._client.post("report/task/create/", body, _created_decoder).data
            except OperatorMustAct as refusal:
                raise TooMuchData(
                    "TikTok cuts the reports of this account, and does not let this app ask for whole ones:"
                    f" {refusal.detail}",
                    platform_code=refusal.platform_code,
                ) from None
            self.open[question] = f"{created.task_id}@{int(clock.real_now().timestamp())}"
        return self.open[question].partition("@")[0]

    def _wait(self, account_id: str, question: str, task_id: str) -> bool:
        """True when the task is done, False when it will not be."""
        asked_at = int(self.open[question].partition("@")[2])
        asked, pause = {"advertiser_id": account_id, "task_id": task_id}, _FIRST_POLL_S
        while True:
            status = self._client.get("report/task/check/", asked, _checked_decoder).data.status
            if status not in _WAITING:
                return status == _DONE
            if clock.real_now().timestamp() - asked_at > LONGEST_TASK_S:
                return False
            if not self._client.deadline.sleep(pause):
                raise NotReadyError(dict(self.open))
            pause = min(pause * 2, _SLOWEST_POLL_S)


def _read(body: bytes) -> list[Row]:
    """The rows of a CSV file whose columns are named as in the API."""
    table = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    try:
        return [
            Row(
                msgspec.convert({name: cells[name] for name in _DIMENSIONS if name in cells}, report.Dimensions),
                msgspec.convert({name: cells[name] for name in _METRICS if name in cells}, report.Metrics),
            )
            for cells in table
        ]
    except (msgspec.ValidationError, csv.Error) as fault:
        raise PlatformProtocolError(f"TikTok's file is not what it documents: {fault}", platform_code="shape") from None


_DIMENSIONS = tuple(one.name for one in msgspec.structs.fields(report.Dimensions))
_METRICS = tuple(one.name for one in msgspec.structs.fields(report.Metrics))
