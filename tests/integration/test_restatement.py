"""How late days change, told from an account's own history."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import psycopg
import pytest

from adloom.metrics import restatement
from tests.conftest import Postgres
from tests.integration.cast import Connect, MakeOrganisation

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
Row = tuple[str, str, str]


@dataclass
class Books:
    """An account of Los Angeles whose rows are written by hand: `(day, from, to)` is a version."""

    connection: psycopg.Connection
    org: uuid.UUID
    account: int

    def version(self, day: str, spend: str, seen: str, replaced: str | None = None, *, checked: str = "") -> None:
        table, more = ("metrics", "") if replaced is None else ("restatements", ", valid_to, replaced_by_run_id")
        values = (self.account, self.org, day, spend, f"{seen}Z", 1) + ((f"{replaced}Z", 2) if replaced else ())
        self.connection.execute(
            f"insert into {table} (account_id, org_id, level, entity_id, day, spend, valid_from, run_id{more})"
            f" values (%s, %s, 'account', 'x', %s, %s, %s, %s{', %s, %s' if replaced else ''})".encode(),
            values,
        )
        if checked:
            self.connection.execute(
                "insert into reconciliations values (%s, %s, %s, 'account', 1, 0, 0, 0, 0, 0, 'match', null, %s, 1)",
                (self.account, self.org, day, f"{checked}Z"),
            )


@pytest.fixture
def books(postgres: Postgres, make_organisation: MakeOrganisation, make_account: Callable[..., int]) -> Iterator[Books]:
    org = make_organisation()
    account = make_account(org, uuid.uuid4().hex, "USD", "America/Los_Angeles")
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        yield Books(connection, org, account)


def late(connect: Connect, books: Books, *after: int) -> dict[int, tuple[int, int, str, str]]:
    with connect("dashboard").tenant(books.org) as connection:
        found = restatement.lateness(connection, FIRST, LAST, after_days=after)
    assert {each.account_id for each in found} <= {books.account}
    return {each.after_days: (each.days, each.days_changed, str(each.spend), str(each.spend_moved)) for each in found}


def test_a_day_that_moved_late_is_told_with_what_moved(books: Books, connect: Connect) -> None:
    # Its local day ends at 08:00 UTC of the next one; it moves five local days after it.
    books.version("2026-03-01", "10.00", "2026-03-02T07:00", "2026-03-06T20:00")
    books.version("2026-03-01", "12.50", "2026-03-06T20:00", checked="2026-03-20T00:00")
    books.version("2026-03-02", "30.00", "2026-03-02T20:00", checked="2026-03-20T00:00")
    assert late(connect, books, 0, 4, 5, 14, 28) == {
        0: (2, 1, "42.50", "2.50"), 4: (2, 1, "42.50", "2.50"), 5: (2, 0, "42.50", "0.00"), 14: (2, 0, "42.50", "0.00"),
    }  # fmt: skip


def test_shares_are_of_days_and_of_spend(books: Books, connect: Connect) -> None:
    books.version("2026-03-01", "10.00", "2026-03-01T20:00", "2026-03-06T20:00")
    books.version("2026-03-01", "12.50", "2026-03-06T20:00", checked="2026-03-20T00:00")
    books.version("2026-03-02", "37.50", "2026-03-02T20:00", checked="2026-03-20T00:00")
    with connect("dashboard").tenant(books.org) as connection:
        (found,) = restatement.lateness(connection, FIRST, LAST, after_days=(1,))
    assert (found.share_of_days, found.share_of_spend) == (Decimal("0.5"), Decimal("0.05"))
    assert found.share_of_conversions is None


def test_a_day_that_was_first_read_later_says_nothing(books: Books, connect: Connect) -> None:
    books.version("2026-03-01", "10.00", "2026-03-25T00:00", checked="2026-03-30T00:00")
    assert late(connect, books, 0, 3, 22, 28) == {}
    books.version("2026-03-02", "5.00", "2026-03-25T00:00", checked="2026-03-30T00:00")
    assert late(connect, books, 0, 3, 24) == {24: (2, 0, "15.00", "0.00")}


def test_a_day_that_was_not_read_again_says_nothing(books: Books, connect: Connect) -> None:
    books.version("2026-03-01", "10.00", "2026-03-01T20:00", checked="2026-03-03T00:00")
    assert late(connect, books, 0, 1, 7) == {0: (1, 0, "10.00", "0.00")}


def test_a_day_that_vanished_moved_by_all_of_it(books: Books, connect: Connect) -> None:
    books.version("2026-03-01", "10.00", "2026-03-01T20:00", "2026-03-06T20:00")
    assert late(connect, books, 1) == {1: (1, 1, "0", "10.00")}


def test_the_log_says_what_stood_before_and_after(books: Books, connect: Connect) -> None:
    books.version("2026-03-01", "10.00", "2026-03-01T20:00", "2026-03-06T20:00")
    # A second change within that UTC day left no version of its own.
    books.version("2026-03-01", "12.50", "2026-03-06T23:00", "2026-03-09T07:30")
    with connect("dashboard").tenant(books.org) as connection:
        last, first = restatement.changes(connection, FIRST, LAST)
    assert (first.days_after, first.before.spend, first.after and first.after.spend) == (
        5,
        Decimal(10),
        Decimal("12.5"),
    )
    assert first.changed_at == datetime.fromisoformat("2026-03-06T20:00Z")
    # Half past midnight there: UTC says 07:30, and the clock went forward the day before.
    assert (last.days_after, last.before.spend, last.after) == (8, Decimal("12.5"), None)
    assert (last.currency, last.level, last.run_id, last.replaced_by_run_id) == ("USD", "account", 1, 2)


def test_nobody_reads_the_history_of_others(
    books: Books, connect: Connect, make_organisation: MakeOrganisation
) -> None:
    books.version("2026-03-01", "10.00", "2026-03-01T20:00", "2026-03-06T20:00")
    with connect("dashboard").tenant(make_organisation("Other")) as connection:
        assert restatement.changes(connection, FIRST, LAST) == []
        assert restatement.lateness(connection, FIRST, LAST) == []
