"""A function gets a new container while it and its neighbour are asked and events arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from infra.deployment.stackfile import read_functions
from infra.local.verify import Comparison, Span
from tests.deployed import main_job
from tests.faasd.load import Request, load_on
from tests.images.running import Running

DEPLOYED, OTHER = "sync-meta", "auth"
GAP_S = 10.0
_STEADY = 10
_SETTLED_S = 120.0


async def test_a_redeploy_is_a_short_gap_of_one_function_alone(
    platform: Running, job: Comparison, facts: Path, span: Span, tell: Callable[[str], None]
) -> None:
    before, events = platform.pid(DEPLOYED), published(platform)
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat())
    async with load_on(*(f"{platform.url}/function/{name}/_/ready" for name in (DEPLOYED, OTHER))) as (own, other):
        await _asked(own.requests, _STEADY)
        # The first makes events that are delivered while it goes, the second one more while it is away.
        await asyncio.to_thread(platform.adloom, "sync", "run", *between)
        replacing = asyncio.create_task(asyncio.to_thread(platform.replace, DEPLOYED))
        await asyncio.to_thread(main_job.connect, platform.deployment)
        await replacing
        await _asked(own.requests, len(own.requests) + _STEADY)
    assert platform.pid(DEPLOYED) != before
    assert published(platform) > events, "events came while it was away"
    tell(
        f"redeploy of {DEPLOYED}: its own gap {own.gap:.2f} s, {len(own.failures)} of {len(own.requests)} requests "
        f"failed; {OTHER}: {len(other.failures)} of {len(other.requests)} failed, longest gap {other.gap:.2f} s"
    )
    assert other.failures == []
    assert own.gap < GAP_S
    await asyncio.to_thread(nothing_is_lost, platform, facts, span)


async def _asked(requests: list[Request], count: int) -> None:
    """Wait until so many requests were answered."""
    await asyncio.to_thread(main_job.until, lambda: len(requests) >= count, f"answer {count}", 60)


def published(platform: Running) -> int:
    return int(platform.sql("select count(*) from outbox"))


def nothing_is_lost(platform: Running, facts: Path, span: Span) -> None:
    """Every event was handled once, none is a dead letter, and the numbers are those of the folder."""
    main_job.until(lambda: unhandled(platform) == 0, "the handling of every event", _SETTLED_S)
    assert platform.sql("select count(*) from dead_letters") == "0"
    main_job.settled(platform.deployment)
    comparison = main_job.read_back(platform.deployment, facts, span)
    assert comparison.compared > 1000
    assert comparison.differing == 0


def unhandled(platform: Running) -> int:
    """Events for a function that it has not noted. Of another platform's connection none is noted."""
    wanted = [(one.name, subject) for one in read_functions() for subject in one.subjects]
    values = ", ".join(f"('{name}', '{subject}')" for name, subject in wanted)
    return int(
        platform.sql(
            f"select count(*) from outbox o join (values {values}) as w (function, subject) on w.subject = o.subject"
            " where (o.subject <> 'adloom.connections.connected'"
            " or 'sync-' || (o.envelope->'data'->>'platform') = w.function)"
            " and not exists (select from inbox i where i.function = w.function and i.event_id = o.event_id)"
        )
    )
