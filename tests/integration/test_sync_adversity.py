"""What goes wrong around a sync without anybody's fault: numbers that move while they are read, days asked for twice
at once, a clock that is set back, an account that nobody can place in time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from adloom import clock
from adloom.events import SyncMetaRequested
from adloom.metrics import entities, planning, query, reconcile, slices, store
from adloom.metrics.entities import Listing
from adloom.metrics.query import Period, Query
from adloom.platforms.meta.read import MetaReader
from adloom.platforms.model import Account, Days, Entity, Level
from infra.sandbox.facts import columns
from tests.conftest import Postgres
from tests.integration.meddled import meddle
from tests.integration.sync_rig import Rig, rig_on
from tests.unit.sandbox.support import fact, facts, write

NOON = "2026-03-03T12:00:00+00:00"
DAY = date(2026, 3, 1)
Start = Callable[..., Rig]


@pytest.fixture
def start(postgres: Postgres, tmp_path: Path) -> Iterator[Start]:
    """`start(folder, now)` connects a new organisation to a sandbox that serves the folder."""
    with ExitStack() as stack:
        yield lambda folder, now=NOON: stack.enter_context(rig_on(postgres, folder, tmp_path, now))


def request(rig: Rig, since: date | None = None) -> None:
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*", since=since)


def differences(rig: Rig) -> list[reconcile.Difference]:
    with rig.database.tenant(rig.org_id) as connection:
        return reconcile.check(connection)


# Numbers that move while they are read


def test_a_day_that_moves_while_it_is_read_is_read_again_and_is_no_difference(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = facts(tmp_path / "facts", fact())
    write(folder, columns.RESTATED_FILE, [fact(spend="10.00") | {"visible_until": "2026-03-03T12:00:01+00:00"}])
    rig = start(folder)

    def move_on(level: Level, _: Days) -> None:
        if level == "campaign":
            rig.at("2026-03-03T12:00:02+00:00")

    meddle(rig, monkeypatch, move_on)
    rig.settle()
    assert differences(rig) == []
    assert str(rig.one("select spend from metrics where org_id = %s and level = 'account'")) == "12.50"


def test_a_total_that_differs_and_does_not_move_is_shown(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    total = {"platform": "meta", "account_id": "11", "date": "2026-03-01", "impressions": "1000", "clicks": "10"}
    write(folder, columns.TOTALS_FILE, [total | {"spend": "13.00", "conversions": "2", "conversion_value": "80.00"}])
    rig = start(folder)
    rig.settle()
    assert {(one.kind, one.measure) for one in differences(rig)} == {("unexplained", "spend")}


# Days asked for while they are fetched


def test_days_asked_for_again_while_they_are_fetched_are_stored_and_stay_on_the_list(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    rig.settle()
    rig.admin.execute("delete from metrics")
    request(rig, DAY)
    (first,) = (SyncMetaRequested.model_validate(one["data"]) for one in rig.undelivered())

    def ask_again(level: Level, _: Days) -> None:
        if level == "ad":
            request(rig, DAY)

    meddle(rig, monkeypatch, ask_again)
    slices.run(rig.sync, first, uuid.uuid4(), seconds=1)
    assert rig.one("select count(*) from metrics where org_id = %s") == 4
    assert len(rig.rows("select * from sync_windows where org_id = %s")) == 1


def test_what_stands_on_no_list_keeps_its_name_though_its_window_was_fetched_twice(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    stored = store.replace

    def lost(connection: Connection, target: store.Target) -> store.Changes:
        # What another call that took the account over would have done meanwhile.
        connection.execute(text("delete from sync_windows where account_id = :id"), {"id": target.account_id})
        monkeypatch.setattr(store, "replace", stored)
        return stored(connection, target)

    monkeypatch.setattr(MetaReader, "entities", lambda *_: iter(()))
    monkeypatch.setattr(store, "replace", lost)
    rig.settle()
    names = rig.rows("select level, name from entities where org_id = %s and level in ('campaign', 'ad')")
    assert {(row["level"], row["name"]) for row in names} == {("campaign", "Coats"), ("ad", "Parka")}


# As of a day


def test_an_ad_that_was_moved_is_shown_where_it_was(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact(), fact(adgroup_id="32", adgroup_name="Narrow", ad_id="42")))
    rig.settle()
    account_id = rig.account_id("11")

    def shown(as_of: date | None) -> set[tuple[Any, ...]]:
        with rig.database.tenant(rig.org_id) as connection:
            found = query.run(connection, Query("ad", Period(DAY, DAY), ("day", "entity"), as_of=as_of)).rows
        return {(row.entity_id, row.parent_id, row.parent_name, row.grandparent_id) for row in found}

    before = shown(None)
    assert before == {("41", "31", "Broad", "21"), ("42", "32", "Narrow", "21")}
    rig.at("2026-03-05T08:00:00+00:00")
    listing = Listing(rig.org_id, account_id, 1, clock.now())
    moved = [Entity("ad", "41", "32", "Parka", "active"), Entity("ad_group", "32", "22", "Narrow now", "active")]
    account = Account("11", "Shop", "EUR", "Europe/Berlin", "active", None)
    with rig.database.tenant(rig.org_id) as connection:
        entities.stage(connection, account, moved)
        entities.replace(connection, listing, is_whole=False)
    assert shown(None) == {("41", "32", "Narrow now", "22"), ("42", "32", "Narrow now", "22")}
    assert shown(date(2026, 3, 4)) == before


def test_what_was_read_before_midnight_and_stored_after_it_stands_since_the_new_day(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = facts(tmp_path / "facts", fact())
    write(folder, columns.RESTATED_FILE, [fact(spend="10.00") | {"visible_until": "2026-03-04T12:00:00+00:00"}])
    rig = start(folder)
    rig.settle()
    rig.at("2026-03-04T23:59:00+00:00")

    def midnight_comes(level: Level, _: Days) -> None:
        if level == "ad":
            rig.at("2026-03-05T00:01:00+00:00")

    meddle(rig, monkeypatch, midnight_comes)
    request(rig, DAY)
    rig.settle()
    found = {}
    for as_of in (date(2026, 3, 4), date(2026, 3, 5)):
        with rig.database.tenant(rig.org_id) as connection:
            (row,) = query.run(connection, Query("account", Period(DAY, DAY), as_of=as_of)).rows
        found[as_of.day] = str(row.current.spend)
    assert found == {4: "10.00", 5: "12.50"}
    assert rig.one("select last_synced_at::text from ad_accounts where org_id = %s").startswith("2026-03-0")


# A clock that is set back


def test_a_clock_that_is_set_back_does_not_keep_accounts_from_being_due(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    rig.settle()
    rig.at("2026-04-20T12:00:00+00:00")
    assert planning.tick(rig.sync) == 1
    rig.settle()
    rig.at("2026-03-03T13:00:00+00:00")
    assert planning.tick(rig.sync) == 1
    assert planning.tick(rig.sync) == 0


def test_the_same_instant_may_come_twice(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    write(folder, columns.RESTATED_FILE, [fact(spend="10.00") | {"visible_until": "2026-03-04T12:00:00+00:00"}])
    rig = start(folder)
    for _ in range(2):
        for at in (NOON, "2026-03-05T12:00:00+00:00"):
            rig.at(at)
            request(rig, DAY)
            rig.settle()
    assert str(rig.one("select spend from metrics where org_id = %s and level = 'account'")) == "12.50"


# One bad account


def test_an_account_without_a_known_time_zone_keeps_nobody_from_being_due(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact(), fact(account_id="12", campaign_id="22", adgroup_id="32", ad_id="42")))
    rig.settle()
    rig.admin.execute("update ad_accounts set timezone = 'Atlantis/Capital' where external_id = '11'")
    rig.at("2026-03-03T13:00:00+00:00")
    rig.admin.execute("update ad_accounts set next_due_at = '2026-03-03T12:10:00+00:00' where external_id = '11'")
    planning.tick(rig.sync)
    (waiting,) = rig.undelivered()
    assert waiting["data"]["account_id"] == rig.account_id("12")


def test_a_connection_whose_first_look_up_failed_is_looked_up_again(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    (lost,) = rig.undelivered()
    rig.accept(lost)
    planning.tick(rig.sync)
    assert rig.undelivered() == []
    an_hour_ago = "update connections set connected_at = now() - interval '2 hours' where org_id = %s"
    rig.admin.execute(an_hour_ago, (rig.org_id,))
    planning.tick(rig.sync)
    rig.settle()
    assert rig.one("select count(*) from metrics where org_id = %s") == 4


# A log-in that was renewed while the old one was in use


def renew(rig: Rig) -> None:
    """The person takes the access back and connects again."""
    rig.sandbox.control("POST", "tokens/revoke", {"platform": "meta"})
    rig.connect(rig.token())


def state(rig: Rig) -> Any:
    return rig.one("select status from connections where org_id = %s")


def test_the_end_of_an_old_log_in_does_not_break_the_new_one(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    renewed: list[Level] = []

    def renew_once(level: Level, _: Days) -> None:
        if level == "campaign" and not renewed:
            renewed.append(level)
            renew(rig)

    meddle(rig, monkeypatch, renew_once)
    rig.settle()
    assert (renewed, state(rig)) == (["campaign"], "active")
    assert differences(rig) == []
    assert rig.one("select count(*) from metrics where org_id = %s") == 4


def test_the_end_of_an_old_log_in_while_its_accounts_are_looked_up_does_not_break_the_new_one(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    look_up = MetaReader.accounts

    def renewed_before(reader: MetaReader) -> list[Account]:
        monkeypatch.setattr(MetaReader, "accounts", look_up)
        renew(rig)
        return look_up(reader)

    monkeypatch.setattr(MetaReader, "accounts", renewed_before)
    rig.settle()
    assert state(rig) == "active"
    assert rig.one("select count(*) from metrics where org_id = %s") == 4
