"""The faults of Meta that the sync must survive: how each is made, and what it is allowed to cost.

This is also the table in `docs/faults-meta.md`. Recorded bodies come from `tests/data/platform_errors.json`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adloom import errors
from adloom.platforms.meta.client import TIMEOUT_S
from adloom.platforms.meta.pages import WAIT_BEFORE_ASKING_FOR_LESS_S
from adloom.platforms.quota import SLOW_FROM_PERCENT, SLOWEST_WAIT_S
from adloom.platforms.retry import RetryPolicy
from tests.unit.sandbox.support import ROOT

# The account, three lists, of the facts one page of each level but three of ads, and one of the hours of two levels.
CLEAN_REQUESTS = 12
PRODUCT = RetryPolicy()
RAW = (ROOT / "tests" / "data" / "platform_errors.json").read_text(encoding="utf-8")
RECORDED = json.loads(RAW)["meta"]

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
        67,
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
        95,
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


# The table


def row(case: Case, timeout_s: float = TIMEOUT_S) -> str:
    outcome = "recovers by itself" if case.ends is None else f"`{case.ends.code}`"
    retryable = "" if case.ends is None else ("yes" if case.ends.retryable else "no")
    acts = "" if case.ends is None or case.ends.acts is errors.Actor.NOBODY else case.ends.acts.value
    cells = (case.name, outcome, retryable, acts, f"{case.more_requests}", _waits(case, timeout_s), case.note)
    return "| " + " | ".join(cells) + " |"


def _waits(case: Case, timeout_s: float) -> str:
    if case.away is not None:
        return f"{case.away.total_seconds() / 60:.0f} min"
    if case.ends is not None and not case.waits:
        due = "1 min" if case.ends.retryable else "1 h"
        return due if case.mends == "time" else "until connected again"
    waits = [f"{wait * PRODUCT.first_wait_s:.0f}" for wait in case.waits]
    parts = [f"{timeout_s:.0f} s time limit"] if case.times_out else []
    parts += [" + ".join(waits) + " s"] if waits else []
    parts += [f"{case.seconds:.1f} s"] if case.seconds else []
    return " + ".join(parts) or "none"


HEAD = """# What happens when {platform} says no

Every line is a test of `tests/integration/{test}`, which also writes this page (`ADLOOM_WRITE_DOCS=1`).
A sync of one account's week takes {clean_requests} requests there, and the fault comes in the middle of it. Whatever
the outcome, nothing is lost and nothing is stored twice: the windows stay on the account's list, and when the cause is
gone every cell equals the platform's.

| fault | outcome | tried again by itself | who acts | most requests more | least wait | |
|---|---|---|---|---|---|---|
"""


def document(
    cases: list[Case] = CASES,
    *,
    platform: str = "Meta",
    test: str = "test_sync_faults.py",
    clean_requests: int = CLEAN_REQUESTS,
    timeout_s: float = TIMEOUT_S,
) -> str:
    head = HEAD.format(platform=platform, test=test, clean_requests=clean_requests)
    return head + "\n".join(row(case, timeout_s) for case in cases) + "\n"
