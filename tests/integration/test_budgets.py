"""The calls that a platform allows, kept in Postgres by processes that know nothing of each other."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from adloom.db import Database
from adloom.errors import QuotaUsedUp, Unavailable
from adloom.metrics import schedule
from adloom.metrics.budgets import Budget
from adloom.metrics.schedule import Purpose
from adloom.platforms.google import quota as google
from adloom.platforms.quota import UNLIMITED, Load, Quota
from adloom.platforms.retry import Deadline, OutOfTimeError
from adloom.platforms.tiktok import quota as tiktok
from tests.conftest import Postgres
from tests.unit.metrics.quota_model import Books

Open = Callable[..., Budget]
START = datetime(2026, 3, 7, 0, 3, tzinfo=UTC)
TAKE = """
select granted, wait_s, retry_at, counted_at, refused_by
  from take_calls_at('google', '1', %s, %s, %s, %s, %s, %s, make_interval(secs => %s), %s)
"""
SMALL = Quota("small", per_day=100, block=10)


@pytest.fixture
def admin(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres.admin_url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("truncate budgets, budget_calls, platform_pauses")
        yield connection


@pytest.fixture
def database(connect: Callable[..., Database]) -> Database:
    return connect("sync-google", 6)


@pytest.fixture
def budget(database: Database, admin: psycopg.Connection[Any]) -> Open:
    """`budget(quota, purpose="history")` is a slice's share of the calls."""

    def opened(quota: Quota, *, account: str = "1", seconds: float = 30, purpose: Purpose = "sync") -> Budget:
        return Budget(database, "google", Deadline(seconds), quota, account, purpose)

    return opened


def used(admin: psycopg.Connection[Any]) -> dict[str, int]:
    rows = admin.execute("select purpose, sum(calls)::int as calls from budget_calls group by purpose").fetchall()
    return {row["purpose"]: row["calls"] for row in rows}


# Postgres and the model that whole days are simulated with say the same


@pytest.mark.parametrize("quota", [SMALL, Quota("paced", per_second=0.05, block=3), google.TIERS["explorer"]])
@pytest.mark.parametrize("seed", range(4))
def test_the_books_in_postgres_are_those_of_the_simulation(
    admin: psycopg.Connection[Any], quota: Quota, seed: int
) -> None:
    chance, books, now = random.Random(seed), Books(quota), START
    answers = set()
    for _ in range(250):
        now += timedelta(seconds=chance.choice([0.1, 1, 60, 600, 7200]) * chance.random())
        purpose: Purpose = chance.choice(["sync", "night", "history", "person"])
        wanted = chance.randint(1, quota.per_day // 8 if quota.per_day else 5)
        least = chance.randint(1, wanted)
        granted, at = books.take(purpose, wanted, now, least=least, most_ahead_s=10)
        booked, share = ("sync" if purpose == "night" else purpose), schedule.share(quota, purpose)
        row = admin.execute(TAKE, (booked, wanted, least, quota.per_day, share, quota.per_second, 10, now)).fetchone()
        assert row is not None
        assert row["granted"] == granted
        answers.add(granted > 0)
        if not granted:
            assert row["retry_at"] == at
        elif quota.per_second:
            assert now + timedelta(seconds=row["wait_s"]) == pytest.approx(at, abs=timedelta(milliseconds=1))
        if granted and chance.random() < 0.3:
            unused = chance.randint(0, granted)
            books.give_back(purpose, now, unused)
            admin.execute("select give_back_calls('google', %s, %s, %s)", (booked, row["counted_at"], unused))
    assert answers == {True, False}


# Calls


def test_calls_come_in_blocks_and_what_was_not_used_is_given_back(budget: Open, admin: psycopg.Connection[Any]) -> None:
    one = budget(SMALL)
    for _ in range(13):
        one.admit()
    assert used(admin) == {"sync": 20}
    one.close()
    assert used(admin) == {"sync": 13}
    with pytest.raises(OutOfTimeError):
        one.admit()


def test_no_purpose_uses_up_what_another_needs_and_people_have_the_rest(
    budget: Open, admin: psycopg.Connection[Any]
) -> None:
    made = {}
    purposes: list[Purpose] = ["history", "sync", "night", "person"]
    for purpose in purposes:
        one, made[purpose] = budget(SMALL, purpose=purpose), 0
        refused = None
        while refused is None:
            try:
                one.admit()
            except QuotaUsedUp as error:
                refused = error
            else:
                made[purpose] += 1
        assert refused.retry_at - datetime.now(UTC) > timedelta(hours=23)
        one.close()
    assert made == {"history": 25, "sync": 65, "night": 0, "person": 10}
    assert used(admin) == {"history": 25, "sync": 65, "person": 10}


def test_a_slice_begins_only_where_all_its_calls_are_left(budget: Open, admin: psycopg.Connection[Any]) -> None:
    first, second, third = budget(SMALL), budget(SMALL), budget(SMALL)
    first.begin("night", expected=40)
    second.begin("sync", expected=30.0)
    third.begin("sync", expected=24.2)
    first.admit()
    with pytest.raises(QuotaUsedUp):
        second.admit()
    third.admit()
    assert used(admin) == {"sync": 65}


def test_processes_at_the_same_time_never_take_more_than_there_is(
    postgres: Postgres, admin: psycopg.Connection[Any]
) -> None:
    made = []

    def take_all() -> None:
        database = Database(postgres.url("sync-google"), pool_size=2)
        one = Budget(database, "google", Deadline(60), google.TIERS["explorer"], purpose="sync")
        try:
            while True:
                one.admit()
                made.append(1)
        except QuotaUsedUp:
            one.close()
            database.close()

    threads = [threading.Thread(target=take_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == schedule.share(google.TIERS["explorer"], "sync")
    assert used(admin) == {"sync": len(made)}


def test_calls_of_an_app_keep_their_distance_across_processes(budget: Open) -> None:
    """The moments are given out evenly; a late call is made at once, but no later than its moment lasts."""
    quota, moments = tiktok.TIERS["basic"], []

    def call() -> None:
        one = budget(quota)
        for _ in range(6):
            one.admit()
            moments.append(time.monotonic())

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    moments.sort()
    assert len(moments) == 18
    # Evenly would be one each sixth of a second: a machine that is busy makes it longer, never shorter.
    assert moments[-1] - moments[0] >= 17 / quota.per_second - 0.5


def test_a_moment_that_is_far_ahead_is_not_waited_for(budget: Open, admin: psycopg.Connection[Any]) -> None:
    budget(tiktok.TIERS["basic"]).admit()
    admin.execute("update budgets set next_at = now() + interval '1 minute'")
    with pytest.raises(QuotaUsedUp) as refused:
        budget(tiktok.TIERS["basic"]).admit()
    assert timedelta(seconds=30) < refused.value.retry_at - datetime.now(UTC) <= timedelta(minutes=1)


def test_a_moment_after_the_end_of_the_slice_is_left_to_the_next_one(
    budget: Open, admin: psycopg.Connection[Any]
) -> None:
    budget(tiktok.TIERS["basic"]).admit()
    admin.execute("update budgets set next_at = now() + interval '8 seconds'")
    with pytest.raises(OutOfTimeError):
        budget(tiktok.TIERS["basic"], seconds=1).admit()


# What the platform says


def test_a_quota_that_is_closed_for_an_account_keeps_every_process_from_that_account(budget: Open) -> None:
    budget(UNLIMITED, account="11").heard(Load("account", 100.0, closed_s=1140))
    with pytest.raises(QuotaUsedUp) as refused:
        budget(UNLIMITED, account="11").admit()
    assert refused.value.scope == "account"
    assert refused.value.retry_at - datetime.now(UTC) > timedelta(minutes=18)
    budget(UNLIMITED, account="12").admit()


def test_a_pause_of_the_platform_keeps_a_running_slice_from_further_calls(
    budget: Open, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adloom.metrics.budgets._LOOKS_EVERY_S", 0.0)
    one = budget(UNLIMITED)
    one.admit()
    admin.execute("select pause_platform('google', now() + interval '1 hour')")
    with pytest.raises(QuotaUsedUp) as refused:
        one.admit()
    assert refused.value.scope == "app"


def test_a_busy_app_slows_down_the_first_call_of_another_process(budget: Open) -> None:
    waits: list[float] = []
    budget(UNLIMITED, account="11").heard(Load("app", 87.5))
    other = budget(UNLIMITED, account="12")
    other.deadline = Deadline(60, sleep=waits.append)
    other.admit()
    assert waits == [pytest.approx(2.0, abs=0.5)]


def test_what_is_of_no_interest_to_others_costs_no_round_trip(budget: Open, admin: psycopg.Connection[Any]) -> None:
    one = budget(UNLIMITED)
    one.heard(Load("account", 12.0))
    assert admin.execute("select * from budgets").fetchall() == []
    one.heard(Load("account", 60.0))
    one.heard(Load("account", 61.0))
    (row,) = admin.execute("select percent, key, closed_until from budgets").fetchall()
    assert row == {"percent": 60.0, "key": "1", "closed_until": None}


def test_most_calls_ask_the_database_nothing(budget: Open, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    system = Database.system
    monkeypatch.setattr(Database, "system", lambda self: asked.append(1) or system(self))
    one = budget(google.TIERS["basic"])
    for _ in range(160):
        one.admit()
    one.close()
    assert len(asked) <= 11


@pytest.mark.parametrize("purpose", ["sync", "night"])
def test_moments_that_were_taken_are_used_whatever_they_are_for(
    budget: Open, database: Database, monkeypatch: pytest.MonkeyPatch, purpose: Purpose
) -> None:
    asked = []
    system = Database.system
    monkeypatch.setattr(Database, "system", lambda self: asked.append(1) or system(self))
    one = budget(Quota("paced", per_second=1000.0, block=20), purpose=purpose)
    for _ in range(60):
        one.admit()
    # Three blocks; a machine that is very busy lets some moments pass.
    assert len(asked) <= 30


def test_a_clock_that_was_set_back_closes_no_app(budget: Open, admin: psycopg.Connection[Any]) -> None:
    budget(tiktok.TIERS["basic"]).admit()
    admin.execute("update budgets set next_at = now() + interval '3 hours'")
    budget(tiktok.TIERS["basic"]).admit()
    row = admin.execute("select next_at < now() + interval '1 minute' as is_near from budgets").fetchone()
    assert row == {"is_near": True}


def test_without_a_database_no_call_is_made() -> None:
    gone = Database("postgresql://nobody:nothing@127.0.0.1:9/none", pool_size=1)
    with pytest.raises(Unavailable):
        Budget(gone, "google", Deadline(5)).admit()


def test_no_login_role_sees_or_writes_the_books(connect: Callable[..., Database]) -> None:
    for role in ("sync-google", "sync-meta", "dashboard", "cli"):
        for table in ("budgets", "budget_calls", "paces"):
            with pytest.raises(Exception, match="permission denied"), connect(role).system() as connection:
                connection.exec_driver_sql(f"select * from {table}")
