"""Asynchronous insights: a job is created, polled and read. Jobs outlive a restart, as run ids live for 30 days."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from adloom import clock
from infra.sandbox.faults import Fault
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import GraphError

_VALID_FOR = timedelta(days=30)
# Real seconds a job takes: long enough that a caller must poll, short enough for a person who watches.
_STARTED_AFTER = 0.05
_DONE_AFTER = 0.25
# Parameters of the request that reads the result, not of the report.
_OF_THE_READER = ("limit", "after", "access_token", "appsecret_proof")
_FAILURE: dict[str, object] = {
    "error_code": 100,
    "error_message": "(#100) The report failed",
    "error_subcode": 1504018,
    "error_user_title": "The report failed",
    "error_user_msg": "Please retry with a shorter time range.",
}


class Job(msgspec.Struct):
    """A report run. `created` is real time; `as_of` the business instant whose numbers it holds."""

    id: str
    node_id: str
    account_id: str
    params: dict[str, str]
    created: datetime
    as_of: datetime
    fault: str = ""
    percent: int = 0
    error: dict[str, object] = {}
    polls_left: int | None = None


class Jobs:
    """All report runs, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: dict[str, Job] = {}
        if path.exists():
            self._jobs = {job.id: job for job in msgspec.json.decode(path.read_bytes(), type=list[Job])}

    def create(self, call: Call, node_id: str, account_id: str) -> dict[str, Any]:
        """Start a job; its parameters have been checked by then."""
        params = {name: value for name, value in call.params.items() if name not in _OF_THE_READER}
        job = Job(str(secrets.randbelow(9 * 10**15) + 10**15), node_id, account_id, params, clock.real_now(), call.now)
        if call.fault is not None:
            _script(job, call.fault)
        self._jobs[job.id] = job
        self._forget_old()
        self._save()
        return {"report_run_id": job.id}

    def find(self, job_id: str) -> Job | None:
        """The job, if it is still kept."""
        return self._jobs.get(job_id)

    def poll(self, job: Job) -> dict[str, Any]:
        """The job's node, every field of it."""
        status, percent = self._state(job)
        found: dict[str, Any] = {
            "id": job.id,
            "account_id": job.account_id,
            "time_ref": int(job.created.timestamp()),
            "async_status": status,
            "async_percent_completion": percent,
        }
        if status == "Job Completed":
            found["time_completed"] = int((job.created + timedelta(seconds=_DONE_AFTER)).timestamp())
        if status == "Job Failed":
            found |= {**_FAILURE, **job.error}
        return found

    def call_for_results(self, job: Job, call: Call) -> Call:
        """The call that reads the results: the job's parameters with the reader's page. An error before it is done."""
        if self._state(job, polled=False)[0] != "Job Completed":
            message = "(#2601) Error accessing adreport job."
            raise GraphError(400, 2601, message, error_subcode=1815107, is_transient=True)
        call.params = {**job.params, **call.params}
        call.now = job.as_of
        return call

    def _state(self, job: Job, *, polled: bool = True) -> tuple[str, int]:
        """Status and percent. `polled` counts the look for jobs that stay at 100 % for some polls."""
        age = (clock.real_now() - job.created).total_seconds()
        if age < _STARTED_AFTER:
            return "Job Not Started", 0
        if job.fault == "stuck":
            return "Job Running", 0
        if age < _DONE_AFTER:
            return "Job Running", min(99, job.percent or int(age / _DONE_AFTER * 100))
        if job.fault == "running_at_100" and job.polls_left != 0:
            if polled and job.polls_left is not None:
                job.polls_left -= 1
                self._save()
            return "Job Running", 100
        return {"fail_at": ("Job Failed", job.percent), "skip": ("Job Skipped", 0)}.get(
            job.fault, ("Job Completed", 100)
        )

    def _forget_old(self) -> None:
        oldest = clock.real_now() - _VALID_FOR
        self._jobs = {job.id: job for job in self._jobs.values() if job.created > oldest}

    def _save(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(list(self._jobs.values())))
        partial.replace(self._path)


def _script(job: Job, fault: Fault) -> None:
    job.fault = fault.kind
    if fault.kind == "fail_at":
        job.percent, job.error = fault.percent, fault.error
    if fault.kind == "running_at_100":
        job.polls_left = fault.polls
