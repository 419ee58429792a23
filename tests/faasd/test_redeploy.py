"""A function is redeployed while it and its neighbour are asked and events arrive."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from infra.local.verify import Span
from tests.faasd.events import assert_nothing_is_lost, faults, published, set_faults
from tests.faasd.load import Load, load_on
from tests.faasd.openfaas import URL, OpenFaaS
from tests.faasd.platform import Platform
from tests.faasd.programs import say, until

DEPLOYED, OTHER = "sync-meta", "auth"
GAP_S = 10.0
_STEADY = 10


async def test_a_redeploy_is_a_short_gap_of_one_function_alone(
    platform: Platform, connected: None, faasd: OpenFaaS, facts: Path, span: Span
) -> None:
    before, events = faasd.task(DEPLOYED), published(platform)
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat())
    async with load_on(f"{URL}/function/{DEPLOYED}/_/ready", f"{URL}/function/{OTHER}/_/ready") as (own, other):
        await _asked(own, _STEADY)
        asking = asyncio.create_task(asyncio.to_thread(platform.adloom, "sync", "run", *between))
        await asyncio.to_thread(faasd.deploy, DEPLOYED)
        await asking
        await asyncio.to_thread(faasd.wait_ready, DEPLOYED)
        await _asked(own, len(own.requests) + _STEADY)
    assert faasd.task(DEPLOYED).pid != before.pid, "it is another container"
    assert published(platform) > events, "events came while it was away"
    say(
        f"redeploy of {DEPLOYED}: its own gap {own.gap:.2f} s ({len(own.failures)} of {len(own.requests)} requests "
        f"failed), {OTHER}: {len(other.failures)} of {len(other.requests)} failed, longest gap {other.gap:.2f} s"
    )
    assert other.failures == []
    assert own.gap < GAP_S
    assert_nothing_is_lost(platform, facts, span)


def test_a_redeploy_in_the_middle_of_an_event_neither_waits_for_it_nor_loses_it(
    platform: Platform, connected: None, no_faults: None, faasd: OpenFaaS, facts: Path, span: Span
) -> None:
    """The function's network is gone before it is told to stop: what it was at can only be done again."""
    set_faults(platform, {"match": {"path": "insights"}, "fault": {"kind": "hang", "seconds": 40}})
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat())
    platform.adloom("sync", "run", *between)
    until(lambda: faults(platform)[0]["fired"] == 1, "the function to be at work on an event")
    began = time.monotonic()
    faasd.deploy(DEPLOYED)
    faasd.wait_ready(DEPLOYED)
    seconds = time.monotonic() - began
    assert_nothing_is_lost(platform, facts, span)
    handled = time.monotonic() - began
    say(f"redeploy while handling: serves again after {seconds:.2f} s, all events handled after {handled:.1f} s")
    assert seconds < GAP_S


async def _asked(load: Load, count: int) -> None:
    await asyncio.to_thread(until, lambda: len(load.requests) >= count, f"{count} answers of {load.url}")
