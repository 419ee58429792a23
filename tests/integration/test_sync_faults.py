"""Every fault that Meta is known for: how it ends, who acts, the most requests it costs, and the least wait.

The cases are in `fault_cases.py` and the table in `docs/faults-meta.md`; each is driven through the sandbox's fault
script in the first sync of an account and judged by the sandbox's request log. Whatever the outcome, once the cause is
gone the account is stored to the last cell.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adloom import clock, errors
from adloom.metrics import planning, reconcile
from adloom.platforms.model import Days
from adloom.platforms.retry import RetryPolicy
from tests.conftest import Postgres
from tests.integration.fault_cases import CASES, CLEAN_REQUESTS, RAW, Case, document, recorded
from tests.integration.sync_rig import Rig, long_lived, rig_in, sandbox_on
from tests.unit.sandbox.support import ROOT, Sandbox, fact, facts

NOON = "2026-03-07T12:00:00+00:00"
SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 7)
ADS = 300
# Shorter waits than the product's, in the same proportions; the table tells the product's.
QUICK = RetryPolicy(first_wait_s=0.1, longest_wait_s=1.6)
TIMEOUT_S = 1.5
DOCUMENT = ROOT / "docs" / "faults-meta.md"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("faults")
    rows = [
        fact(
            campaign_id=str(2100 + number % 3), adgroup_id=str(3100 + number % 30), ad_id=str(4000 + number),
            date=date(2026, 3, day).isoformat(), spend=f"{number}.{day:02}",
        )
        for day in range(1, 8)
        for number in range(ADS)
    ]  # fmt: skip
    with sandbox_on(facts(folder / "facts", *rows), folder, NOON) as started:
        yield started


@pytest.fixture
def rig(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[Rig]:
    """An account that was found but never synced, with a week of days to fetch."""
    sandbox, clock_file = shared
    sandbox.faults()
    with rig_in(postgres, sandbox, clock_file) as made:
        made.at(NOON)
        made.retry, made.timeout_s = QUICK, TIMEOUT_S
        (found,) = made.undelivered()
        made.deliver(found)
        made.admin.execute("delete from sync_windows where org_id = %s", (made.org_id,))
        made.admin.execute("update outbox set published_at = now() where org_id = %s", (made.org_id,))
        sandbox.control("DELETE", "requests")
        yield made
        made.admin.execute("delete from platform_pauses")


def sync(rig: Rig) -> None:
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*", since=SINCE, until=UNTIL)
    rig.settle()


def requests(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rig.sandbox.control("GET", "requests")["requests"]
    return found


def assert_whole(rig: Rig) -> None:
    """Every ad of every day, once, with its own number, and every total proved."""
    rows = rig.rows("select entity_id, day, spend from metrics where org_id = %s and level = 'ad'")
    assert len(rows) == ADS * 7
    assert all(str(row["spend"]) == f"{int(row['entity_id']) - 4000}.{row['day'].day:02}" for row in rows)
    with rig.database.tenant(rig.org_id) as connection:
        assert reconcile.check(connection) == []
    assert rig.rows("select * from sync_windows where org_id = %s") == []
    runs = rig.rows(
        "select since, until from sync_runs where org_id = %s and kind = 'metrics' and outcome = 'succeeded'"
    )
    stored = [day for run in runs for day in Days(run["since"], run["until"]) if SINCE <= day <= UNTIL]
    assert sorted(stored) == list(Days(SINCE, UNTIL))


def test_without_a_fault_a_sync_takes_ten_requests(rig: Rig) -> None:
    sync(rig)
    assert len(requests(rig)) == CLEAN_REQUESTS
    assert_whole(rig)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_fault(rig: Rig, case: Case) -> None:
    rig.sandbox.faults(*case.script)
    sync(rig)
    asked = requests(rig)
    assert len([one for one in asked if one["fault"]]) >= 1
    assert len(asked) <= CLEAN_REQUESTS + case.more_requests
    assert_waited(case, asked)
    if case.ends is None:
        assert rig.rows("select error_code from ad_accounts where org_id = %s") == [{"error_code": None}]
    else:
        assert_ended(rig, case, case.ends)
        mend(rig, case)
    assert_whole(rig)


def assert_waited(case: Case, asked: list[dict[str, Any]]) -> None:
    """The gap after each faulty answer is no shorter than the table says."""
    least = [wait * QUICK.first_wait_s + (TIMEOUT_S if case.times_out else 0) for wait in case.waits]
    gaps = [after["at"] - before["at"] for before, after in pairwise(asked) if before["fault"]]
    assert all(gap >= wait * 0.99 for gap, wait in zip(gaps, least, strict=False)), (gaps, least)
    assert len(gaps) >= len(least)
    if case.seconds:
        assert sum(gaps) >= case.seconds * 0.99


def assert_ended(rig: Rig, case: Case, kind: type[errors.PlatformError]) -> None:
    """The account, the connection and the event say the same as the table; the windows wait."""
    (account,) = rig.rows("select * from ad_accounts where org_id = %s")
    assert account["error_code"] == kind.code
    (event,) = rig.rows(
        "select envelope->'data' as data from outbox where org_id = %s and subject = 'adloom.metrics.sync_failed'"
    )
    assert event["data"] == {
        "org_id": str(rig.org_id), "account_id": account["account_id"], "platform": "meta",
        "code": kind.code, "retryable": kind.retryable,
    }  # fmt: skip
    (connection,) = rig.rows("select status from connections where org_id = %s")
    assert (connection["status"] == "broken") == (kind is errors.ConnectionBroken)
    assert rig.rows("select attempts from sync_windows where org_id = %s") == [{"attempts": 1}]
    assert rig.one("select count(*) from metrics where org_id = %s") == 0
    assert_away(rig, case, kind, account)


def assert_away(rig: Rig, case: Case, kind: type[errors.PlatformError], account: dict[str, Any]) -> None:
    """When the account is looked at again."""
    if case.away is not None:
        is_apps = account["blocked_until"] is None
        until: datetime = (
            rig.one("select paused_until from platform_pauses where %s::uuid is not null")
            if is_apps
            else account["blocked_until"]
        )
        assert is_apps == ("every account" in case.note)
        assert case.away - timedelta(seconds=10) < until - clock.real_now() <= case.away
    elif kind.retryable:
        assert account["next_due_at"] - clock.now() == timedelta(minutes=1)
    else:
        assert account["next_due_at"] - clock.now() == timedelta(hours=1)
    assert planning.tick(rig.sync) == 0
    assert len(requests(rig)) <= CLEAN_REQUESTS + case.more_requests


def mend(rig: Rig, case: Case) -> None:
    """The cause goes away, and time passes."""
    rig.sandbox.faults()
    if case.mends == "connect":
        rig.connect(long_lived(rig.sandbox))
    rig.admin.execute("update ad_accounts set blocked_until = null where org_id = %s", (rig.org_id,))
    rig.admin.execute("delete from platform_pauses")
    rig.at(datetime.fromisoformat(NOON) + timedelta(hours=1))
    if case.mends != "connect":
        assert planning.tick(rig.sync) == 1
        # Only the days that were asked for: the tick's own are part of them, or older than the facts.
        rig.admin.execute("delete from sync_windows where org_id = %s and until < %s", (rig.org_id, SINCE))
    rig.settle()


def test_one_bad_account_never_stops_another(rig: Rig, postgres: Postgres, shared: tuple[Sandbox, Path]) -> None:
    rig.sandbox.faults({"match": {"path": "insights", "times": 1}, "fault": recorded(10)})
    with rig_in(postgres, *shared) as other:
        other.retry = QUICK
        sync(rig)
        other.settle()
        assert rig.one("select error_code from ad_accounts where org_id = %s") == "platform_setup"
        assert other.one("select error_code from ad_accounts where org_id = %s") is None
        assert other.one("select count(*) from metrics where org_id = %s and level = 'ad'") == ADS * 7


def test_the_recorded_bodies_are_those_of_the_file_byte_for_byte() -> None:
    for case in CASES:
        for line in case.script:
            if "body_base64" in line["fault"]:
                body = base64.b64decode(line["fault"]["body_base64"]).decode()
                assert body in " ".join(RAW.split()).replace("{ ", "{").replace(" }", "}")


def test_the_document_is_this_table() -> None:
    if os.environ.get("ADLOOM_WRITE_DOCS") == "1":
        DOCUMENT.write_text(document(), encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run this test with ADLOOM_WRITE_DOCS=1"
