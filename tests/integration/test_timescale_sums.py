"""Long periods are read from weekly and monthly sums, and the answer is that of the rows, at every moment.

On servers that store no sums the same queries run over views of the same names, so what is put together is tested
everywhere and what can be out of date where it is stored.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from adloom.db import Database
from adloom.metrics import query_sql
from adloom.metrics.query import Filters, Period, Query, run
from tests.conftest import Postgres
from tests.integration.timescale_rig import COMMUNITY, deliver, edition, need, tend, value

FIRST, LAST = date(2025, 8, 13), date(2026, 3, 20)
STEPS = 30


@dataclass
class Books:
    """Two organisations with two accounts each, written as the sync writes and read as the dashboard reads."""

    postgres: Postgres
    sync: Database
    dashboard: Database
    accounts: dict[uuid.UUID, list[int]]

    def change(self, chance: random.Random) -> None:
        """Rows of some days of one account come, move or vanish, as one transaction; sometimes half of it does not."""
        org = chance.choice(list(self.accounts))
        account = chance.choice(self.accounts[org])
        since = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
        until = since + timedelta(days=chance.choice([0, 0, 3, 40]))
        with self.sync.tenant(org, str(account)) as connection:
            for _ in range(chance.choice([1, 1, 2])):
                self._do(connection, chance, org, account, since, until)
            if chance.random() < 0.3:
                half = connection.begin_nested()
                self._do(connection, chance, org, account, since - timedelta(days=9), until)
                half.rollback()

    def _do(
        self, connection: Connection, chance: random.Random, org: uuid.UUID, account: int, since: date, until: date
    ) -> None:
        what = chance.choice([INSERT, INSERT, UPDATE, DELETE])
        values = {
            "org": org,
            "account": account,
            "level": chance.choice(["account", "ad"]),
            "entity": chance.choice(["a", "b"]),
            "since": since,
            "until": until,
            "spend": chance.choice([None, Decimal(chance.randrange(10**6)) / 100]),
            "views": chance.choice([None, chance.randrange(100)]),
        }
        connection.execute(text(what), values)

    def by_hand(self, chance: random.Random, *, compressed: bool) -> None:
        """What a superuser does at night. Of compressed rows TimescaleDB moves none to another day."""
        with psycopg.connect(self.postgres.admin_url) as connection:
            day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
            whats = [
                "update metrics set spend = spend + 1 where day = %s",
                "delete from metrics where day between %s::date - 5 and %s::date + 5",
                f"update metrics m set day = day + 45 where day = %s and {FREE}",
            ]
            what = chance.choice(whats[:2] if compressed else whats)
            connection.execute(what, (day,) * what.count("%s"))

    def differences(self, chance: random.Random) -> list[tuple[Query, Any, Any]]:
        """Queries whose two answers are not the same; both are read from one snapshot."""
        found = []
        for query in queries(chance, [account for both in self.accounts.values() for account in both]):
            org = chance.choice(list(self.accounts))
            scope = chance.choice(["*", "*", str(self.accounts[org][0])])
            with self.dashboard.tenant(org, scope) as connection:
                rows, sums = both(connection, query)
            if rows != sums:
                found.append((query, rows, sums))
        return found


FREE = "not exists (select from metrics n where n.day = m.day + 45)"
INSERT = """
insert into visible_metrics
    (account_id, org_id, level, entity_id, day, impressions, clicks, spend, conversions, video_views, reach,
     valid_from, run_id)
select :account, :org, :level, :entity, d::date, 1000, 10, cast(:spend as numeric), 0.5, cast(:views as bigint), 7,
       now(), 1
  from generate_series(cast(:since as date), cast(:until as date), '1 day') d
 where not exists (select from visible_metrics m where m.account_id = :account and m.level = :level
                      and m.entity_id = :entity and m.day = d::date)
"""
_THESE = "account_id = :account and level = :level and entity_id = :entity and day between :since and :until"
UPDATE = f"update visible_metrics set spend = :spend, reach = 8 where {_THESE}"
DELETE = f"delete from visible_metrics where {_THESE}"


def queries(chance: random.Random, accounts: list[int]) -> Iterator[Query]:
    """Long periods of every shape."""
    for _ in range(4):
        since = FIRST + timedelta(days=chance.randrange(60))
        period = Period(since, since + timedelta(days=55 + chance.randrange(150)))
        yield Query(
            chance.choice(["account", "ad"]),
            period,
            chance.choice([(), ("account",), ("entity",), ("platform",)]),
            Filters(
                account_ids=chance.choice([(), (chance.choice(accounts),)]),
                entity_ids=chance.choice([(), (), ("a",)]),
            ),
            comparison=chance.choice([None, period.before()]),
        )


def both(connection: Connection, query: Query) -> tuple[list[str], list[str]]:
    """The answer of the rows and that of the sums, every cell as text so that scales count; from one snapshot."""
    rows, parameters = query_sql.build(query)
    sums, more = query_sql.build(query, from_sums=True)
    found = connection.execute(
        text(f"select false, x::text from ({rows}) x union all select true, y::text from ({sums}) y"), parameters | more
    ).all()
    return [cells for is_sum, cells in found if not is_sum], [cells for is_sum, cells in found if is_sum]


@pytest.fixture
def books(
    postgres: Postgres,
    connect: Callable[..., Database],
    make_organisation: Callable[..., uuid.UUID],
    make_account: Callable[..., int],
) -> Books:
    with psycopg.connect(postgres.admin_url) as connection:
        connection.execute("delete from metrics")
    accounts = {}
    for _ in range(2):
        org = make_organisation()
        accounts[org] = [make_account(org, f"{org.hex[:8]}-{number}") for number in range(2)]
    return Books(postgres, connect("sync-meta"), connect("dashboard"), accounts)


# The odd ones first: they move rows to other days, which those of compressed chunks cannot be.
@pytest.mark.parametrize("seed", [1, 3, 0, 2, 4])
def test_sums_answer_as_the_rows_do_whatever_changes_and_whenever_they_are_refreshed(books, seed):
    chance = random.Random(seed)
    stored, compressed = edition(books.postgres) == COMMUNITY, seed % 2 == 0
    for step in range(STEPS):
        books.change(chance)
        if chance.random() < 0.15:
            books.by_hand(chance, compressed=compressed)
        assert books.differences(chance) == [], f"seed {seed}, step {step}, before a refresh"
        if stored and chance.random() < 0.25:
            tend(books.postgres, compress_after="300 days" if compressed else "100 years")
            assert books.differences(chance) == [], f"seed {seed}, step {step}, after a refresh"


def test_what_is_compared_are_rows_and_not_nothing(books):
    chance = random.Random(1)
    for _ in range(STEPS):
        books.change(chance)
    found = 0
    for org in books.accounts:
        with books.dashboard.tenant(org) as connection:
            found += len(both(connection, Query("ad", Period(FIRST, LAST), ("entity",)))[1])
    assert found >= 3


def test_sums_are_out_of_date_without_marks_and_the_answer_is_not(books):
    """The negative twin: without its mark a change behind the sum would be hidden."""
    need(books.postgres, COMMUNITY)
    (org, (account, _)), *_ = books.accounts.items()
    query = Query("ad", Period(date(2025, 9, 1), date(2025, 12, 31)))
    with psycopg.connect(books.postgres.admin_url, autocommit=True) as admin:
        deliver(admin, org, account, "2025-09-01", "2025-12-31")
        tend(books.postgres)
        assert value(admin, "select count(*) from metrics_marks where account_id = %s", account) == 0
        with books.sync.tenant(org) as connection:
            connection.execute(text("update visible_metrics set spend = 0"))
        with books.dashboard.tenant(org) as connection:
            assert run(connection, query).rows[0].current.spend == 0
        admin.execute("delete from metrics_marks")
        with books.dashboard.tenant(org) as connection:
            assert run(connection, query).rows[0].current.spend > 0
        admin.execute("update metrics set spend = 0")
        tend(books.postgres)
        with books.dashboard.tenant(org) as connection:
            assert run(connection, query).rows[0].current.spend == 0


def test_a_long_period_is_read_from_stored_sums(books):
    need(books.postgres, COMMUNITY)
    (org, (account, _)), *_ = books.accounts.items()
    with psycopg.connect(books.postgres.admin_url, autocommit=True) as admin:
        deliver(admin, org, account, "2025-09-01", "2025-12-31")
        tend(books.postgres)
        with books.dashboard.tenant(org) as connection:
            before = run(connection, Query("ad", Period(date(2025, 9, 1), date(2025, 12, 31)))).rows[0].current
            # Behind the triggers' back: what is read is not the rows.
            admin.execute("set session_replication_role = replica")
            admin.execute("delete from metrics")
            after = run(connection, Query("ad", Period(date(2025, 9, 1), date(2025, 12, 31)))).rows[0].current
            days = run(connection, Query("ad", Period(date(2025, 9, 1), date(2025, 12, 31)), ("day",))).rows
    assert before == after
    assert days == []


def test_a_truncated_table_leaves_no_sums(books):
    need(books.postgres, COMMUNITY)
    (org, (account, _)), *_ = books.accounts.items()
    with psycopg.connect(books.postgres.admin_url, autocommit=True) as admin:
        deliver(admin, org, account, "2025-09-01", "2025-12-31")
        tend(books.postgres)
        admin.execute("truncate metrics")
    with books.dashboard.tenant(org) as connection:
        assert run(connection, Query("ad", Period(date(2025, 9, 1), date(2025, 12, 31)))).rows == []


def test_answers_hold_while_others_write_and_refresh(books):
    """One snapshot reads rows and sums; a writer and the job work meanwhile."""
    need(books.postgres, COMMUNITY)
    chance = random.Random(7)

    def write() -> None:
        ours = random.Random(8)
        for _ in range(60):
            books.change(ours)

    refreshed = compared = 0
    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(write)
        while not writing.done():
            refreshing = threads.submit(tend, books.postgres)
            while not refreshing.done():
                assert books.differences(chance) == []
                compared += 1
            refreshing.result()
            refreshed += 1
        writing.result()
    assert books.differences(chance) == []
    assert refreshed >= 2
    assert compared >= 5
