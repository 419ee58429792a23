"""Ticks at their schedules, on a business clock that is moved while the connector runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adloom import clock
from infra.local.stack import Stack
from tests.integration import connector_rig
from tests.integration.connector_rig import Rig, wait_until

CRON_YML = """
functions:
  sync-meta:
    annotations: {topic: cron-function, schedule: "*/15 * * * *"}
  auth:
    annotations: {topic: cron-function, schedule: "0 3 * * *"}
  oauth-callback: {}
"""
START = datetime(2026, 3, 1, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("cron") / "home", parts=["migrate", "nats"]) as running:
        yield running


@pytest.fixture
def rig(stack: Stack, tmp_path) -> Iterator[Rig]:
    clock.move(tmp_path / "clock", START, rate=0)
    with connector_rig.rig(stack, tmp_path, CRON_YML, ADLOOM_CLOCK=f"file:{tmp_path / 'clock'}") as made:
        yield made


def ticks(rig: Rig) -> Counter:
    return Counter(function for function, _ in rig.receiver.ticks)


def wait_ticks(rig: Rig, expected: dict[str, int]) -> None:
    wait_until(lambda: ticks(rig) == expected, what=lambda: f"{ticks(rig)}, not {expected}", seconds=5)


def settle() -> None:
    """Four looks of the connector at its clock: a tick that should not come would have come."""
    time.sleep(1.0)


def test_ticks_on_a_clock_that_is_moved(rig):
    rig.connector.start()
    rig.connector.wait_for("leading")
    wait_ticks(rig, {"sync-meta": 1, "auth": 1})  # each once at the start, so that what is due is seen
    settle()
    wait_ticks(rig, {"sync-meta": 1, "auth": 1})  # the clock stands still
    clock.move(rig.folder / "clock", START + timedelta(minutes=15), rate=0)
    wait_ticks(rig, {"sync-meta": 2, "auth": 1})
    clock.move(rig.folder / "clock", START + timedelta(days=9), rate=0)
    wait_ticks(rig, {"sync-meta": 3, "auth": 2})  # one each, not the nine days' hundreds
    settle()
    wait_ticks(rig, {"sync-meta": 3, "auth": 2})
    clock.move(rig.folder / "clock", START, rate=0)
    wait_ticks(rig, {"sync-meta": 4, "auth": 3})  # it went back: what is due may have changed


def test_a_fast_clock_ticks_faster(rig):
    clock.move(rig.folder / "clock", START, rate=900)  # fifteen minutes a second
    rig.connector.start()
    wait_until(lambda: ticks(rig)["sync-meta"] >= 4, what=lambda: str(ticks(rig)), seconds=10)
    assert ticks(rig)["auth"] == 1


def test_switched_off_there_are_no_ticks(rig):
    rig.connector.environment["ADLOOM_CRON"] = "off"
    rig.connector.start()
    rig.connector.wait_for("leading")
    settle()
    assert ticks(rig) == {}
