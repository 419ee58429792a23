"""From an outbox row to a function's effect, with a real Postgres, a real NATS and a real connector process."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterator

import pytest

from adloom.events import AccountsConnected, Event
from infra.local.stack import Stack
from tests.integration import connector_rig
from tests.integration.connector_rig import Reply, Rig, problem, wait_until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("delivery") / "home", parts=["migrate", "nats"]) as running:
        yield running


@pytest.fixture
def rig(stack: Stack, tmp_path) -> Iterator[Rig]:
    with connector_rig.rig(stack, tmp_path, ADLOOM_CONNECTOR_ATTEMPTS="4") as made:
        made.connector.start()
        yield made


def dead(rig: Rig) -> list[tuple]:
    return rig.admin(
        "select function, event_id, attempts, last_status, last_error from dead_letters order by letter_id"
    )


def test_an_event_arrives_signed_with_its_envelope_as_it_was_stored(rig):
    (event_id,) = rig.publish(7)
    rig.wait_effects(1)
    (delivered,) = rig.receiver.deliveries
    assert delivered.headers["Content-Type"] == "application/cloudevents+json"
    assert delivered.headers["X-Adloom-Attempt"] == "1"
    assert delivered.event_id == event_id
    ((stored, marked),) = rig.admin("select envelope::text, published_at is not null from outbox")
    assert (delivered.body.decode(), marked) == (stored, True)


def test_the_request_id_of_the_sender_travels_along(rig):
    from adloom import logs

    token = logs.request_id.set("a-request-id-1")
    rig.publish(7)
    logs.request_id.reset(token)
    rig.wait_effects(1)
    assert rig.receiver.deliveries[0].headers["X-Request-Id"] == "a-request-id-1"


def test_each_function_gets_the_subjects_it_names_and_no_others(rig):
    rig.publish(1)
    connected = AccountsConnected(org_id=rig.org_id, account_id=None, connection_id=uuid.uuid4(), platform="meta")
    event_id = rig.publish_event(connected)
    rig.wait_effects(2)
    rig.wait_effects(1, "auth")
    assert rig.effects("auth") == [(event_id, None)]


def test_the_events_of_an_account_come_one_after_the_other_and_accounts_side_by_side(rig):
    def slowly(_event: Event, _count: int) -> Reply:
        time.sleep(0.03)
        return Reply()

    rig.receiver.behave = slowly
    sent = defaultdict(list)
    for account in [1, 2, 3, 4, 5, 6] * 8:
        sent[account] += rig.publish(account)
    rig.wait_effects(48)
    got = defaultdict(list)
    for event_id, account in rig.effects():
        got[account].append(event_id)
    assert got == sent
    deliveries = rig.receiver.deliveries
    overlaps = [
        (one, other)
        for one in deliveries
        for other in deliveries
        if one is not other and one.began <= other.began < one.ended
    ]
    assert not [pair for pair in overlaps if pair[0].event.account_id == pair[1].event.account_id]
    at_once = max(sum(one.began <= other.began < one.ended for one in deliveries) for other in deliveries)
    assert 2 <= at_once <= 4


def test_a_waiting_event_holds_up_its_account_and_nobody_else(rig):
    refusals = [Reply(503, headers={"Retry-After": "1"}, effect=False)]

    def account_one_waits(event: Event, _count: int) -> Reply:
        return refusals.pop() if event.account_id == 1 and refusals else Reply()

    rig.receiver.behave = account_one_waits
    sent = rig.publish(1, 1, 2, 2, 1)
    rig.wait_effects(5)
    accounts = [account for _, account in rig.effects()]
    assert accounts == [2, 2, 1, 1, 1]
    assert [event for event, account in rig.effects() if account == 1] == [sent[0], sent[1], sent[4]]
    first = [one for one in rig.receiver.deliveries if one.event_id == sent[0]]
    assert [one.headers["X-Adloom-Attempt"] for one in first] == ["1", "2"]
    assert first[1].began - first[0].ended >= 1.0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 404])
def test_an_answer_that_is_not_the_functions_own_is_tried_again(rig, status):
    rig.receiver.behave = lambda _event, count: Reply(status, b"<html>", effect=False) if count < 3 else Reply()
    rig.publish(1)
    rig.wait_effects(1)
    assert len(rig.receiver.deliveries) == 3
    assert dead(rig) == []


def test_a_refusal_is_a_dead_letter_at_once_and_the_account_goes_on(rig):
    refused, other = uuid.uuid4(), None
    rig.receiver.behave = lambda _event, _count: problem(422, retryable=False)
    (refused,) = rig.publish(1)
    wait_until(lambda: len(dead(rig)) == 1, what=lambda: "no dead letter")
    assert dead(rig) == [("sync-meta", refused, 1, 422, "no: it said no")]
    rig.receiver.behave = lambda _event, _count: Reply()
    (other,) = rig.publish(1)
    rig.wait_effects(1)
    assert [event for event, _ in rig.effects()] == [other]


def test_an_event_that_never_succeeds_is_a_dead_letter_after_all_attempts(rig):
    rig.receiver.behave = lambda _event, _count: problem(503, retryable=True)
    (event_id,) = rig.publish(1)
    wait_until(lambda: len(dead(rig)) == 1, what=lambda: "no dead letter")
    assert dead(rig)[0][:4] == ("sync-meta", event_id, 4, 503)
    assert len(rig.receiver.deliveries) == 4


def test_an_account_with_too_many_events_behind_a_failing_one_loses_its_attempts_and_nobody_elses(stack, tmp_path):
    """Otherwise its events would fill the broker's window, and in the end nobody would get any."""
    with connector_rig.rig(stack, tmp_path, ADLOOM_CONNECTOR_ATTEMPTS="1000") as rig:
        rig.receiver.behave = lambda event, _count: problem(503, retryable=True) if event.account_id == 1 else Reply()
        events = rig.publish(*[1] * 103)
        rig.connector.start()
        wait_until(lambda: len(dead(rig)) == 3, what=lambda: str(dead(rig)))
        (other,) = rig.publish(2)
        rig.wait_effects(1)
        assert [event for _, event, *_ in dead(rig)] == events[:3]
        assert rig.effects() == [(other, 2)]


def test_a_replayed_letter_goes_to_its_function_alone_and_is_marked(rig):
    rig.receiver.behave = lambda _event, _count: problem(422, retryable=False)
    event = AccountsConnected(org_id=rig.org_id, account_id=None, connection_id=uuid.uuid4(), platform="meta")
    event_id = rig.publish_event(event)
    wait_until(lambda: len(dead(rig)) == 2, what=lambda: "no dead letters")
    rig.receiver.behave = lambda _event, _count: Reply()
    rig.ask_for_replay("sync-meta")
    rig.wait_effects(1)
    wait_until(
        lambda: rig.admin("select function from dead_letters where replayed_at is null") == [("auth",)],
        what=lambda: "not marked as replayed",
    )
    assert (rig.effects(), rig.effects("auth")) == ([(event_id, None)], [])


def test_a_letter_that_dies_again_is_open_again_and_can_be_replayed_again(rig):
    rig.receiver.behave = lambda _event, _count: problem(422, retryable=False)
    (event_id,) = rig.publish(1)
    for number in (1, 2, 3):
        wait_until(
            lambda: (
                rig.admin("select count(*) from dead_letters where replayed_at is null and replay_requested_at is null")
                == [(1,)]
            ),
            what=lambda: "no open letter",
        )
        assert len(rig.receiver.deliveries) == number
        if number == 3:
            rig.receiver.behave = lambda _event, _count: Reply()
        rig.ask_for_replay()
    rig.wait_effects(1)
    assert rig.effects() == [(event_id, 1)]


def test_a_replay_of_an_event_that_had_its_effect_changes_nothing(rig):
    (event_id,) = rig.publish(1)
    rig.wait_effects(1)
    rig.admin(
        "insert into dead_letters (org_id, function, event_id, subject, envelope, attempts, last_error,"
        " replay_requested_at) select org_id, 'sync-meta', event_id, subject, envelope, 1, 'x', now() from outbox"
    )
    wait_until(
        lambda: (
            len(rig.receiver.deliveries) == 2
            or rig.admin("select replayed_at is not null from dead_letters") != [(True,)]
        ),
        what=lambda: "not replayed",
    )
    wait_until(lambda: len(rig.receiver.deliveries) == 2, what=lambda: "not delivered again")
    assert rig.effects() == [(event_id, 1)]


def test_a_function_with_another_secret_refuses_and_nothing_takes_effect(stack, tmp_path):
    with connector_rig.rig(stack, tmp_path) as rig:
        (tmp_path / "secrets" / "sync-meta-event-secret").write_text("a wrong one")
        rig.connector.start()
        rig.publish(1)
        wait_until(lambda: len(dead(rig)) == 1, what=lambda: "no dead letter")
        assert dead(rig)[0][2:4] == (1, 401)
        assert rig.effects() == []


def test_what_is_no_event_of_ours_is_logged_and_blocks_nothing(rig):
    import asyncio

    import nats

    async def publish_garbage() -> None:
        client = await nats.connect(rig.stack.secret("connector", "nats-url"))
        await client.jetstream().publish("adloom.sync_meta.requested", b"garbage")
        await client.close()

    rig.connector.wait_for("leading")
    asyncio.run(publish_garbage())
    rig.publish(1)
    rig.wait_effects(1)
    assert "event_unreadable" in rig.connector.log.read_text()
