"""Scripted faults on the wire, the way a client meets them; and how the sandbox starts and ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from tests.unit.sandbox.support import (
    APP_ID,
    APP_SECRET,
    META_90_DAYS,
    ROOT,
    Sandbox,
    environment,
    fact,
    facts,
    free_port,
    running,
)

ACCOUNT = "act_1000000000000404"
DAY = '{"since":"2025-01-01","until":"2025-01-01"}'
INSIGHTS = {"level": "ad", "time_increment": "1", "time_range": DAY, "fields": "ad_id,spend", "limit": "20"}
SETTINGS = {"ADLOOM_SANDBOX_FACTS": str(META_90_DAYS), "ADLOOM_CLOCK": "2025-04-02T10:00:00+00:00"}
ERRORS = json.loads((ROOT / "tests" / "data" / "platform_errors.json").read_text())["meta"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("home"), **SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def token(shared: Sandbox) -> str:
    return shared.login()


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.faults()
    shared.control("DELETE", "requests")
    return shared


def pages(sandbox: Sandbox, token: str) -> list[list[str]]:
    """The ad ids of each page of a walk that goes on until there is no `next`."""
    found: list[list[str]] = []
    after: dict[str, str] = {}
    while len(found) < 20:
        page = sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS, **after).json()
        found.append([row["ad_id"] for row in page["data"]])
        if "next" not in page["paging"]:
            return found
        after = {"after": page["paging"]["cursors"]["after"]}
    raise AssertionError(found)


def on_page(number: int, kind: str, **fault: Any) -> dict[str, Any]:
    return {"match": {"path": "/insights$", "level": "ad", "page": number}, "fault": {"kind": kind, **fault}}


@pytest.mark.parametrize("known", [entry for entry in ERRORS if "body" in entry], ids=lambda entry: entry["meaning"])
def test_error_bodies_come_byte_for_byte_and_the_sdk_understands_them(
    sandbox: Sandbox, token: str, known: dict[str, Any]
) -> None:
    body = json.dumps(known["body"], indent=1)
    fault = {"kind": "error", "status": known["http"], "body": body, "headers": {"x-scripted": "yes"}}
    sandbox.faults({"fault": {**fault}, "match": {"times": 2}})
    reply = sandbox.get(f"{ACCOUNT}/insights", token)
    assert (reply.status_code, reply.text, reply.headers["x-scripted"]) == (known["http"], body, "yes")
    session = FacebookSession(APP_ID, APP_SECRET, token, timeout=20)
    session.GRAPH = sandbox.url
    with pytest.raises(FacebookRequestError) as refused:
        AdAccount(ACCOUNT, api=FacebookAdsApi(session)).api_get(fields=["name"])
    assert refused.value.api_error_code() == known["body"]["error"]["code"]


def test_a_fault_in_the_middle_of_a_walk_passes_when_the_page_is_asked_for_again(sandbox: Sandbox, token: str) -> None:
    clean = pages(sandbox, token)
    assert [len(page) for page in clean] == [20, 20, 10]
    sandbox.faults(on_page(2, "html_502"))
    first = sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS).json()
    after = first["paging"]["cursors"]["after"]
    broken = sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS, after=after)
    assert broken.status_code == 502
    assert broken.headers["content-type"].startswith("text/html")
    again = sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS, after=after).json()
    assert [row["ad_id"] for row in again["data"]] == clean[1]


def test_an_empty_page_is_inserted_without_losing_a_row(sandbox: Sandbox, token: str) -> None:
    clean = pages(sandbox, token)
    for number in (1, 2, 3):
        sandbox.faults(on_page(number, "empty_page_with_next"))
        met = pages(sandbox, token)
        assert met == [*clean[: number - 1], [], *clean[number - 1 :]]


def test_a_page_comes_twice(sandbox: Sandbox, token: str) -> None:
    clean = pages(sandbox, token)
    for number in (1, 2, 3):
        sandbox.faults(on_page(number, "duplicate_page"))
        assert pages(sandbox, token) == [*clean[:number], *clean[number - 1 :]]


def test_a_body_is_cut_short(sandbox: Sandbox, token: str) -> None:
    sandbox.faults(on_page(1, "truncate"))
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS)
    assert sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS).is_success


def test_a_socket_hangs_and_is_closed_without_an_answer(sandbox: Sandbox, token: str) -> None:
    sandbox.faults(on_page(1, "hang", seconds=0.3), on_page(1, "hang", seconds=30))
    began = time.monotonic()
    with pytest.raises(httpx.TransportError):
        sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS)
    assert 0.25 < time.monotonic() - began < 3
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{sandbox.graph}/{ACCOUNT}/insights", params={"access_token": token, **INSIGHTS}, timeout=0.3)
    requests = sandbox.control("GET", "requests?after=0")["requests"]
    assert [(one["fault"], one["status"]) for one in requests] == [("hang", None), ("hang", None)]


def test_unknown_fields_are_added_to_every_row(sandbox: Sandbox, token: str) -> None:
    sandbox.faults(on_page(1, "unknown_field", fields={"brand_new": [1]}))
    rows = sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS).json()["data"]
    assert all(row["brand_new"] == [1] for row in rows)


def test_rate_headers_and_delays_come_with_a_good_answer(sandbox: Sandbox, token: str) -> None:
    headers = next(entry for entry in ERRORS if "headers" in entry)["headers"]
    sandbox.faults(on_page(1, "rate_headers", headers=headers), on_page(1, "delay", seconds=0.2))
    reply = sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS)
    assert reply.is_success
    assert [reply.headers[name] for name in headers] == list(headers.values())
    began = time.monotonic()
    assert sandbox.get(f"{ACCOUNT}/insights", token, **INSIGHTS).is_success
    assert time.monotonic() - began >= 0.2


def create_job(sandbox: Sandbox, token: str) -> str:
    reply = httpx.post(f"{sandbox.graph}/{ACCOUNT}/insights", params={"access_token": token}, data=INSIGHTS)
    return str(reply.json()["report_run_id"])


def settled(sandbox: Sandbox, token: str, job: str, until: set[str]) -> dict[str, Any]:
    for _ in range(300):
        state: dict[str, Any] = sandbox.get(f"{job}/", token).json()
        if state["async_status"] in until:
            return state
    raise AssertionError(state)


def test_a_job_fails_part_way_and_says_why(sandbox: Sandbox, token: str) -> None:
    sandbox.faults({"fault": {"kind": "fail_at", "percent": 37, "error": {"error_code": 2, "error_subcode": 1504043}}})
    state = settled(sandbox, token, create_job(sandbox, token), {"Job Failed", "Job Completed"})
    assert (state["async_status"], state["async_percent_completion"]) == ("Job Failed", 37)
    assert (state["error_code"], state["error_subcode"]) == (2, 1504043)
    state = settled(sandbox, token, create_job(sandbox, token), {"Job Failed", "Job Completed"})
    assert state["async_status"] == "Job Completed"


def test_a_job_is_skipped(sandbox: Sandbox, token: str) -> None:
    sandbox.faults({"fault": {"kind": "skip"}})
    job = create_job(sandbox, token)
    settled(sandbox, token, job, {"Job Skipped"})
    assert sandbox.get(f"{job}/insights", token).json()["error"]["code"] == 2601


def test_a_job_stands_at_a_hundred_per_cent_before_it_is_done(sandbox: Sandbox, token: str) -> None:
    sandbox.faults({"fault": {"kind": "running_at_100", "polls": 2}})
    job = create_job(sandbox, token)
    time.sleep(0.3)
    seen = [sandbox.get(f"{job}/", token).json() for _ in range(3)]
    assert [state["async_percent_completion"] for state in seen] == [100, 100, 100]
    assert [state["async_status"] for state in seen] == ["Job Running", "Job Running", "Job Completed"]


def test_a_job_gets_stuck(sandbox: Sandbox, token: str) -> None:
    sandbox.faults({"fault": {"kind": "stuck"}})
    job = create_job(sandbox, token)
    time.sleep(0.4)
    state = sandbox.get(f"{job}/", token).json()
    assert (state["async_status"], state["async_percent_completion"]) == ("Job Running", 0)


def test_a_call_of_a_batch_times_out(sandbox: Sandbox, token: str) -> None:
    sandbox.faults({"match": {"nth": 2}, "fault": {"kind": "null_in_batch"}})
    calls = json.dumps([{"method": "GET", "relative_url": "me"}] * 3)
    answers = httpx.post(f"{sandbox.graph}/", data={"batch": calls, "access_token": token}).json()
    assert [answer is None for answer in answers] == [False, True, False]


def test_a_script_that_cannot_be_read_is_refused(sandbox: Sandbox) -> None:
    url, headers = f"{sandbox.url}/_sandbox/faults", {"X-Sandbox-Key": "control-key"}
    reply = httpx.post(url, content='[{"fault":{"kind":"explode"}}]', headers=headers)
    assert reply.status_code == 422
    assert "kind" in reply.json()["error"]


def test_requests_are_logged_with_what_was_asked(sandbox: Sandbox, token: str) -> None:
    pages(sandbox, token)
    requests = sandbox.control("GET", "requests?after=0")["requests"]
    assert [one["path"] for one in requests] == [f"{ACCOUNT}/insights"] * 3
    assert requests[0]["params"] == INSIGHTS
    assert requests[0]["status"] == 200
    assert requests[0]["at"] < requests[1]["at"]
    later = sandbox.control("GET", f"requests?after={requests[1]['seq']}")["requests"]
    assert later == requests[2:]


def test_reports_outlive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, **SETTINGS) as first:
        token = first.login()
        job = create_job(first, token)
    with running(tmp_path, **SETTINGS) as second:
        settled(second, token, job, {"Job Completed"})
        assert len(second.get(f"{job}/insights", token, limit="500").json()["data"]) == 50


def test_it_ends_within_two_seconds_even_when_sockets_hang(tmp_path: Path) -> None:
    with running(tmp_path, **SETTINGS) as sandbox:
        token = sandbox.login()  # two requests
        sandbox.faults({"match": {"times": None}, "fault": {"kind": "hang", "seconds": 60}})
        threads = [threading.Thread(target=hang, args=(sandbox, token)) for _ in range(3)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 10
        while len(sandbox.control("GET", "requests?after=2")["requests"]) < len(threads):
            assert time.monotonic() < until
        assert sandbox.stop() < 2
        assert sandbox.process.returncode == 0
        for thread in threads:
            thread.join()


def hang(sandbox: Sandbox, token: str) -> None:
    with pytest.raises(httpx.TransportError):
        sandbox.get("me", token)


def test_it_refuses_a_wrong_folder_with_every_fault(tmp_path: Path) -> None:
    facts(tmp_path / "facts", fact(spend="x"), fact(date="2026-02-01", currency="EURO"))
    settings = environment(tmp_path / "home", free_port(), ADLOOM_SANDBOX_FACTS=str(tmp_path / "facts"))
    ended = subprocess.run(
        [sys.executable, "-m", "infra.sandbox"], cwd=ROOT, env=settings, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "facts.csv:2: spend 'x' is not a decimal number" in ended.stderr
    assert "facts.csv:3: currency 'EURO' is not an ISO 4217 currency" in ended.stderr


@pytest.mark.parametrize(
    "missing", ["ADLOOM_SANDBOX_KEY", "ADLOOM_SANDBOX_HOME", "ADLOOM_META_APP_SECRET", "ADLOOM_MAIL_KEY"]
)
def test_it_says_which_setting_is_missing(tmp_path: Path, missing: str) -> None:
    settings = {name: value for name, value in environment(tmp_path, free_port()).items() if name != missing}
    ended = subprocess.run(
        [sys.executable, "-m", "infra.sandbox"], cwd=ROOT, env=settings, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert f"{missing} is not set" in ended.stderr


def test_a_reload_takes_new_facts_and_keeps_the_old_ones_when_they_are_wrong(tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    settings = {"ADLOOM_SANDBOX_FACTS": str(folder), "ADLOOM_CLOCK": "2026-03-02T10:00:00+00:00"}
    with running(tmp_path / "home", **settings) as sandbox:
        token = sandbox.login()
        facts(folder, fact(spend="99.00"))
        sandbox.control("POST", "reload")
        assert sandbox.get("act_11/insights", token).json()["data"][0]["spend"] == "99.00"
        facts(folder, fact(spend="x"))
        reply = httpx.post(f"{sandbox.url}/_sandbox/reload", headers={"X-Sandbox-Key": "control-key"})
        assert reply.status_code == 422
        assert reply.json()["faults"] == ["facts.csv:2: spend 'x' is not a decimal number"]
        assert sandbox.get("act_11/insights", token).json()["data"][0]["spend"] == "99.00"


def test_the_demo_grows_when_the_clock_passes_midnight(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("2026-03-27T10:00:00+00:00,x0\n")
    with running(tmp_path / "home", ADLOOM_CLOCK=f"file:{clock}") as sandbox:
        token = sandbox.lasting()
        accounts = sandbox.get("me/adaccounts", token, fields="currency,timezone_name").json()["data"]
        assert len(accounts) == 3
        berlin = next(one["id"] for one in accounts if one["timezone_name"] == "Europe/Berlin")

        def spend(preset: str) -> list[str]:
            page = sandbox.get(f"{berlin}/insights", token, date_preset=preset).json()
            return [row["spend"] for row in page["data"]]

        morning = spend("today")
        clock.write_text("2026-03-27T22:59:00+00:00,x0\n\n")
        evening = spend("today")
        assert Decimal(evening[0]) > Decimal(morning[0])
        clock.write_text("2026-03-28T03:00:00+00:00,x0\n\n\n")
        assert spend("yesterday") != spend("today") != []
        assert Decimal(spend("yesterday")[0]) > Decimal(evening[0])
