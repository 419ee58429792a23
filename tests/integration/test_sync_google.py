"""Google through the sync into Postgres: every cell of four accounts by day and hour, and after a restatement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adloom.metrics import definitions, planning, reconcile
from infra.sandbox.facts.expected import expected
from tests.conftest import Postgres
from tests.contract.google_world import (
    ANGELES,
    BERLIN,
    CLOSED,
    GROUP,
    KUWAIT,
    MAX,
    NOW,
    SHOWN,
    TOKYO,
    folder_in,
    hours,
    owners,
)
from tests.integration.google_rig import GoogleRig, google_on
from tests.integration.sync_rig import rig_in
from tests.unit.sandbox.google import MANAGER
from tests.unit.sandbox.support import Sandbox, entity, fact, facts, write

LATER = "2026-03-10T01:00:00+00:00"
MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views")
Cells = dict[tuple[str, str, str], tuple[Decimal, ...]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    home = tmp_path_factory.mktemp("google")
    with google_on(folder_in(home / "facts"), home, NOW.isoformat()) as started:
        yield started


@contextmanager
def found(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[GoogleRig]:
    """Five accounts that were found, one of them closed, with all of their history to fetch."""
    shared[0].faults()
    with rig_in(postgres, *shared, GoogleRig) as made:
        assert isinstance(made, GoogleRig)
        made.at(NOW)
        yield made


@pytest.fixture
def rig(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[GoogleRig]:
    with found(postgres, shared) as made:
        yield made


@pytest.fixture(scope="module")
def settled(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[GoogleRig]:
    """One whose history has come, for tests that only look."""
    with found(postgres, shared) as made:
        made.settle()
        yield made


def stored(rig: GoogleRig) -> Cells:
    """What is stored, by level, id and day."""
    query = "select level, entity_id, day, {} from metrics where org_id = %s".format(", ".join(MEASURES))
    return {
        (row["level"], row["entity_id"], row["day"].isoformat()): tuple(Decimal(row[one] or 0) for one in MEASURES)
        for row in rig.rows(query)
    }


def wanted(rig: GoogleRig, now: datetime, *without: str) -> Cells:
    """What the folder says at an instant, without what belongs to some accounts: the closed one tells nobody."""
    judged = expected(Path(rig.sandbox.environment["ADLOOM_SANDBOX_FACTS"]), now)
    hidden = set().union(*(owners()[one] for one in (CLOSED, *without)))
    levels = {
        "account": judged.accounts, "campaign": judged.campaigns, "ad_group": judged.adgroups, "ad": judged.ads,
    }  # fmt: skip
    return {
        (level, one, day.isoformat()): tuple(getattr(cells, measure) for measure in MEASURES)
        for level, found in levels.items()
        for (_, one, day), cells in found.items()
        if one not in hidden
    }


def again(rig: GoogleRig) -> None:
    """Read what may have moved."""
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*")
    rig.settle()


def accounts(rig: GoogleRig, *columns: str) -> dict[str, tuple[Any, ...]]:
    rows = rig.rows("select * from ad_accounts where org_id = %s")
    return {row["external_id"]: tuple(row[one] for one in columns) for row in rows}


def differences(rig: GoogleRig) -> set[tuple[str, date]]:
    """The accounts and days that do not add up."""
    names = {account_id: external_id for external_id, (account_id,) in accounts(rig, "account_id").items()}
    with rig.database.tenant(rig.org_id) as connection:
        return {(names[one.account_id], one.day) for one in reconcile.check(connection)}


def test_every_cell_is_stored_and_only_the_planted_difference_is_named(settled: GoogleRig) -> None:
    assert stored(settled) == wanted(settled, NOW)
    # The account's total of that day is not the sum of its campaigns.
    assert differences(settled) == {(BERLIN, date(2026, 3, 5))}
    assert accounts(settled, "currency", "timezone", "status", "error_code") == {
        BERLIN: ("EUR", "Europe/Berlin", "active", None),
        TOKYO: ("JPY", "Asia/Tokyo", "active", None),
        KUWAIT: ("KWD", "Asia/Kuwait", "active", None),
        ANGELES: ("USD", "America/Los_Angeles", "paused", None),
        CLOSED: ("USD", "America/Los_Angeles", "deleted", "account_inaccessible"),
    }


def test_the_way_to_each_account_and_its_longest_window_are_kept(rig: GoogleRig) -> None:
    rig.settle()
    assert accounts(rig, "login_id", "lookback_days") == {
        BERLIN: (MANAGER, 60), TOKYO: (MANAGER, 30), KUWAIT: (KUWAIT, 7), ANGELES: (MANAGER, 30),
        CLOSED: (MANAGER, None),
    }  # fmt: skip
    rig.sandbox.control("DELETE", "requests")
    again(rig)
    asked = rig.google.asked("Search")
    ways = {(one["params"]["customer_id"], one["params"]["login_customer_id"]) for one in asked}
    assert ways == {(one, MANAGER) for one in (BERLIN, TOKYO, ANGELES, CLOSED)} | {(KUWAIT, KUWAIT)}
    assert {one["status"] for one in asked if one["params"]["customer_id"] != CLOSED} == {0}
    assert rig.google.asked("ListAccessible") == []
    # The person is no longer an administrator there, but reaches the account by another way.
    rig.admin.execute("update ad_accounts set login_id = %s where external_id = %s", (KUWAIT, TOKYO))
    again(rig)
    assert accounts(rig, "login_id", "error_code")[TOKYO] == (MANAGER, None)


def test_entities_are_kept_as_people_see_them_removed_ones_too(settled: GoogleRig) -> None:
    columns = "level, external_id, parent_id, status, kind, labels, texts, final_url, image_url, review_status"
    kept = {
        (row["level"], row["external_id"]): row
        for row in settled.rows(f"select {columns}, review_reason from entities where org_id = %s")
    }
    gone = {key for key, row in kept.items() if row["status"] == "deleted"}
    assert {key for key in gone if key[0] != "account"} == {("campaign", "21000000000"), ("ad", "700000000007")}
    assert stored(settled)["campaign", "21000000000", "2026-03-09"]
    ad = kept["ad", SHOWN]
    assert [one["text"] for one in ad["texts"]] == ["Coats", "Coats for all", "Warm"]
    assert (ad["labels"], ad["review_status"], ad["review_reason"]) == (["shop"], "APPROVED_LIMITED", "TRADEMARKS")
    assert (ad["final_url"], ad["image_url"]) == ("https://shop.example/coat", "https://shop.example/coat.png")
    assert kept["campaign", MAX]["kind"] == "PERFORMANCE_MAX"
    group = kept["ad_group", GROUP]
    assert (group["kind"], group["parent_id"], group["review_status"]) == ("ASSET_GROUP", MAX, "DISAPPROVED")
    assert {key for key, row in kept.items() if row["parent_id"] == GROUP} == set()


def test_hours_that_have_begun_are_stored_to_the_last_digit(settled: GoogleRig) -> None:
    wanted: dict[tuple[str, str, int], tuple[Decimal, ...]] = {}
    for one in hours():
        if one["date"] == "2026-03-09" and int(one["hour"]) > 13:
            continue
        cells = tuple(Decimal(one[name] or 0) for name in ("impressions", "clicks", "spend", "conversions"))
        for entity_id in (one["campaign_id"], BERLIN):
            key = (entity_id, one["date"], int(one["hour"]))
            known = wanted.get(key, (Decimal(0),) * 4)
            wanted[key] = tuple(map(sum, zip(known, cells, strict=True)))
    rows = settled.rows("select * from metrics_hourly where org_id = %s")
    assert {
        (row["entity_id"], row["day"].isoformat(), row["hour"]): tuple(
            Decimal(row[one] or 0) for one in ("impressions", "clicks", "spend", "conversions")
        )
        for row in rows
    } == wanted


WRITTEN = (
    "select coalesce(sum(rows_inserted + rows_updated + rows_deleted), 0) from sync_runs"
    " where org_id = %s and run_id > %s"
)


def test_reading_again_writes_no_row_and_a_restatement_only_its_own(rig: GoogleRig) -> None:
    rig.settle()
    before = rig.one("select max(run_id) from sync_runs where org_id = %s")
    again(rig)
    assert rig.one(WRITTEN, before) == 0
    rig.at(LATER)
    before = rig.one("select max(run_id) from sync_runs where org_id = %s")
    again(rig)
    assert stored(rig) == wanted(rig, datetime.fromisoformat(LATER))
    # The restated ad, its ad group, campaign and account; and the first rows of the tenth, which has begun in Asia.
    assert rig.one(WRITTEN + " and kind = 'metrics'", before) == 4 + 4 * 2


def test_every_action_may_count_and_the_record_says_which_did(rig: GoogleRig) -> None:
    rig.settle()
    before = rig.one("select max(run_id) from sync_runs where org_id = %s")
    (account_id,) = accounts(rig, "account_id")[BERLIN]
    definitions.change(
        rig.sync, org_id=rig.org_id, account_scope="*", account_id=account_id, conversion="all_conversions"
    )
    rig.settle()
    of_account = "org_id = %s and kind = 'metrics' and account_id = %s"
    told = f"select distinct attribution from sync_runs where {of_account} and run_id"
    (old,) = rig.rows(f"{told} <= %s", account_id, before)
    (new,) = rig.rows(f"{told} > %s", account_id, before)
    assert old["attribution"].startswith("conversions: ")
    assert new["attribution"].startswith("all_conversions: ")
    assert new["attribution"].endswith("up to 60 days after it")
    # The folder has only actions that count: the numbers are the same.
    assert stored(rig) == wanted(rig, NOW)


def test_one_account_that_is_gone_stops_no_other(rig: GoogleRig) -> None:
    error = {
        "grpc": "PERMISSION_DENIED", "code": "authorization_error.USER_PERMISSION_DENIED", "message": "No permission",
    }  # fmt: skip
    rig.sandbox.faults(
        {"match": {"path": "Search", "param": ANGELES, "times": None}, "fault": {"kind": "grpc_error", "error": error}}
    )
    rig.settle()
    errors = {one for one, (code,) in accounts(rig, "error_code").items() if code == "account_inaccessible"}
    assert errors == {ANGELES, CLOSED}
    assert stored(rig) == wanted(rig, NOW, ANGELES)


def test_an_ad_without_a_name_as_google_has_most_is_known_by_its_id(postgres: Postgres, tmp_path: Path) -> None:
    of = {"platform": "google", "account_id": "211", "campaign_id": "21", "adgroup_id": "31", "ad_id": "41"}
    folder = facts(tmp_path / "facts", fact(**of, ad_name="", date="2026-03-01"))
    listed = {"platform": "google", "account_id": "211"}
    write(
        folder,
        "entities.csv",
        [entity("ad", "41", "31", **listed | {"name": ""}), entity("ad", "42", "31", **listed | {"name": ""})],
    )
    with google_on(folder, tmp_path, NOW.isoformat()) as started, rig_in(postgres, *started, GoogleRig) as rig:
        rig.settle()

        named = rig.rows("select external_id, name from entities where org_id = %s and level = 'ad'")
        days = rig.rows("select distinct day from metrics where org_id = %s and level = 'ad'")
    assert sorted((row["external_id"], row["name"]) for row in named) == [("41", "41"), ("42", "42")]
    assert [row["day"] for row in days] == [date(2026, 3, 1)]
