"""What a sync stores: every row once, what changed and nothing else, and what stood before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adloom.metrics import planning, reconcile
from infra.sandbox.facts import columns
from infra.sandbox.facts.expected import Cells, expected
from tests.conftest import Postgres
from tests.facts import write_folder
from tests.integration.sync_rig import Rig, rig_on
from tests.unit.sandbox.support import entity, fact, facts, write

NOON = "2026-03-03T12:00:00+00:00"
# A hypertable's rows lie in its chunks.
COUNTERS = """
select case when relname like '\\_hyper\\_%%' then 'metrics' else relname end as name,
       sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del)
  from pg_stat_user_tables
 where (relname in ('metrics', 'entities', 'entity_changes', 'restatements') or relname like '\\_hyper\\_%%')
   and %s::uuid is not null group by 1 order by 1
"""
Start = Callable[..., Rig]


@pytest.fixture
def start(postgres: Postgres, tmp_path: Path) -> Iterator[Start]:
    """`start(folder, now)` connects a new organisation to a sandbox that serves the folder."""
    with ExitStack() as stack:
        yield lambda folder, now=NOON: stack.enter_context(rig_on(postgres, folder, tmp_path, now))


def ask(rig: Rig, since: str | None = None, until: str | None = None) -> None:
    """Sync days as an operator asks for them, to the end."""
    planning.request(
        rig.sync,
        org_id=rig.org_id,
        account_scope="*",
        since=date.fromisoformat(since) if since else None,
        until=date.fromisoformat(until) if until else None,
    )
    rig.settle()


def spend(rig: Rig, level: str = "ad") -> dict[tuple[str, str], str]:
    """Stored spend by id and day."""
    rows = rig.rows("select entity_id, day, spend from metrics where org_id = %s and level = %s", level)
    return {(row["entity_id"], row["day"].isoformat()): str(row["spend"]) for row in rows}


def differences(rig: Rig) -> list[reconcile.Difference]:
    with rig.database.tenant(rig.org_id) as connection:
        return reconcile.check(connection)


def counters(rig: Rig) -> list[dict[str, Any]]:
    """Rows ever written, by Postgres's own count, which a connection tells at the latest when it ends."""
    rig.database.close()
    while rig.one("select count(*) from pg_stat_activity where %s::uuid is not null and usename = 'adloom_sync_meta'"):
        pass
    return rig.rows(COUNTERS)


# Equal to the platform


def test_an_awkward_folder_is_stored_cell_for_cell_with_its_names(start: Start, tmp_path: Path) -> None:
    last = date(2026, 3, 2)
    folder = write_folder(tmp_path / "facts", 11, accounts=4, days=20, ads=60, last=last)
    rig = start(folder)
    rig.settle()
    should = expected(folder, datetime.fromisoformat(NOON))
    for level, sums in (
        ("account", should.accounts),
        ("campaign", should.campaigns),
        ("ad_group", should.adgroups),
        ("ad", should.ads),
    ):
        assert stored(rig, level) == sums, level
    names = rig.rows("select level, external_id, name from entities where org_id = %s and level <> 'account'")
    stored_names = {("meta", row["level"], row["external_id"]): row["name"] for row in names}
    assert stored_names.items() >= should.names.items()
    currencies = rig.rows("select external_id, currency from ad_accounts where org_id = %s")
    assert {("meta", row["external_id"]): row["currency"] for row in currencies} == should.currencies


def stored(rig: Rig, level: str) -> dict[tuple[str, str, date], Cells]:
    """What is stored of a level; a row of zeros equals no row, an empty cell zero."""
    found = {}
    for row in rig.rows("select * from metrics where org_id = %s and level = %s", level):
        numbers = [Decimal(row[name] or 0) for name in ("impressions", "clicks", "spend", "conversions")]
        cells = Cells(*numbers, Decimal(row["conversion_value"] or 0), Decimal(row["video_views"] or 0))
        if not cells.is_zero():
            found["meta", row["entity_id"], row["day"]] = cells
    return found


def test_a_second_sync_writes_no_row_of_facts_or_entities(start: Start, tmp_path: Path) -> None:
    rig = start(write_folder(tmp_path / "facts", 5, accounts=2, days=10, ads=20, last=date(2026, 3, 2)))
    rig.settle()
    before = counters(rig)
    ask(rig, "2026-02-01")
    assert counters(rig) == before
    assert rig.one("select count(*) from sync_runs where org_id = %s and kind = 'entities'") == 4


def test_every_number_names_its_run_and_the_run_how_it_was_asked(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    rig.settle()
    (run,) = rig.rows(
        "select distinct r.* from metrics m join sync_runs r using (run_id) where m.org_id = %s and m.level = 'ad'"
    )
    assert (run["api_version"], run["timezone"], run["currency"]) == ("v26.0", "Europe/Berlin", "EUR")
    assert run["query"]["ad"]["level"] == "ad"
    assert "DELETED" in str(run["query"]["ad"]["filtering"])
    assert run["attribution"]
    assert run["started_at"] <= run["fetched_at"] <= run["finished_at"]


def test_a_purchase_under_three_names_is_counted_once_and_the_raw_actions_are_kept(
    start: Start, tmp_path: Path
) -> None:
    rig = start(facts(tmp_path / "facts", fact(conversions="2.5", conversion_value="80.00", video_views="7")))
    rig.settle()
    (row,) = rig.rows("select * from metrics where org_id = %s and level = 'account'")
    assert (row["conversions"], row["conversion_value"], row["video_views"]) == (Decimal("2.5"), Decimal(80), 7)
    assert {action["action_type"]: action["value"] for action in row["actions"]["actions"]}["omni_purchase"] == "2.5"


def test_the_token_is_nowhere_but_in_the_vault(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    rig.settle()
    token = rig.vault.decrypt(bytes(rig.one("select ciphertext from connection_tokens where org_id = %s")))
    for table in ("outbox", "sync_runs", "ad_accounts", "entities", "metrics", "connection_tokens", "sync_windows"):
        assert not [row for row in rig.rows(f"select * from {table} where org_id = %s") if token in str(row)], table


# What changed


def test_a_restated_day_keeps_what_stood_and_touches_one_row(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact(), fact(ad_id="42", ad_name="Hat", spend="1.00"))
    earlier = fact(spend="10.00") | {"visible_until": "2026-03-04T12:00:00+00:00"}
    write(folder, columns.RESTATED_FILE, [earlier])
    rig = start(folder)
    rig.settle()
    assert spend(rig)["41", "2026-03-01"] == "10.00"
    first_run = rig.one("select run_id from metrics where org_id = %s and level = 'ad' and entity_id = '41'")
    rig.at("2026-03-05T08:00:00+00:00")
    ask(rig)
    assert spend(rig)["41", "2026-03-01"] == "12.50"
    kept = rig.rows("select * from restatements where org_id = %s and level = 'ad'")
    assert [(row["entity_id"], str(row["spend"])) for row in kept] == [("41", "10.00")]
    assert kept[0]["valid_from"] == datetime.fromisoformat(NOON)
    assert kept[0]["valid_to"] == datetime.fromisoformat("2026-03-05T08:00:00+00:00")
    assert kept[0]["run_id"] == first_run < kept[0]["replaced_by_run_id"]
    untouched = rig.rows("select * from metrics where org_id = %s and level = 'ad' and entity_id = '42'")
    assert [row["run_id"] for row in untouched] == [first_run]
    touched = rig.one(
        "select array[sum(rows_inserted), sum(rows_updated), sum(rows_deleted)] from sync_runs"
        " where org_id = %s and kind = 'metrics' and run_id > %s",
        first_run,
    )
    assert touched == [0, 4, 0]  # the ad and the three sums that it is part of


def test_what_changes_within_a_utc_day_leaves_no_version(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    earlier = fact(spend="10.00") | {"visible_until": "2026-03-03T13:00:00+00:00"}
    write(folder, columns.RESTATED_FILE, [earlier])
    rig = start(folder)
    rig.settle()
    rig.at("2026-03-03T23:59:00+00:00")
    ask(rig)
    assert spend(rig)["41", "2026-03-01"] == "12.50"
    assert rig.rows("select * from restatements where org_id = %s") == []


def test_a_row_that_vanishes_is_deleted_and_kept_as_a_version(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact(date="2026-03-02"))
    gone = fact(spend="3.00") | {"visible_until": "2026-03-04T00:00:00+00:00"}
    write(folder, columns.RESTATED_FILE, [gone])
    rig = start(folder)
    rig.settle()
    assert ("41", "2026-03-01") in spend(rig)
    rig.at("2026-03-04T08:00:00+00:00")
    ask(rig)
    assert set(spend(rig)) == {("41", "2026-03-02")}
    assert [str(row["spend"]) for row in rig.rows("select spend from restatements where org_id = %s")] == ["3.00"] * 4
    assert rig.rows("select * from reconciliations where org_id = %s and day = '2026-03-01'") == []
    assert differences(rig) == []


def test_at_most_one_version_a_day_and_each_day_s_end_can_be_told(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact(spend="4.00"))
    versions = [
        fact(spend=f"{number}.00") | {"visible_until": f"2026-03-0{number + 3}T{hour}:00:00+00:00"}
        for number, hour in ((1, "00"), (2, "11"), (3, "10"))
    ]
    write(folder, columns.RESTATED_FILE, versions)
    rig = start(folder)
    rig.settle()
    for now in ("2026-03-04T09:00", "2026-03-05T09:00", "2026-03-05T12:00", "2026-03-06T12:00", "2026-03-06T18:00"):
        rig.at(f"{now}:00+00:00")
        ask(rig)
    ends = {}
    for day in (3, 4, 5, 6):
        (row,) = rig.rows(
            "select spend from (select org_id, level, spend, valid_from, 'infinity' as valid_to from metrics"
            " union all select org_id, level, spend, valid_from, valid_to from restatements) v"
            " where org_id = %s and level = 'ad' and valid_from < %s and valid_to >= %s",
            *[f"2026-03-0{day + 1}T00:00:00+00:00"] * 2,
        )
        ends[day] = str(row["spend"])
    assert ends == {3: "1.00", 4: "2.00", 5: "3.00", 6: "4.00"}


# Proof


def test_an_altered_cell_is_seen_and_a_new_sync_heals_it(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    rig.settle()
    assert differences(rig) == []
    rig.admin.execute("update metrics set spend = spend + 0.01 where org_id = %s and level = 'ad'", (rig.org_id,))
    (found,) = differences(rig)
    assert (found.kind, found.level, found.measure) == ("stored", "ad", "spend")
    assert (found.expected, found.found) == (Decimal("12.50"), Decimal("12.51"))
    ask(rig)
    assert differences(rig) == []


def test_rows_without_a_reconciliation_and_deleted_rows_are_seen(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact(), fact(date="2026-03-02")))
    rig.settle()
    rig.admin.execute("delete from reconciliations where org_id = %s and day = '2026-03-01'", (rig.org_id,))
    rig.admin.execute("delete from metrics where org_id = %s and day = '2026-03-02'", (rig.org_id,))
    assert {(one.day.day, one.kind) for one in differences(rig)} == {(1, "missing"), (2, "stored")}


def test_a_total_that_the_rows_do_not_add_up_to_is_shown_and_not_hidden(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    total = {"platform": "meta", "account_id": "11", "date": "2026-03-01", "impressions": "1000", "clicks": "10"}
    write(folder, columns.TOTALS_FILE, [total | {"spend": "12.60", "conversions": "2", "conversion_value": "80.00"}])
    rig = start(folder)
    rig.settle()
    assert spend(rig, "account") == {("11", "2026-03-01"): "12.60"}
    (found,) = differences(rig)
    assert (found.kind, found.level, found.measure) == ("unexplained", "campaign", "spend")
    assert (found.expected, found.found) == (Decimal("12.60"), Decimal("12.50"))


def test_delivery_without_ads_is_explained_and_no_difference(start: Start, tmp_path: Path) -> None:
    folder = facts(
        tmp_path / "facts",
        fact(),
        fact(ad_id="", ad_name="", spend="5.00"),
        fact(campaign_id="22", adgroup_id="", ad_id="", campaign_name="Auto", adgroup_name="", ad_name=""),
    )
    rig = start(folder)
    rig.settle()
    states = {
        row["level"]: row["state"] for row in rig.rows("select level, state from reconciliations where org_id = %s")
    }
    assert states == {"account": "match", "campaign": "match", "ad_group": "explained", "ad": "explained"}
    assert differences(rig) == []


# Entities


def entities(rig: Rig) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for row in rig.rows("select * from entities where org_id = %s")}


def test_deleted_and_archived_objects_stay_with_their_numbers(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact(), fact(ad_id="42", ad_name="Hat"), fact(ad_id="43", ad_name="Cap"))
    write(
        folder,
        columns.ENTITIES_FILE,
        [
            entity("campaign", "21", "11", daily_budget="12.50"),
            entity("ad_group", "31", "21", status="paused"),
            entity("ad", "41", "31", status="deleted", deleted_at="2026-03-02T10:00:00+00:00"),
            entity("ad", "42", "31", status="archived"),
            entity("ad", "43", "31"),
        ],
    )
    rig = start(folder)
    rig.settle()
    found = entities(rig)
    assert {key: row["status"] for key, row in found.items()} == {
        "11": "active", "21": "active", "31": "paused", "41": "deleted", "42": "archived", "43": "active",
    }  # fmt: skip
    assert found["41"]["deleted_at"] == datetime.fromisoformat(NOON)
    assert found["42"]["deleted_at"] is None
    assert found["21"]["daily_budget"] == Decimal("12.5")
    assert [found[key]["parent_id"] for key in ("11", "21", "31", "41")] == [None, "11", "21", "31"]
    assert len(spend(rig)) == 3


def test_what_changed_in_an_object_is_kept_with_the_time_we_saw_it(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    write(folder, columns.ENTITIES_FILE, [entity("campaign", "21", "11", name="Coats", daily_budget="10")])
    rig = start(folder)
    rig.settle()
    write(folder, columns.ENTITIES_FILE, [entity("campaign", "21", "11", name="Warm coats", status="paused")])
    rig.sandbox.control("POST", "reload")
    rig.at("2026-03-03T13:00:00+00:00")
    ask(rig)
    changes = rig.rows(
        "select field, old_value, new_value, seen_at from entity_changes where org_id = %s order by field"
    )
    assert [(row["field"], row["old_value"], row["new_value"]) for row in changes] == [
        ("daily_budget", "10", None), ("name", "Coats", "Warm coats"), ("status", "active", "paused"),
    ]  # fmt: skip
    assert {row["seen_at"] for row in changes} == {datetime.fromisoformat("2026-03-03T13:00:00+00:00")}


def test_an_object_that_is_listed_no_more_is_deleted_and_keeps_its_name(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact())
    write(folder, columns.ENTITIES_FILE, [entity("ad", "49", "31", name="Never delivered")])
    rig = start(folder)
    rig.settle()
    write(folder, columns.ENTITIES_FILE, [entity("ad", "41", "31", name="Parka")])
    rig.sandbox.control("POST", "reload")
    rig.at("2026-03-03T13:00:00+00:00")
    ask(rig)
    gone = entities(rig)["49"]
    assert (gone["name"], gone["status"]) == ("Never delivered", "deleted")
    assert gone["deleted_at"] == datetime.fromisoformat("2026-03-03T13:00:00+00:00")


def test_history_before_the_account_s_birth_is_asked_for_once_only(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact(date="2026-02-20"), fact()))
    rig.settle()
    ranges = {
        entry["params"]["time_range"]
        for entry in rig.sandbox.control("GET", "requests")["requests"]
        if entry["path"].endswith("insights")
    }
    assert 2 <= len(ranges) <= 4
    assert rig.rows("select * from sync_windows where org_id = %s") == []
