"""What became of the events, and the numbers afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import psycopg

from infra.local.verify import Span
from tests.deployed import main_job
from tests.faasd.platform import Platform
from tests.faasd.programs import until

# Events for a function that it has not noted; `%s` are its subjects and twice its name. What is said of another
# platform's connection has no effect, and none is noted.
_UNHANDLED = """
select count(*) from outbox o
 where o.subject = any (%s)
   and (o.subject <> 'adloom.connections.connected' or 'sync-' || (o.envelope->'data'->>'platform') = %s)
   and not exists (select from inbox i where i.function = %s and i.event_id = o.event_id)
"""
_SETTLED_S = 240.0


def published(platform: Platform) -> int:
    return int(_one(platform, "select count(*) from outbox"))


def unhandled(platform: Platform, function: str) -> int:
    subjects = next(list(one.subjects) for one in platform.functions if one.name == function)
    return int(_one(platform, _UNHANDLED, subjects, function, function))


def dead(platform: Platform) -> int:
    return int(_one(platform, "select count(*) from dead_letters"))


def assert_nothing_is_lost(platform: Platform, facts: Path, span: Span) -> None:
    """Every event was handled, none is a dead letter, and the numbers are those of the folder."""
    for function in platform.functions:
        until(
            lambda name=function.name: unhandled(platform, name) == 0,
            f"the events of {function.name}",
            _SETTLED_S,
            lambda: platform.log("connector")[-3000:],
        )
    assert dead(platform) == 0
    main_job.settled(platform.deployment)
    comparison = main_job.read_back(platform.deployment, facts, span)
    assert comparison.compared > 0
    assert comparison.differing == 0


def told(platform: Platform, what: str) -> list[dict[str, Any]]:
    """The connector's log lines of this event."""
    lines = (line for line in platform.log("connector").splitlines() if line.startswith("{"))
    return [one for one in map(json.loads, lines) if one["event"] == what]


def set_faults(platform: Platform, *entries: dict[str, Any]) -> None:
    """Replace the sandbox's script of faults."""
    _control(platform, "POST", "faults", list(entries))


def faults(platform: Platform) -> list[dict[str, Any]]:
    """The script, with how often each line has fired."""
    found: list[dict[str, Any]] = _control(platform, "GET", "faults").json()
    return found


def _control(platform: Platform, method: str, path: str, body: Any = None) -> httpx.Response:
    deployment = platform.deployment
    headers = {"X-Sandbox-Key": deployment.sandbox_key}
    url = f"{deployment.sandbox}/_sandbox/{path}"
    return httpx.request(method, url, headers=headers, json=body, trust_env=False, timeout=30).raise_for_status()


def _one(platform: Platform, query: str, *values: object) -> Any:
    with psycopg.connect(platform.admin_url) as connection:
        row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]
