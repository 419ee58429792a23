"""TikTok through the sync into Postgres: every cell of four accounts, twice, and once more after a restatement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adloom.metrics import definitions, planning, reconcile
from adloom.platforms.model import LEVELS
from infra.sandbox.facts.columns import SUMS
from infra.sandbox.facts.expected import expected
from tests.conftest import Postgres
from tests.contract.tiktok_world import ANGELES, BERLIN, NOW, TOKYO, folder_in, hours_by
from tests.integration.sync_rig import rig_in, sandbox_on
from tests.integration.tiktok_rig import SETTINGS, TikTokRig

LATER = "2026-03-10T01:00:00+00:00"
MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views")


@pytest.fixture
def rig(postgres: Postgres, tmp_path: Path) -> Iterator[TikTokRig]:
    """Four accounts that were found, with all of their history to fetch."""
    folder = folder_in(tmp_path / "facts")
    with (
        sandbox_on(folder, tmp_path, NOW.isoformat(), **SETTINGS) as started,
        rig_in(postgres, *started, TikTokRig) as made,
    ):
        assert isinstance(made, TikTokRig)
        yield made


def stored(rig: TikTokRig) -> dict[tuple[str, str, str], tuple[Decimal, ...]]:
    """What is stored, by level, id and day."""
    query = "select level, entity_id, day, {} from metrics where org_id = %s".format(", ".join(MEASURES))
    return {
        (row["level"], row["entity_id"], row["day"].isoformat()): tuple(Decimal(row[one] or 0) for one in MEASURES)
        for row in rig.rows(query)
    }


def wanted(rig: TikTokRig, now: datetime) -> dict[tuple[str, str, str], tuple[Decimal, ...]]:
    """What the folder says at an instant."""
    judged = expected(Path(rig.sandbox.environment["ADLOOM_SANDBOX_FACTS"]), now)
    levels = {
        "account": judged.accounts, "campaign": judged.campaigns, "ad_group": judged.adgroups, "ad": judged.ads,
    }  # fmt: skip
    return {
        (level, one, day.isoformat()): tuple(getattr(cells, measure) for measure in MEASURES)
        for level, found in levels.items()
        for (_, one, day), cells in found.items()
    }


def differences(rig: TikTokRig) -> set[tuple[str, date, str, str]]:
    """What does not add up, with the account's own id."""
    names = {row["account_id"]: row["external_id"] for row in rig.rows("select * from ad_accounts where org_id = %s")}
    with rig.database.tenant(rig.org_id) as connection:
        found = reconcile.check(connection)
    return {(names[one.account_id], one.day, one.level, one.kind) for one in found}


def again(rig: TikTokRig) -> None:
    """Read what may have moved."""
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*")
    rig.settle()


def test_every_cell_is_stored_and_only_the_planted_difference_is_named(rig: TikTokRig) -> None:
    rig.settle()
    assert stored(rig) == wanted(rig, NOW)
    planted = date(2026, 3, 5)  # the account's total of that day is not the sum of its campaigns
    assert {one for one in differences(rig) if one[1] != planted} == set()
    assert {one[:2] for one in differences(rig)} == {(BERLIN, planted)}
    accounts = rig.rows("select external_id, currency, timezone, error_code from ad_accounts where org_id = %s")
    assert {one["external_id"]: (one["currency"], one["timezone"]) for one in accounts}[TOKYO] == ("JPY", "Asia/Tokyo")
    assert {one["error_code"] for one in accounts} == {None}
    deleted = rig.rows("select external_id from entities where org_id = %s and status = 'deleted'")
    assert {one["external_id"] for one in deleted} == {"1800000000000000000", "1820000000000000007"}
    (smart,) = rig.rows("select distinct kind from entities where org_id = %s and external_id = '1800000000000000002'")
    assert smart == {"kind": "SMART_PLUS"}
    assert hours_stored(rig) == hours_by(NOW)
    assert_runs_say_how(rig)


def assert_runs_say_how(rig: TikTokRig) -> None:
    """Each run has the ids of its own requests, the attribution and the definition that it was read by."""
    runs = rig.rows("select attribution, query, rows_read from sync_runs where org_id = %s and kind = 'metrics'")
    queries = [run["query"] for run in runs if run["rows_read"]]
    assert all(query[level]["request_ids"] for query in queries for level in LEVELS)
    ids = [one for query in queries for level in LEVELS for one in query[level]["request_ids"]]
    assert len(ids) == len(set(ids))
    assert {run["attribution"] for run in runs} == {
        "the ad groups' own windows, at most 7 days after click or view; conversions on the day of the click or view"
    }
    assert {query["conversion"] for query in queries} == {"conversion"}


def hours_stored(rig: TikTokRig) -> dict[tuple[str, str, str, int], dict[str, Decimal]]:
    """The hours that are stored, by level, id, day and hour."""
    query = f"select level, entity_id, day, hour, {', '.join(SUMS)} from metrics_hourly where org_id = %s"
    return {
        (row["level"], row["entity_id"], row["day"].isoformat(), row["hour"]): {
            name: Decimal(row[name] or 0) for name in SUMS
        }
        for row in rig.rows(query)
    }


def test_reading_again_writes_no_row_and_a_restatement_only_its_own(rig: TikTokRig) -> None:
    rig.settle()
    before = rig.one("select max(run_id) from sync_runs where org_id = %s")
    again(rig)
    written = (
        "select sum(rows_inserted + rows_updated + rows_deleted) from sync_runs"
        " where org_id = %s and kind = 'metrics' and run_id > %s"
    )
    assert rig.one(written, before) == 0
    rig.at(LATER)
    before = rig.one("select max(run_id) from sync_runs where org_id = %s")
    again(rig)
    assert stored(rig) == wanted(rig, datetime.fromisoformat(LATER))
    # The restated ad, its ad group, campaign and account; and the first rows of the tenth, which has begun in Asia.
    touched = rig.one(written, before)
    assert touched == 4 + 4 * 2
    later = hours_by(datetime.fromisoformat(LATER))
    assert len(later) > len(hours_by(NOW))
    assert hours_stored(rig) == later


def test_one_account_that_is_gone_stops_no_other(rig: TikTokRig) -> None:
    body = {"code": 40001, "message": "No permission to operate advertiser", "request_id": "R", "data": {}}
    rig.sandbox.faults(
        {
            "match": {"path": "report/integrated", "param": ANGELES, "times": None},
            "fault": {"kind": "error", "status": 200, "body": body},
        }
    )
    rig.settle()
    errors = rig.rows("select external_id, error_code from ad_accounts where org_id = %s and error_code is not null")
    assert errors == [{"external_id": ANGELES, "error_code": "account_inaccessible"}]
    of_others = {
        key: cells for key, cells in wanted(rig, NOW).items() if key[1] not in {ANGELES, "1902", "1912", "1922"}
    }
    assert stored(rig) == of_others


def test_an_account_that_counts_something_else_is_read_by_that_and_back(rig: TikTokRig) -> None:
    rig.settle()
    counted = (
        "select count(conversions) from metrics m join ad_accounts a using (account_id)"
        " where m.org_id = %s and a.external_id = %s"
    )
    assert rig.one(counted, BERLIN) > 0
    for conversion, is_counted in (("onsite_shopping", False), (None, True)):
        definitions.change(
            rig.sync, org_id=rig.org_id, account_scope="*", account_id=rig.account_id(BERLIN), conversion=conversion
        )
        rig.settle()
        assert (rig.one(counted, BERLIN) > 0) == is_counted
        assert rig.one(counted, TOKYO) > 0
    assert stored(rig) == wanted(rig, NOW)
