"""How a fault of a platform is judged: by the request log, what is noted with the account, and what is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from adloom import clock, errors
from adloom.metrics import planning, reconcile
from adloom.platforms.model import Days
from adloom.platforms.retry import RetryPolicy
from tests.conftest import Postgres
from tests.integration.fault_cases import Case
from tests.integration.sync_rig import Rig, rig_in
from tests.unit.sandbox.support import Sandbox

NOON = "2026-03-07T12:00:00+00:00"
SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 7)
# Shorter waits than the product's, in the same proportions; the table tells the product's.
QUICK = RetryPolicy(first_wait_s=0.1, longest_wait_s=1.6)
TIMEOUT_S = 1.5
ADS = 300


def week(make: Callable[..., dict[str, str]]) -> list[dict[str, str]]:
    """The rows of a week, made by the platform's maker of rows."""
    return [
        make(
            campaign_id=str(2100 + number % 3), adgroup_id=str(3100 + number % 30), ad_id=str(4000 + number),
            date=day.isoformat(), spend=f"{number}.{day.day:02}",
        )
        for day in Days(SINCE, UNTIL)
        for number in range(ADS)
    ]  # fmt: skip


@contextmanager
def ready(postgres: Postgres, sandbox: Sandbox, clock_file: Path, kind: type[Rig] = Rig) -> Iterator[Rig]:
    """An account that was found but never synced, with a week of days to fetch."""
    sandbox.faults()
    with rig_in(postgres, sandbox, clock_file, kind) as made:
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
    """The week in which the fault comes."""
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*", since=SINCE, until=UNTIL)
    rig.settle()


def judge(rig: Rig, case: Case, clean_requests: int) -> None:
    """Drive a case from the fault to the last cell."""
    rig.sandbox.faults(*case.script)
    sync(rig)
    asked = requests(rig)
    assert len([one for one in asked if one["fault"]]) >= 1
    assert len(asked) <= clean_requests + case.more_requests
    assert_waited(case, asked)
    if case.ends is None:
        assert rig.rows("select error_code from ad_accounts where org_id = %s") == [{"error_code": None}]
    else:
        assert_ended(rig, case, case.ends, clean_requests)
        mend(rig, case)
    assert_whole(rig)


def requests(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rig.sandbox.control("GET", "requests")["requests"]
    return found


def assert_waited(case: Case, asked: list[dict[str, Any]]) -> None:
    """The gap after each faulty answer is no shorter than the table says."""
    least = [wait * QUICK.first_wait_s + (TIMEOUT_S if case.times_out else 0) for wait in case.waits]
    gaps = [after["at"] - before["at"] for before, after in pairwise(asked) if before["fault"]]
    assert all(gap >= wait * 0.99 for gap, wait in zip(gaps, least, strict=False)), (gaps, least)
    assert len(gaps) >= len(least)
    if case.seconds:
        assert sum(gaps) >= case.seconds * 0.99


def assert_ended(rig: Rig, case: Case, kind: type[errors.PlatformError], clean_requests: int) -> None:
    """The account, the connection and the event say the same as the table; the windows wait."""
    (account,) = rig.rows("select * from ad_accounts where org_id = %s")
    assert account["error_code"] == kind.code
    (event,) = rig.rows(
        "select envelope->'data' as data from outbox where org_id = %s and subject = 'adloom.metrics.sync_failed'"
    )
    assert event["data"] == {
        "org_id": str(rig.org_id), "account_id": account["account_id"], "platform": rig.platform,
        "code": kind.code, "retryable": kind.retryable,
    }  # fmt: skip
    (connection,) = rig.rows("select status from connections where org_id = %s")
    assert (connection["status"] == "broken") == issubclass(kind, errors.ConnectionBroken)
    assert rig.rows("select attempts from sync_windows where org_id = %s") == [{"attempts": 1}]
    assert rig.one("select count(*) from metrics where org_id = %s") == 0
    assert_away(rig, case, kind, account)
    assert planning.tick(rig.sync) == 0
    assert len(requests(rig)) <= clean_requests + case.more_requests


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


def mend(rig: Rig, case: Case) -> None:
    """The cause goes away, and time passes."""
    rig.sandbox.faults()
    if case.mends == "connect":
        rig.connect(rig.token())
    rig.admin.execute("update ad_accounts set blocked_until = null where org_id = %s", (rig.org_id,))
    rig.admin.execute("delete from platform_pauses")
    rig.at(datetime.fromisoformat(NOON) + timedelta(hours=1))
    if case.mends != "connect":
        assert planning.tick(rig.sync) == 1
        # Only the days that were asked for: the tick's own are part of them, or older than the facts.
        rig.admin.execute("delete from sync_windows where org_id = %s and until < %s", (rig.org_id, SINCE))
    rig.settle()


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
