"""Reports that Meta prepares by itself, for questions too large to answer at once.

https://developers.facebook.com/docs/marketing-api/insights/best-practices#asynchronous
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from adloom import clock
from adloom.errors import TooMuchData
from adloom.platforms.meta import insights
from adloom.platforms.meta.client import GraphClient
from adloom.platforms.meta.insights import Row
from adloom.platforms.meta.pages import Walker
from adloom.platforms.retry import NotReadyError

# A report takes up to an hour; one that takes longer never ends. Its id would be good for 30 days.
LONGEST_REPORT_S = 3600
# A report that failed or was skipped is asked for once more, then the question must become smaller.
MOST_REPORTS = 2
_FIRST_POLL_S, _SLOWEST_POLL_S = 0.5, 8.0
_COMPLETED, _DONE_PERCENT = "Job Completed", 100
_ENDED = frozenset({"Job Failed", "Job Skipped"})

State = Literal["running", "done", "ended"]


class _Created(msgspec.Struct):
    report_run_id: str | int


class _Run(msgspec.Struct):
    async_status: str
    async_percent_completion: int = 0

    @property
    def state(self) -> State:
        if self.async_status in _ENDED:
            return "ended"
        # 100 % alone is not done: Meta says so while the job still runs.
        is_done = self.async_status == _COMPLETED and self.async_percent_completion >= _DONE_PERCENT
        return "done" if is_done else "running"


_created_decoder = msgspec.json.Decoder(_Created)
_run_decoder = msgspec.json.Decoder(_Run)


class Reports:
    """Asks for reports and waits for them. `open` maps a question to `<id>@<unix seconds>` of its running report."""

    def __init__(self, client: GraphClient, walker: Walker) -> None:
        self._client = client
        self._walker = walker
        self.open: dict[str, str] = {}

    def rows(self, account_id: str, question: str, params: Mapping[str, object], *, kind: str) -> Iterator[list[Row]]:
        """Pages of a report's rows. NotReadyError when it is not done in time, TooMuchData when it fails."""
        for _ in range(MOST_REPORTS):
            run_id = self._asked(account_id, question, params)
            if self._wait(run_id):
                yield from self._walker.walk(f"{run_id}/insights", {}, insights.decoder, kind=kind)
                self.open.pop(question, None)
                return
            self.open.pop(question, None)
        raise TooMuchData("Meta could not prepare a report of a single day", platform_code="report")

    def _asked(self, account_id: str, question: str, params: Mapping[str, object]) -> str:
        if question not in self.open:
            # The SDK sends the fields of a report as a list, not as comma separated text.
            fields = str(params["fields"]).split(",")
            created = self._client.post(f"act_{account_id}/insights", {**params, "fields": fields}, _created_decoder)
            self.open[question] = f"{created.report_run_id}@{int(clock.real_now().timestamp())}"
        return self.open[question].partition("@")[0]

    def _wait(self, run_id: str) -> bool:
        """True when the report is done, False when it will not be."""
        asked_at = next(int(known.partition("@")[2]) for known in self.open.values() if known.startswith(f"{run_id}@"))
        pause = _FIRST_POLL_S
        while True:
            fields = {"fields": "async_status,async_percent_completion"}
            state = self._client.get(run_id, fields, _run_decoder).state
            if state != "running":
                return state == "done"
            if clock.real_now().timestamp() - asked_at > LONGEST_REPORT_S:
                return False
            if not self._client.deadline.sleep(pause):
                raise NotReadyError(dict(self.open))
            pause = min(pause * 2, _SLOWEST_POLL_S)
