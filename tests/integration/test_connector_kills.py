"""Killing the connector, NATS or Postgres between any two steps of a delivery loses no event and doubles no effect."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from adloom.events import Event
from infra.local.stack import Stack
from tests.integration import connector_rig
from tests.integration.connector_rig import Reply, Rig, problem, wait_until

ACCOUNTS = [1, 2, 3] * 10
# Shorter than a restart takes, so that what is published again is no duplicate to the broker.
WINDOW_S = 0.2


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("kills") / "home", parts=["migrate", "nats"]) as running:
        yield running


@pytest.fixture
def rig(stack: Stack, tmp_path) -> Iterator[Rig]:
    with connector_rig.rig(stack, tmp_path, ADLOOM_CONNECTOR_DUPLICATE_WINDOW=str(WINDOW_S)) as made:
        yield made


def assert_each_event_had_one_effect_in_order(rig: Rig, events: list) -> None:
    sent, got = defaultdict(list), defaultdict(list)
    for event_id, account in zip(events, ACCOUNTS, strict=True):
        sent[account].append(event_id)
    for event_id, account in rig.effects():
        got[account].append(event_id)
    assert got == sent


@contextmanager
def revived(rig: Rig, victim: str) -> Iterator[None]:
    """The victim comes back after it was killed: NATS and Postgres by their supervisor, the connector by us."""
    rig.connector.start()
    yield
    rig.wait_fired()
    if victim == "connector":
        assert rig.connector.process.wait(10) == -signal.SIGKILL
        time.sleep(WINDOW_S)
        rig.connector.start()


@pytest.mark.parametrize("point", ["outbox.published", "delivery.answered"])
@pytest.mark.parametrize("victim", ["connector", "nats", "postgres"])
def test_killed_between_two_steps(rig, victim, point):
    events = rig.publish(*ACCOUNTS)
    rig.arm(point, 7, None if victim == "connector" else rig.stack.pid(victim))
    with revived(rig, victim):
        pass
    rig.wait_effects(len(ACCOUNTS))
    assert_each_event_had_one_effect_in_order(rig, events)
    wait_until(
        lambda: rig.admin("select count(*) from outbox where published_at is null") == [(0,)], what=lambda: "not marked"
    )
    if victim == "connector":  # the same event was sent twice, and the inbox kept it from having a second effect
        wait_until(lambda: len(rig.receiver.deliveries) > len(ACCOUNTS), what=lambda: "nothing came twice")


def test_a_killed_connector_delivers_what_it_held_first(rig):
    """The broker would send it a minute later, behind the account's later events."""
    rig.receiver.behave = lambda _event, _count: problem(503, retryable=True)
    held = rig.publish(1, 2)
    rig.connector.start()
    wait_until(lambda: len(rig.receiver.deliveries) >= 2, what=rig.told)
    rig.connector.end()
    rig.receiver.behave = lambda _event, _count: Reply()
    later = rig.publish(1, 2)
    began = time.monotonic()
    rig.connector.start()
    rig.wait_effects(4)
    assert time.monotonic() - began < 30
    assert [event for event, account in rig.effects() if account == 1] == [held[0], later[0]]


def test_an_event_that_is_published_again_while_it_is_delivered_keeps_nothing_waiting(rig):
    def slowly(_event: Event, _count: int) -> Reply:
        time.sleep(1.0)
        return Reply()

    rig.receiver.behave = slowly
    rig.publish(1)
    rig.connector.start()
    wait_until(lambda: rig.receiver.began > 0, what=rig.told)
    time.sleep(WINDOW_S)
    rig.admin("update outbox set published_at = null")  # as if the mark had been lost with the database
    rig.publish(2)
    rig.wait_effects(2)
    wait_until(lambda: rig.unsettled() == 0, what=lambda: f"{rig.unsettled()} events", seconds=5)
    assert len(rig.receiver.deliveries) == 2


def test_what_a_broker_lost_with_its_disk_is_published_again_and_what_was_done_stays_done_once(rig):
    rig.connector.start()
    done = rig.publish(1)
    rig.wait_effects(1)
    rig.receiver.behave = lambda _event, _count: problem(503, retryable=True)
    held = rig.publish(2, 1)
    wait_until(lambda: len(rig.receiver.deliveries) >= 3, what=rig.told)
    rig.connector.end()
    connector_rig.lose_stream(rig.stack)
    rig.receiver.behave = lambda _event, _count: Reply()
    rig.connector.start()
    with rig.databases["cli"].system() as connection:
        assert connection.execute(text("select outbox_republish(14)")).scalar_one() == 3
    rig.wait_effects(3)
    wait_until(lambda: rig.unsettled() == 0, what=lambda: f"{rig.unsettled()} events")
    assert sorted(event for event, _account in rig.effects()) == sorted(done + held)


def test_events_wait_while_the_broker_or_the_database_is_away(rig):
    rig.connector.start()
    rig.connector.wait_for("leading")
    with rig.stack.without("nats"):
        events = rig.publish(1)
        wait_until(lambda: "nats" in rig.connector.health()[1]["missing"], what=lambda: "still healthy")
        assert rig.connector.health()[0] == 503
    rig.wait_effects(1)
    with rig.stack.without("postgres"):
        wait_until(lambda: "database" in rig.connector.health()[1]["missing"], what=lambda: "still healthy")
    events += rig.publish(2)
    rig.wait_effects(2)
    assert [event for event, _ in rig.effects()] == events
    assert rig.connector.health()[0] == 200


def test_a_second_connector_waits_and_takes_over_when_the_first_is_killed(rig):
    rig.connector.start()
    rig.connector.wait_for("leading")
    second = rig.make_connector()
    second.start()
    try:
        second.wait_for("standby")
        assert second.health()[0] == 200
        events = rig.publish(*ACCOUNTS)
        rig.wait_effects(5)
        rig.connector.end()
        rig.wait_effects(len(ACCOUNTS))
        assert_each_event_had_one_effect_in_order(rig, events)
        second.wait_for("leading")
    finally:
        second.end()


def test_told_to_stop_it_finishes_what_is_in_a_functions_hands(rig):
    def slowly(_event: Event, _count: int) -> Reply:
        time.sleep(1.0)
        return Reply()

    rig.receiver.behave = slowly
    events = rig.publish(1, 1)
    rig.connector.start()
    wait_until(lambda: rig.receiver.began > 0, what=rig.told)
    began = time.monotonic()
    assert rig.connector.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    assert [event for event, _ in rig.effects()] == events[:1]
    rig.connector.start()
    rig.wait_effects(2)
    assert len(rig.receiver.deliveries) == 2


def test_told_to_stop_it_does_not_wait_for_a_slow_function(rig):
    def very_slowly(_event: Event, count: int) -> Reply:
        time.sleep(6.0 if count == 1 else 0)
        return Reply()

    rig.receiver.behave = very_slowly
    events = rig.publish(1)
    rig.connector.start()
    wait_until(lambda: rig.receiver.began > 0, what=rig.told)
    began = time.monotonic()
    assert rig.connector.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    rig.connector.start()
    rig.wait_effects(1)
    wait_until(lambda: len(rig.receiver.deliveries) == 2, what=lambda: "the slow call never ended")
    assert [event for event, _ in rig.effects()] == events


def test_told_to_stop_while_it_waits_it_stops(rig):
    rig.connector.start()
    rig.connector.wait_for("leading")
    with rig.stack.without("nats"):
        wait_until(lambda: rig.connector.health()[0] == 503, what=lambda: "still healthy")
        assert rig.connector.end(signal.SIGTERM) == 0
