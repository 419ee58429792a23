"""The fault script decides which request meets which fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.sandbox.faults import Script, ScriptError, Seen

PAGE = Seen("act_1/insights", "GET", "ad", 2)


def script(*entries: dict[str, Any]) -> Script:
    made = Script()
    made.replace(json.dumps(entries).encode())
    return made


def kinds(made: Script, *requests: Seen) -> list[str | None]:
    return [fault.kind if fault else None for fault in map(made.take, requests)]


def test_a_fault_meets_the_first_match_once_unless_told_otherwise() -> None:
    assert kinds(script({"fault": {"kind": "html_502"}}), PAGE, PAGE) == ["html_502", None]


def test_a_fault_can_wait_for_the_nth_match_and_last_for_some_times() -> None:
    made = script({"match": {"nth": 2, "times": 2}, "fault": {"kind": "html_502"}})
    assert kinds(made, PAGE, PAGE, PAGE, PAGE) == [None, "html_502", "html_502", None]


def test_a_fault_can_last_for_good() -> None:
    made = script({"match": {"times": None}, "fault": {"kind": "html_502"}})
    assert kinds(made, *[PAGE] * 5) == ["html_502"] * 5


@pytest.mark.parametrize(
    "other",
    [
        Seen("act_2/insights", "GET", "ad", 2),
        Seen("act_1/insights", "POST", "ad", 2),
        Seen("act_1/insights", "GET", "campaign", 2),
        Seen("act_1/insights", "GET", "ad", 1),
    ],
)
def test_every_condition_counts(other: Seen) -> None:
    match = {"path": "^act_1/", "method": "get", "level": "ad", "page": 2}
    made = script({"match": match, "fault": {"kind": "html_502"}})
    assert kinds(made, other, PAGE) == [None, "html_502"]


def test_faults_of_jobs_meet_only_requests_that_create_one() -> None:
    made = script({"fault": {"kind": "stuck"}})
    assert kinds(made, PAGE, Seen("act_1/insights", "POST", creates_job=True)) == [None, "stuck"]


def test_the_first_line_that_is_due_fires_and_every_line_counts() -> None:
    made = script({"fault": {"kind": "html_502"}}, {"match": {"nth": 2}, "fault": {"kind": "truncate"}})
    assert kinds(made, PAGE, PAGE, PAGE) == ["html_502", "truncate", None]
    assert [line["matched"] for line in made.state()] == [3, 3]


def test_a_fault_that_stood_behind_another_fires_at_the_next_request() -> None:
    made = script({"fault": {"kind": "html_502"}}, {"fault": {"kind": "truncate"}})
    assert kinds(made, PAGE, PAGE, PAGE) == ["html_502", "truncate", None]


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b'[{"fault": {"kind": "explode"}}]',
        b'[{"fault": {"kind": "stuck"}, "when": 1}]',
        b'[{"match": {"path": "("}, "fault": {"kind": "stuck"}}]',
        b'[{"fault": {"kind": "error", "body_base64": "*"}}]',
    ],
)
def test_a_script_that_cannot_be_read_leaves_the_old_one(text: bytes) -> None:
    made = script({"fault": {"kind": "html_502"}})
    with pytest.raises(ScriptError):
        made.replace(text)
    assert kinds(made, PAGE) == ["html_502"]


def test_a_body_is_kept_byte_for_byte() -> None:
    made = script({"fault": {"kind": "error", "body": '{"a":  1}'}}, {"fault": {"kind": "error", "body": {"a": 1}}})
    entries = [made.take(PAGE), made.take(PAGE)]
    assert [entry.body_bytes() for entry in entries if entry] == [b'{"a":  1}', b'{"a": 1}']
