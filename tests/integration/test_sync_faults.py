"""Every fault that Meta is known for: how it ends, who acts, the most requests it costs, and the least wait.

The cases below are the table in `docs/faults-meta.md`; each is driven through the sandbox's fault script in the first
sync of an account and judged by the sandbox's request log. Recorded bodies go over the wire byte for byte. Whatever the
outcome, once the cause is gone the account is stored to the last cell.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adloom import clock, errors
from adloom.metrics import planning, reconcile
from adloom.platforms.meta.pages import WAIT_BEFORE_ASKING_FOR_LESS_S
from adloom.platforms.meta.usage import SLOW_FROM_PERCENT, SLOWEST_WAIT_S
from adloom.platforms.model import Days
from adloom.platforms.retry import RetryPolicy
from tests.conftest import Postgres
from tests.integration.sync_rig import Rig, long_lived, rig_in, sandbox_on
from tests.unit.sandbox.support import ROOT, Sandbox, fact, facts

NOON = "2026-03-07T12:00:00+00:00"
SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 7)
ADS = 300
# The account, three lists, and of the facts one page of each level but three of ads.
CLEAN_REQUESTS = 10
# Shorter waits than the product's, in the same proportions; the table tells the product's.
QUICK, PRODUCT = RetryPolicy(first_wait_s=0.1, longest_wait_s=1.6), RetryPolicy()
TIMEOUT_S = 1.5
PRODUCT_TIMEOUT_S = 30.0
DOCUMENT = ROOT / "docs" / "faults-meta.md"
RECORDED = json.loads((ROOT / "tests" / "data" / "platform_errors.json").read_text(encoding="utf-8"))["meta"]
RAW = (ROOT / "tests" / "data" / "platform_errors.json").read_text(encoding="utf-8")

AD_PAGE_2 = {"path": "^act_.*insights", "level": "ad", "page": 2}
ADS_ALWAYS = {"path": "^act_.*insights", "level": "ad", "method": "GET", "times": None}
TRANSIENT_TRIES = tuple(float(2**failures) for failures in range(PRODUCT.tries - 1))


@dataclass(frozen=True)
class Case:
    """One line of the table. `waits` are the least waits in first waits of the policy, `seconds` those in seconds."""

    name: str
    script: list[dict[str, Any]]
    ends: type[errors.PlatformError] | None
    more_requests: int
    waits: tuple[float, ...] = ()
    seconds: float = 0.0
    away: timedelta | None = None
    note: str = ""
    mends: str = "time"
    times_out: bool = field(default=False)


def recorded(code: int, subcode: int | None = None) -> dict[str, Any]:
    """A recorded error, byte for byte: as it would be written on one line."""
    (found,) = [
        one
        for one in RECORDED
        if one.get("body", {}).get("error", {}).get("code") == code
        and one["body"]["error"].get("error_subcode") == subcode
    ]
    body = json.dumps(found["body"], ensure_ascii=False).encode()
    return {"kind": "error", "status": found["http"], "body_base64": base64.b64encode(body).decode()}


def said(code: int, subcode: int | None = None, *, status: int = 400, **more: Any) -> dict[str, Any]:
    """An error in Meta's form that is documented, not recorded."""
    error = {"message": "Documented", "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    return {"kind": "error", "status": status, "body": {"error": error}, **more}


def once(fault: dict[str, Any], match: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [{"match": match or AD_PAGE_2, "fault": fault}]


def always(fault: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"match": ADS_ALWAYS, "fault": fault}]


USAGE_FULL = {
    "X-Business-Use-Case-Usage": json.dumps(
        {"11": [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 19}]}
    )
}
(USAGE_97,) = [one["headers"] for one in RECORDED if "headers" in one]
TOO_MUCH = recorded(1, 99)
LESS = WAIT_BEFORE_ASKING_FOR_LESS_S

CASES = [
    Case(
        "429 with usage headers",
        once(recorded(80000, 2446079) | {"status": 429, "headers": USAGE_FULL}),
        errors.PlatformThrottled,
        0,
        away=timedelta(minutes=19),
        note="the account waits as long as the header says",
    ),
    Case(
        "80000: insights of the account",
        once(recorded(80000, 2446079)),
        errors.PlatformThrottled,
        0,
        away=timedelta(minutes=1),
    ),
    Case(
        "80004: calls to the account",
        once(recorded(80004, 2446079)),
        errors.PlatformThrottled,
        0,
        away=timedelta(minutes=1),
    ),
    Case("17: the person's calls", once(recorded(17, 2446079)), errors.PlatformThrottled, 0, away=timedelta(minutes=1)),
    Case(
        "4: the app's calls",
        once(recorded(4, 1504022)),
        errors.PlatformThrottled,
        0,
        away=timedelta(minutes=5),
        note="every account of every organisation waits",
    ),
    Case(
        "97 % of the quota used up",
        [{"match": AD_PAGE_2, "fault": {"kind": "rate_headers", "headers": USAGE_97}}],
        None,
        0,
        seconds=(97.2 - SLOW_FROM_PERCENT) / (100 - SLOW_FROM_PERCENT) * SLOWEST_WAIT_S,
        note="slower from 75 % on",
    ),
    Case("190/463: the token has expired", once(recorded(190, 463)), errors.ConnectionBroken, 0, mends="connect"),
    Case("190/460: the password has changed", once(recorded(190, 460)), errors.ConnectionBroken, 0, mends="connect"),
    Case("190/458: the app was removed", once(recorded(190, 458)), errors.ConnectionBroken, 0, mends="connect"),
    Case(
        "190 without a subcode, while the token works",
        once(said(190)),
        errors.AccountInaccessible,
        1,
        note="one call for the token's owner decides",
    ),
    Case("100/33: the account is hidden from us", once(said(100, 33)), errors.AccountInaccessible, 0),
    Case("10: the app lacks a permission", once(recorded(10)), errors.OperatorMustAct, 0),
    Case("100: a field that Meta does not know", once(said(100)), errors.PlatformRejected, 0),
    Case(
        "1/99 on a page: 'reduce the amount of data'",
        once(TOO_MUCH),
        None,
        2,
        seconds=LESS,
        note="a page of 500 instead of 1000 rows from the same cursor on",
    ),
    Case(
        "1/99 on every question for ads",
        always(TOO_MUCH),
        None,
        55,
        seconds=3 * LESS,
        note="pages of 500, 100, 25; 3 days, 1 day; then a report per day",
    ),
    Case(
        "1/99 for a day, and the report fails",
        [
            {"match": ADS_ALWAYS | {"times": 6}, "fault": TOO_MUCH},
            {
                "match": {"path": "insights", "method": "POST", "times": None},
                "fault": {"kind": "fail_at", "percent": 40},
            },
        ],
        None,
        83,
        seconds=3 * LESS,
        note="asked for twice, then a few campaigns at a time",
    ),
    Case("2: a passing fault", once(said(2, status=500)), None, 1, waits=(1,)),
    Case("an HTML page with 502", once({"kind": "html_502"}), None, 1, waits=(1,)),
    Case(
        "an HTML page with 502, for good",
        always({"kind": "html_502"}),
        errors.PlatformTransient,
        2,
        waits=TRANSIENT_TRIES,
    ),
    Case("an empty page with `next`", once({"kind": "empty_page_with_next"}), None, 1),
    Case("a page that comes twice", once({"kind": "duplicate_page"}), None, 1, note="its rows are counted once"),
    Case("a body cut short", once({"kind": "truncate"}), None, 1, waits=(1,)),
    Case("a socket that hangs", once({"kind": "hang", "seconds": 60}), None, 1, waits=(1,), times_out=True),
    Case("a field that we do not know", once({"kind": "unknown_field"}), None, 0),
    Case(
        "an answer without `data`",
        once({"kind": "error", "status": 200, "body": {"paging": {}}}),
        None,
        1,
        waits=(1,),
    ),
    Case(
        "an answer without `data`, for good",
        always({"kind": "error", "status": 200, "body": {"paging": {}}}),
        errors.PlatformProtocolError,
        2,
        waits=TRANSIENT_TRIES,
    ),
]


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


# The table


def row(case: Case) -> str:
    outcome = "recovers by itself" if case.ends is None else f"`{case.ends.code}`"
    retryable = "" if case.ends is None else ("yes" if case.ends.retryable else "no")
    acts = "" if case.ends is None or case.ends.acts is errors.Actor.NOBODY else case.ends.acts.value
    cells = (case.name, outcome, retryable, acts, f"{case.more_requests}", _waits(case), case.note)
    return "| " + " | ".join(cells) + " |"


def _waits(case: Case) -> str:
    if case.away is not None:
        return f"{case.away.total_seconds() / 60:.0f} min"
    if case.ends is not None and not case.waits:
        return "1 h" if case.mends == "time" else "until connected again"
    waits = [f"{wait * PRODUCT.first_wait_s:.0f}" for wait in case.waits]
    parts = [f"{PRODUCT_TIMEOUT_S:.0f} s time limit"] if case.times_out else []
    parts += [" + ".join(waits) + " s"] if waits else []
    parts += [f"{case.seconds:.1f} s"] if case.seconds else []
    return " + ".join(parts) or "none"


HEAD = f"""# What happens when Meta says no

Every line is a test of `tests/integration/test_sync_faults.py`, which also writes this page (`ADLOOM_WRITE_DOCS=1`).
A sync of one account's week takes {CLEAN_REQUESTS} requests there, and the fault comes in the middle of it. Whatever
the outcome, nothing is lost and nothing is stored twice: the windows stay on the account's list, and when the cause is
gone every cell equals the platform's.

| fault | outcome | tried again by itself | who acts | most requests more | least wait | |
|---|---|---|---|---|---|---|
"""


def document() -> str:
    return HEAD + "\n".join(map(row, CASES)) + "\n"


def test_the_document_is_this_table() -> None:
    if os.environ.get("ADLOOM_WRITE_DOCS") == "1":
        DOCUMENT.write_text(document(), encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run this test with ADLOOM_WRITE_DOCS=1"
