"""The faults of TikTok that the sync must survive: how each is made, and what it is allowed to cost.

This is also the table in `docs/faults-tiktok.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from adloom import errors
from adloom.platforms.tiktok.client import WAIT_AFTER_BURST_S
from tests.integration.fault_cases import TRANSIENT_TRIES, Case
from tests.integration.fault_cases import document as table

# The account and its ad groups' windows, four lists, the reviews of 310 ads, of the facts one page of each level but
# three of ads, and the hours of seven days, each by itself, for two levels.
CLEAN_REQUESTS = 29
TEST = "test_sync_tiktok_faults.py"
REPORT = "report/integrated"
AD_PAGE_2 = {"path": REPORT, "level": "ad", "page": 2}
ADS_ALWAYS = {"path": REPORT, "level": "ad", "times": None}
TOKEN_ALWAYS = {"path": "oauth2/advertiser/get", "times": None}
HOURS = {"path": REPORT, "param": "stat_time_hour"}
CUT = {"X-Tt-Ads-Throttle": "Number of ad ids is equal or more than 20k, only return the top 20k id's results"}


def said(code: int, message: str = "Documented") -> dict[str, Any]:
    """An envelope with a code; HTTP says that all is well."""
    body = {"code": code, "message": message, "request_id": "202603071200000A", "data": {}}
    return {"kind": "error", "status": 200, "body": body}


def once(fault: dict[str, Any], match: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [{"match": match or AD_PAGE_2, "fault": fault}]


def always(fault: dict[str, Any], match: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [{"match": match or ADS_ALWAYS, "fault": fault}]


NO_DATA = {"kind": "error", "status": 200, "body": {"code": 0, "message": "OK", "request_id": "R"}}
MINUTE = timedelta(minutes=1)
EVERYBODY = "every account of every organisation waits"
AGAIN = "the window is read again"

CASES = [
    Case("40100: too many calls a second", once(said(40100)), None, 1, seconds=WAIT_AFTER_BURST_S),
    Case("40100: too many calls a minute", always(said(40100)), errors.PlatformThrottled, 0, away=5 * MINUTE,
         seconds=WAIT_AFTER_BURST_S, note=EVERYBODY),
    Case("40016: too many calls of the app", always(said(40016)), errors.PlatformThrottled, 0, away=5 * MINUTE,
         seconds=WAIT_AFTER_BURST_S, note=EVERYBODY),
    Case("40133: too many calls to the account", once(said(40133)), errors.PlatformThrottled, 0, away=MINUTE),
    Case("60001: maintenance", once(said(60001)), errors.PlatformThrottled, 0, away=5 * MINUTE, note=EVERYBODY),
    Case("61000: overload", once(said(61000)), errors.PlatformThrottled, 0, away=2 * MINUTE, note=EVERYBODY),
    Case("HTTP 429 without an envelope", once({"kind": "error", "status": 429, "body": "slow down"}),
         errors.PlatformThrottled, 0, away=5 * MINUTE, note=EVERYBODY),
    Case("40102: the token has expired", once(said(40102)), errors.ConnectionBroken, 0, mends="connect"),
    Case("40105: the token was revoked", [*once(said(40105)), *always(said(40105), TOKEN_ALWAYS)],
         errors.ConnectionBroken, 1, mends="connect", note="one call for the token's accounts decides"),
    Case("40105 while the token works", once(said(40105)), errors.AccountInaccessible, 1,
         note="one call for the token's accounts decides"),
    Case("40106: the token does not cover the account", once(said(40106)), errors.AccountInaccessible, 1,
         note="one call for the token's accounts decides"),
    Case("40130: a right was not given", once(said(40130)), errors.ConnectionBroken, 0, mends="connect"),
    Case("40000: the token is another app's", once(said(40000, "The app_id does not match the access token")),
         errors.ConnectionBroken, 0, mends="connect"),
    Case("40001: no permission, or the account was deleted", once(said(40001)), errors.AccountInaccessible, 0),
    Case("40300: the account does not exist", once(said(40300)), errors.AccountInaccessible, 0),
    Case("40118: the app is on no allow-list", once(said(40118)), errors.OperatorMustAct, 0),
    Case("40006: the version has ended", once(said(40006)), errors.PlatformRejected, 0),
    Case("40002: a parameter that TikTok does not take", once(said(40002)), errors.PlatformRejected, 0),
    Case("40002: a metric that TikTok does not take",
         always(said(40002, "metrics: no such"), {**ADS_ALWAYS, "param": "onsite_shopping"}), None, 11,
         note="found by halves, then left out"),
    Case("40067: the query is too large", always({"kind": "too_large", "rows": 900}), None, 10,
         note="3 days instead of 7"),
    Case("40067 for a single day", always({"kind": "too_large", "rows": 100}), None, 61,
         note="fewer days, then a few campaigns at a time"),
    Case("more than 20,000 ads: only the newest came", always({"kind": "few_ads", "rows": 100}), None, 5,
         note="the header alone says so; a few campaigns at a time"),
    Case("the same, of the account's own total",
         always({"kind": "few_ads", "rows": 100}, {**ADS_ALWAYS, "level": "account"}), None, 4,
         note="a report that TikTok prepares in the background"),
    Case("the same, from the second page on", once({"kind": "rate_headers", "headers": CUT}), None, 5, note=AGAIN),
    Case("a row came between two pages", once({"kind": "shifted_pages", "rows": 1}), None, 5, note=AGAIN),
    Case("a row went between two pages", once({"kind": "shifted_pages", "rows": -1}), None, 5, note=AGAIN),
    Case("40067 for a day's hours", once(said(40067), HOURS), None, 1, note="fewer days at once"),
    Case("40002 for hours, for good", always(said(40002), {**HOURS, "times": None}), None, 0,
         note="the days are stored without their hours"),
    Case("40002 for the reviews of some ads", once(said(40002), {"path": "ad/review_info"}), None, 2,
         note="by halves; an ad without a review is stored as well"),
    Case("40700: validation inside of TikTok", once(said(40700)), None, 1, waits=(1,)),
    Case("40700, for good", always(said(40700)), errors.PlatformTransient, 0, waits=TRANSIENT_TRIES[:2]),
    Case("50000: a passing fault", once(said(50000)), None, 1, waits=(1,)),
    Case("51039: a passing fault behind TikTok's own log-in", once(said(51039)), None, 1, waits=(1,)),
    Case("an HTML page with 502", once({"kind": "html_502"}), None, 1, waits=(1,)),
    Case("an HTML page with 502, for good", always({"kind": "html_502"}), errors.PlatformTransient, 2,
         waits=TRANSIENT_TRIES),
    Case("a body cut short", once({"kind": "truncate"}), None, 1, waits=(1,)),
    Case("a socket that hangs", once({"kind": "hang", "seconds": 60}), None, 1, waits=(1,), times_out=True),
    Case("a field that we do not know", once({"kind": "unknown_field"}), None, 0),
    Case("an answer without `data`", once(NO_DATA), None, 1, waits=(1,)),
    Case("an answer without `data`, for good", always(NO_DATA), errors.PlatformProtocolError, 2,
         waits=TRANSIENT_TRIES),
]  # fmt: skip


def document() -> str:
    return table(CASES, platform="TikTok", test=TEST, clean_requests=CLEAN_REQUESTS)
