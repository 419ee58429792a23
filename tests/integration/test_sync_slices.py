"""Wake-ups: none is lost, none has a second effect, and no two slices of an account run at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adloom import clock
from adloom.events import SyncMetaRequested
from adloom.metrics import planning, schedule, slices, windows
from adloom.metrics.sync import Access
from adloom.platforms.model import Account, Days, Level
from adloom.platforms.retry import Deadline
from tests.conftest import Postgres
from tests.integration.sync_rig import Rig, long_lived, rig_in, sandbox_on
from tests.unit.sandbox.support import Sandbox, fact, facts

NOON = "2026-03-03T12:00:00+00:00"
LATER = fact(account_id="12", campaign_id="29", adgroup_id="39", ad_id="49", date="2026-03-05")
DAY_BY_DAY = [fact(date=f"2026-02-{day:02}") for day in range(1, 29)] + [fact(), fact(date="2026-03-02"), LATER]
Start = Callable[..., Rig]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("slices")
    with sandbox_on(facts(folder / "facts", *DAY_BY_DAY), folder, NOON) as started:
        yield started


@pytest.fixture
def start(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[Start]:
    """`start()` connects a new organisation and settles its first sync."""
    with ExitStack() as stack:

        def begin(*, settled: bool = True) -> Rig:
            rig = stack.enter_context(rig_in(postgres, *shared))
            rig.at(NOON)
            if settled:
                rig.settle()
            return rig

        yield begin


def plan(rig: Rig, since: str = "2026-02-01", until: str = "2026-03-03") -> None:
    planning.request(
        rig.sync,
        org_id=rig.org_id,
        account_scope="*",
        since=date.fromisoformat(since),
        until=date.fromisoformat(until),
    )


def accept_all(rig: Rig) -> None:
    for envelope in rig.undelivered():
        rig.accept(envelope)


def wake(rig: Rig) -> dict[str, Any]:
    """The one undelivered wake-up."""
    (found,) = [one for one in rig.undelivered() if one["type"].startswith("adloom.sync_meta.requested")]
    return found


def effects(rig: Rig) -> tuple[int, int, int]:
    """Runs, events of stored windows, and rows of facts."""
    return (
        rig.one("select count(*) from sync_runs where org_id = %s"),
        rig.one("select count(*) from outbox where org_id = %s and subject = 'adloom.metrics.synced'"),
        rig.one("select count(*) from metrics where org_id = %s"),
    )


def waiting(rig: Rig) -> list[tuple[str, str]]:
    rows = rig.rows("select since, until from sync_windows where org_id = %s order by until desc")
    return [(row["since"].isoformat(), row["until"].isoformat()) for row in rows]


def slice_of(rig: Rig, envelope: dict[str, Any], *, seconds: float) -> None:
    """Deliver with less time than usual."""
    event = SyncMetaRequested.model_validate(envelope["data"])
    slices.run(rig.sync, event, uuid.UUID(envelope["id"]), seconds=seconds)


# Delivered more than once


def test_an_event_that_comes_again_has_no_second_effect(start: Start) -> None:
    rig = start()
    plan(rig)
    envelope = wake(rig)
    rig.deliver(envelope)
    rig.accept(envelope)
    before = effects(rig)
    plan(rig)
    accept_all(rig)
    rig.deliver(envelope)
    assert effects(rig) == before
    assert waiting(rig) == [("2026-02-01", "2026-03-03")]


def test_a_connection_event_that_comes_again_asks_for_nothing(start: Start) -> None:
    rig = start(settled=False)
    (connected,) = rig.undelivered()
    rig.settle()
    before = effects(rig)
    rig.admin.execute("update ad_accounts set last_synced_at = null where org_id = %s", (rig.org_id,))
    rig.deliver(connected)
    assert (effects(rig), waiting(rig), rig.undelivered()) == (before, [], [])


def test_a_wake_up_without_work_is_noted_and_asks_the_platform_nothing(start: Start) -> None:
    rig = start()
    with rig.database.tenant(rig.org_id) as connection:
        rig.sync.wake(connection, rig.org_id, rig.account_id("11"), "tick")
    rig.sandbox.control("DELETE", "requests")
    before = effects(rig)
    rig.settle()
    assert effects(rig) == before
    assert rig.sandbox.control("GET", "requests")["requests"] == []


# Longer than one call


def test_a_slice_without_time_hands_on_and_the_chain_of_slices_ends(start: Start) -> None:
    rig = start()
    plan(rig)
    envelope = wake(rig)
    slice_of(rig, envelope, seconds=0)
    rig.accept(envelope)
    assert waiting(rig) == [("2026-02-01", "2026-03-03")]
    assert wake(rig)["data"]["reason"] == "continuation"
    rig.settle()
    assert (waiting(rig), rig.undelivered()) == ([], [])


def test_only_the_newest_continuation_goes_on(start: Start) -> None:
    rig = start()
    plan(rig)
    first = wake(rig)
    slice_of(rig, first, seconds=0)
    rig.accept(first)
    older = wake(rig)
    rig.accept(older)
    plan(rig, until="2026-03-03")
    newer = wake(rig)
    slice_of(rig, newer, seconds=0)
    rig.accept(newer)
    rig.deliver(older)
    assert waiting(rig) == [("2026-02-01", "2026-03-03")]
    assert len(rig.undelivered()) == 1
    rig.settle()
    assert waiting(rig) == []


def test_what_was_stored_before_a_kill_is_not_fetched_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = start()
    plan(rig)
    envelope = wake(rig)
    with monkeypatch.context() as killed:
        killed.setattr(slices, "_conclude", _die)
        with pytest.raises(SystemExit):
            rig.deliver(envelope)
    before = effects(rig)
    rig.sandbox.control("DELETE", "requests")
    rig.deliver(envelope)
    assert effects(rig) == before
    assert rig.sandbox.control("GET", "requests")["requests"] == []
    assert waiting(rig) == []


def _die(*_args: object, **_more: object) -> None:
    raise SystemExit


def test_a_kill_inside_the_transaction_leaves_the_window_as_if_nothing_had_happened(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    before = rig.one("select jsonb_agg(to_jsonb(m) order by level, day) from metrics m where org_id = %s")
    rig.admin.execute("delete from metrics where org_id = %s and day > '2026-02-20'", (rig.org_id,))
    plan(rig, since="2026-02-20")
    envelope = wake(rig)
    with monkeypatch.context() as killed:
        killed.setattr(windows, "done", _die)
        with pytest.raises(SystemExit):
            rig.deliver(envelope)
    assert rig.one("select count(*) from metrics where org_id = %s and day > '2026-02-20'") == 0
    assert waiting(rig) == [("2026-02-20", "2026-03-03")]
    rig.deliver(envelope)
    keys = "select jsonb_agg(to_jsonb(m) - 'run_id' order by level, day) from metrics m where org_id = %s"
    assert rig.one(keys) == [{key: row[key] for key in row if key != "run_id"} for row in before]


# Two at once


def test_while_another_slice_runs_a_wake_up_is_handed_on_and_none_is_lost(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "WAIT_FOR_LOCK_S", 0.1)
    rig = start()
    plan(rig)
    envelope = wake(rig)
    with rig.database.account_lock(rig.account_id("11")) as held:
        assert held
        before = effects(rig)
        rig.deliver(envelope)
        rig.accept(envelope)
        assert effects(rig) == before
        again = wake(rig)
        assert again["data"]["reason"] == "continuation"
        rig.deliver(envelope)
        assert len(rig.undelivered()) == 1, "the first word is noted"
    rig.settle()
    assert waiting(rig) == []


def test_two_deliveries_at_the_same_time_store_every_window_once(start: Start) -> None:
    rig = start()
    plan(rig)
    first = wake(rig)
    plan(rig)
    events = [one for one in rig.undelivered() if one["type"].startswith("adloom.sync_meta")]
    assert len(events) == 2
    runs = effects(rig)[0]
    threads = [threading.Thread(target=rig.deliver, args=(envelope,)) for envelope in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rig.settle()
    stored = rig.rows("select since, until from sync_runs where org_id = %s and kind = 'metrics' order by run_id")
    days = [day for row in stored[runs - 1 :] for day in Days(row["since"], row["until"])]
    assert len(days) == len(set(days))
    assert waiting(rig) == []
    assert first is not None


def test_days_that_are_asked_for_while_they_are_fetched_are_fetched_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    plan(rig, since="2026-03-01")
    asked: list[Level] = []
    reader = type(rig.sync.open_reader(Access("token", Deadline(1))))
    original = reader.facts

    def facts_and_ask(self: Any, account: Account, level: Level, days: Days) -> Any:
        if not asked:
            plan(rig, since="2026-03-02", until="2026-03-02")
        asked.append(level)
        return original(self, account, level, days)

    monkeypatch.setattr(reader, "facts", facts_and_ask)
    rig.deliver(rig.undelivered()[0])
    stored = rig.rows(
        "select since, until from sync_runs where org_id = %s and kind = 'metrics' order by run_id desc limit 2"
    )
    assert [(row["since"].day, row["until"].day) for row in reversed(stored)] == [(1, 3), (2, 2)]


# The list


def test_asking_for_days_again_cuts_them_out_of_what_waits(start: Start) -> None:
    rig = start()
    account_id = rig.account_id("11")
    with rig.database.tenant(rig.org_id) as connection:
        for since, until in (("2026-01-01", "2026-01-31"), ("2026-01-10", "2026-01-12"), ("2026-01-12", "2026-02-03")):
            days = Days(date.fromisoformat(since), date.fromisoformat(until))
            windows.plan(connection, rig.org_id, account_id, days)
    assert waiting(rig) == [("2026-01-12", "2026-02-03"), ("2026-01-10", "2026-01-11"), ("2026-01-01", "2026-01-09")]


def test_days_that_are_done_leave_the_list_but_not_those_asked_for_since(start: Start) -> None:
    rig = start()
    account_id = rig.account_id("11")
    january = Days(date(2026, 1, 1), date(2026, 1, 31))
    with rig.database.tenant(rig.org_id) as connection:
        windows.plan(connection, rig.org_id, account_id, january)
    before = datetime.now(UTC) - timedelta(minutes=5)
    with rig.database.tenant(rig.org_id) as connection:
        assert windows.done(connection, rig.org_id, account_id, january, before), "somebody waits for them"
        assert [pending.days for pending in windows.pending(connection, account_id)] == [january]
        after = datetime.now(UTC) + timedelta(minutes=5)
        assert windows.done(connection, rig.org_id, account_id, Days(date(2026, 1, 10), date(2026, 2, 20)), after)
        assert not windows.done(connection, rig.org_id, account_id, Days(date(2026, 1, 10), date(2026, 2, 20)), after)
    assert waiting(rig) == [("2026-01-01", "2026-01-09")]


# The tick


def test_a_tick_asks_for_what_is_due_and_twice_for_nothing(start: Start) -> None:
    rig = start()
    assert planning.tick(rig.sync) == 0
    rig.at("2026-03-03T12:15:00+00:00")
    assert planning.tick(rig.sync) == 1
    assert planning.tick(rig.sync) == 0
    assert waiting(rig) == [("2026-03-01", "2026-03-03")]
    rig.settle()
    assert waiting(rig) == []


def test_a_turn_that_is_further_away_than_a_cadence_is_not_taken_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, every = start(), timedelta(hours=2)
    monkeypatch.setattr(planning.pacing, "settle", lambda *_: every)
    noon, account_id = datetime(2026, 3, 3, 12, 15, tzinfo=UTC), rig.account_id("11")
    moments = [noon + timedelta(minutes=minutes) for minutes in range(0, 120, 5)]
    rig.at(max(moments, key=lambda moment: schedule.next_due(account_id, moment, every) - moment))
    assert planning.tick(rig.sync) == 1
    assert planning.tick(rig.sync) == 0


def test_history_that_a_sync_goes_on_with_is_no_part_of_what_a_sync_takes(start: Start) -> None:
    rig = start()
    taken = []
    for minute in (15, 30):
        rig.at(f"2026-03-03T12:{minute}:00+00:00")
        if taken:
            with rig.database.tenant(rig.org_id) as connection:
                windows.plan(connection, rig.org_id, rig.account_id("11"), Days(date(2025, 3, 1), date(2025, 12, 31)))
        planning.tick(rig.sync)
        rig.settle()
        taken.append(rig.one("select sync_calls from ad_accounts where org_id = %s and external_id = '11'"))
    assert waiting(rig) == []
    assert taken[0] > 0
    assert taken[1] == taken[0]


def test_once_a_local_day_all_that_may_have_moved_is_asked_for(start: Start) -> None:
    rig = start()
    rig.at("2026-03-03T23:05:00+00:00")  # in Berlin it is the 4th
    planning.tick(rig.sync)
    assert waiting(rig) == [("2026-02-03", "2026-03-04")]
    rig.settle()
    rig.at("2026-03-03T23:20:00+00:00")
    planning.tick(rig.sync)
    assert waiting(rig) == [("2026-03-02", "2026-03-04")]


def test_a_new_account_under_an_old_connection_is_found_within_a_day(start: Start) -> None:
    rig = start()
    assert rig.one("select count(*) from ad_accounts where org_id = %s") == 1
    rig.at("2026-03-05T13:00:00+00:00")
    planning.tick(rig.sync)
    rig.settle()
    assert rig.one("select count(*) from metrics where org_id = %s and account_id = %s", rig.account_id("12")) == 4


def test_a_tick_leaves_alone_what_is_blocked_broken_or_switched_off(start: Start) -> None:
    rig = start()
    rig.at("2026-03-03T12:15:00+00:00")
    for change, back in (
        ("ad_accounts set blocked_until = now() + interval '1 minute'", "ad_accounts set blocked_until = null"),
        ("connections set status = 'broken'", "connections set status = 'active'"),
        ("ad_accounts set sync_enabled = false", "ad_accounts set sync_enabled = true"),
    ):
        rig.admin.execute(f"update {change} where org_id = %s".encode(), (rig.org_id,))
        assert planning.tick(rig.sync) == 0, change
        rig.admin.execute(f"update {back} where org_id = %s".encode(), (rig.org_id,))
    assert planning.tick(rig.sync) == 1


def test_a_wake_up_of_a_blocked_account_waits_for_the_tick_after_the_block(start: Start) -> None:
    rig = start()
    plan(rig)
    rig.admin.execute(
        "update ad_accounts set blocked_until = now() + interval '1 hour' where org_id = %s", (rig.org_id,)
    )
    rig.sandbox.control("DELETE", "requests")
    rig.settle()
    assert rig.sandbox.control("GET", "requests")["requests"] == []
    assert waiting(rig) == [("2026-02-01", "2026-03-03")]
    rig.admin.execute("update ad_accounts set blocked_until = now() where org_id = %s", (rig.org_id,))
    assert planning.tick(rig.sync) == 1
    rig.settle()
    assert waiting(rig) == []


def test_a_mended_connection_goes_on_where_it_stood(start: Start) -> None:
    rig = start()
    rig.sandbox.control("POST", "tokens/revoke", {"platform": "meta"})
    plan(rig)
    rig.settle()
    assert rig.one("select status from connections where org_id = %s") == "broken"
    assert waiting(rig) == [("2026-02-01", "2026-03-03")]
    rig.at("2026-03-03T15:00:00+00:00")
    rig.connect(long_lived(rig.sandbox))
    rig.settle()
    assert waiting(rig) == []
    assert rig.rows("select error_code, last_synced_at from ad_accounts where org_id = %s") == [
        {"error_code": None, "last_synced_at": clock.now()}
    ]
