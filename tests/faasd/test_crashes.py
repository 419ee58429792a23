"""Containers that are killed, and functions that were put to sleep."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx

from infra.local.processes import Identity
from infra.local.verify import Span
from tests.faasd.events import assert_nothing_is_lost, faults, set_faults, told
from tests.faasd.openfaas import URL, OpenFaaS
from tests.faasd.platform import Platform
from tests.faasd.programs import answers, say, until


def test_a_killed_container_comes_back_by_the_next_calls(faasd: OpenFaaS) -> None:
    before = faasd.task("auth")
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: Identity.of(before.pid) is None, "the kernel to end it")
    seconds = faasd.wait_ready("auth")
    say(f"killed container: the next answer after {seconds:.2f} s")
    assert faasd.task("auth").pid != before.pid


def test_a_function_scaled_to_zero_answers_again(faasd: OpenFaaS) -> None:
    faasd.scale("auth", 0)
    until(lambda: faasd.replicas("auth") == 0, "no replica")
    assert not answers(f"http://{faasd.task('auth').address}:8080/_/health")(), "nobody is awake"
    answer = httpx.get(f"{URL}/function/auth/_/ready", timeout=60, trust_env=False)
    say(f"scaled to zero: answered after {answer.elapsed.total_seconds():.2f} s")
    assert answer.status_code == 200, answer.text
    assert faasd.replicas("auth") == 1


def test_an_event_whose_function_was_killed_is_delivered_again(
    platform: Platform, connected: None, no_faults: None, faasd: OpenFaaS, facts: Path, span: Span
) -> None:
    delivered = len(told(platform, "event_delivered"))
    set_faults(platform, {"match": {"path": "insights"}, "fault": {"kind": "hang", "seconds": 30}})
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat())
    platform.adloom("sync", "run", *between)
    until(lambda: faults(platform)[0]["fired"] == 1, "the function to be at work on an event")
    os.kill(faasd.task("sync-meta").pid, signal.SIGKILL)
    set_faults(platform)
    assert_nothing_is_lost(platform, facts, span)
    waited = {one["event_id"]: one for one in told(platform, "event_waits")}
    again = [one for one in told(platform, "event_delivered")[delivered:] if one["attempt"] > 1]
    assert again, "at least one event needed another attempt"
    statuses = sorted({str(waited[one["event_id"]]["status"]) for one in again})
    say(f"killed while handling: {len(again)} events delivered again after {', '.join(statuses)}")
