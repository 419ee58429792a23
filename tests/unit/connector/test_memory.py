"""What the connector remembers and says of itself."""

from __future__ import annotations

import time

import pytest

from infra.connector import delivery
from infra.connector.delivery import Settled
from infra.connector.health import Health


def test_what_was_settled_is_known_for_its_function_only():
    settled = Settled()
    settled.add("a", "1")
    assert ("a", "1") in settled
    assert ("b", "1") not in settled


def test_the_memory_is_bounded_and_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(delivery, "_REMEMBERED", 3)
    settled = Settled()
    for number in (1, 2, 2, 3, 4):
        settled.add("a", str(number))
    assert [("a", str(number)) in settled for number in (1, 2, 3, 4)] == [False, True, True, True]


def test_health_names_what_is_missing():
    health = Health()
    health.connecting("database")
    health.connecting("nats")
    health.connected("database")
    status, said = health.report()
    assert (status, said["missing"]) == (503, {"nats": "not connected yet"})
    health.connected("nats")
    assert health.report()[0] == 503  # connected, but neither leading nor waiting for the lead
    for state in ("standby", "leading"):
        health.working(state)
        assert health.report()[0] == 200
    health.away("database", "it went")
    assert health.report()[1]["missing"] == {"database": "it went"}


@pytest.mark.parametrize(("silence", "status"), [(1, 200), (120, 503)])
def test_a_loop_that_hangs_is_not_healthy(monkeypatch, silence, status):
    health = Health()
    health.working("leading")
    health.beat("relay")
    later = time.monotonic() + silence
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert health.report()[0] == status
