"""A day, a row or an object that cannot be read never keeps another from being stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pytest

from adloom import clock
from adloom.errors import PlatformProtocolError, PlatformTransient
from adloom.metrics import planning, set_aside
from adloom.platforms.meta.read import MetaReader
from adloom.platforms.model import Days, Level
from tests.conftest import Postgres
from tests.integration.meddled import meddle
from tests.integration.sync_rig import Rig, rig_on
from tests.unit.sandbox.support import fact, facts

NOON = "2026-03-03T12:00:00+00:00"
POISON = date(2026, 2, 25)
FIRST, LAST = date(2026, 2, 10), date(2026, 3, 3)
Start = Callable[[], Rig]


@pytest.fixture
def start(postgres: Postgres, tmp_path: Path) -> Iterator[Start]:
    """`start()` connects an organisation with an account of 22 days; nothing of it is read yet."""
    days = [(FIRST + timedelta(offset)).isoformat() for offset in range((LAST - FIRST).days + 1)]
    folder = facts(tmp_path / "facts", *(fact(date=day) for day in days))
    with ExitStack() as stack:

        def opened() -> Rig:
            rig = stack.enter_context(rig_on(postgres, folder, tmp_path, NOON))
            (connected,) = rig.undelivered()
            rig.deliver(connected)
            rig.accept(connected)
            # Three years without a row would only take time.
            rig.admin.execute("update sync_windows set since = %s where org_id = %s", (FIRST, rig.org_id))
            return rig

        yield opened


def broken(error: Exception) -> Callable[[Level, Days], None]:
    """Every window with the poisoned day fails."""

    def before(level: Level, days: Days) -> None:
        if level == "campaign" and days.since <= POISON <= days.until:
            raise error

    return before


def stored(rig: Rig) -> set[date]:
    rows = rig.rows("select distinct day from metrics where org_id = %s and level = 'account'")
    return {row["day"] for row in rows}


def aside(rig: Rig) -> list[tuple[date, date, str]]:
    with rig.database.tenant(rig.org_id) as connection:
        return [(one.since, one.until, one.error_code) for one in set_aside.listed(connection)]


def waiting(rig: Rig) -> int:
    return int(rig.one("select count(*) from sync_windows where org_id = %s and aside_at is null"))


def go_on(rig: Rig, rounds: int) -> None:
    """As the ticks would, a quarter of an hour apart."""
    for _ in range(rounds):
        rig.settle()
        rig.at(clock.now() + timedelta(minutes=15))
        planning.tick(rig.sync)
    rig.settle()


EVERY_DAY = {FIRST + timedelta(offset) for offset in range((LAST - FIRST).days + 1)}


def test_a_day_with_a_bad_row_is_set_aside_and_all_others_are_stored(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    bad = PlatformProtocolError("The platform sent something that is no number", platform_code="number")
    meddle(rig, monkeypatch, broken(bad))
    go_on(rig, 3)
    assert stored(rig) == EVERY_DAY - {POISON}
    assert aside(rig) == [(POISON, POISON, "platform_protocol")]
    assert waiting(rig) == 0
    (account,) = rig.rows("select error_code, last_synced_at from ad_accounts where org_id = %s")
    assert account["error_code"] is None
    assert rig.one("select count(*) from sync_runs where org_id = %s and outcome = 'failed' and since = until") > 0


@pytest.mark.parametrize(
    ("error", "rounds"),
    [
        (PlatformProtocolError("The platform sent something that is no number", platform_code="number"), 8),
        (PlatformTransient("Meta had a passing fault", platform_code="2"), 18),
    ],
)
def test_neighbouring_days_that_always_fail_keep_no_day_behind_them_from_being_stored(
    start: Start, monkeypatch: pytest.MonkeyPatch, error: Exception, rounds: int
) -> None:
    rig, bad_days = start(), {POISON, POISON - timedelta(1)}

    def before(level: Level, days: Days) -> None:
        if level == "campaign" and bad_days.intersection(days):
            raise error

    meddle(rig, monkeypatch, before)
    go_on(rig, rounds)
    assert stored(rig) == EVERY_DAY - bad_days
    assert {since for since, _, _ in aside(rig)} == bad_days


def test_a_day_whose_question_always_fails_is_set_aside_in_the_end(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    meddle(rig, monkeypatch, broken(PlatformTransient("Meta had a passing fault", platform_code="2")))
    go_on(rig, 10)
    assert stored(rig) == EVERY_DAY - {POISON}
    assert aside(rig) == [(POISON, POISON, "platform_transient")]


def test_what_was_set_aside_is_tried_again_at_night_and_stored_when_it_is_well(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    with monkeypatch.context() as poisoned:
        meddle(rig, poisoned, broken(PlatformProtocolError("no number", platform_code="number")))
        go_on(rig, 4)
    assert aside(rig)
    go_on(rig, 1)
    assert POISON not in stored(rig)
    rig.at("2026-03-04T12:00:00+00:00")
    planning.tick(rig.sync)
    rig.settle()
    assert stored(rig) == EVERY_DAY
    assert aside(rig) == []


def test_a_person_who_asks_for_a_day_that_was_set_aside_gets_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = start()
    with monkeypatch.context() as poisoned:
        meddle(rig, poisoned, broken(PlatformProtocolError("no number", platform_code="number")))
        go_on(rig, 4)
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*", since=POISON, until=POISON)
    rig.settle()
    assert stored(rig) == EVERY_DAY
    assert aside(rig) == []


def test_a_platform_that_is_away_sets_no_day_aside(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = start()

    def away(level: Level, days: Days) -> None:
        raise PlatformTransient("Meta had a passing fault", platform_code="2")

    with monkeypatch.context() as gone:
        meddle(rig, gone, away)
        go_on(rig, 8)
    assert aside(rig) == []
    assert stored(rig) == set()
    assert rig.one("select error_code from ad_accounts where org_id = %s") == "platform_transient"
    go_on(rig, 2)
    assert stored(rig) == EVERY_DAY


def test_an_object_that_cannot_be_read_keeps_no_day_from_being_stored(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()

    def entities(*_: object) -> object:
        raise PlatformProtocolError("Meta's answer is not what it documents", platform_code="shape")

    monkeypatch.setattr(MetaReader, "entities", entities)
    rig.settle()
    assert stored(rig) == EVERY_DAY
    (account,) = rig.rows("select error_code, next_due_at from ad_accounts where org_id = %s")
    assert account["error_code"] == "platform_protocol"
    assert account["next_due_at"] == clock.now() + timedelta(minutes=15)
