"""The faults of Google that the sync must survive: how each is made, and what it is allowed to cost.

This is also the table in `docs/faults-google.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from adloom import errors
from adloom.platforms.google.client import TIMEOUT_S
from tests.integration.fault_cases import TRANSIENT_TRIES, Case
from tests.integration.fault_cases import document as table

# A token, the account with its windows, three lists, the facts of four levels, and the hours of two.
CLEAN_REQUESTS = 11
TEST = "test_sync_google_faults.py"
# The question for the ads' facts; the list of the ads asks for no metrics.
ADS = {"path": "SearchStream", "level": "ad", "param": "metrics.impressions"}
ADS_ALWAYS = {**ADS, "times": None}
# The token is asked for as the sync begins, and again where it is not taken any more.
RENEWAL = {"path": "^token$", "nth": 2}
# Rows that have come before a stream breaks.
SOME = 700


class GrantRefused(errors.ConnectionBroken):
    """How a broken connection is called where Google gives no token for the grant."""

    code = "grant_refused"


class ScopesMissing(errors.ConnectionBroken):
    """How a broken connection is called where the person left out a permission."""

    code = "scopes_missing"


def said(code: str, grpc: str = "PERMISSION_DENIED", *, after: int = 0, **more: Any) -> dict[str, Any]:
    """An error answer: a gRPC status, and Google's own failure where there is a code."""
    return {"kind": "grpc_error", "after": after, "error": {"grpc": grpc, "code": code, "message": "No", **more}}


def once(fault: dict[str, Any], match: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [{"match": match or ADS, "fault": fault}]


def always(fault: dict[str, Any], match: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [{"match": match or ADS_ALWAYS, "fault": fault}]


def quota(code: str, scope: str = "", delay: timedelta | None = None) -> list[dict[str, Any]]:
    """A quota error, with its details where there are any."""
    details: dict[str, Any] = {"scope": scope, "rate_name": "Number of operations"} if scope else {}
    if delay is not None:
        details["retry_delay_s"] = delay.total_seconds()
    return once(said(f"quota_error.{code}" if code else "", "RESOURCE_EXHAUSTED", **details))


def oauth(status: int, error: str) -> list[dict[str, Any]]:
    """The access token is not taken, and the token endpoint says why there is no other."""
    body = {"error": error, "error_description": "Token has been expired or revoked."}
    return [*once(STALE), {"match": RENEWAL, "fault": {"kind": "error", "status": status, "body": body}}]


STALE = said("authentication_error.OAUTH_TOKEN_EXPIRED", "UNAUTHENTICATED")
TOO_LARGE = said("", "RESOURCE_EXHAUSTED", message="CLIENT: Received message larger than max (70254592 vs. 67108864)")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVERYBODY = "every account of every organisation waits"
TOLD = f"as long as Google says; {EVERYBODY}"
RENEWED = "the token is renewed once"

CASES = [
    Case("the stream breaks in the middle", once(said("", "UNAVAILABLE", after=SOME)), None, 1, waits=(1,),
         note="it begins anew; rows that come twice count once"),
    Case("TRANSIENT_ERROR in the middle of the stream",
         once(said("internal_error.TRANSIENT_ERROR", "INTERNAL", after=SOME)), None, 1, waits=(1,)),
    Case("the stream breaks in the middle, for good", always(said("", "UNAVAILABLE", after=SOME)),
         errors.PlatformTransient, 2, waits=TRANSIENT_TRIES),
    Case("INTERNAL without a failure, twice", [{"match": {**ADS, "times": 2}, "fault": said("", "INTERNAL")}],
         None, 2, waits=(1, 2)),
    Case("internal DEADLINE_EXCEEDED", once(said("internal_error.DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")),
         None, 1, waits=(1,)),
    Case("the stream hangs in the middle", once({"kind": "hang", "seconds": 60, "after": SOME}), None, 1,
         waits=(1,), times_out=True),
    Case("rows still come when the time is up",
         once({"kind": "small_chunks", "rows": 300, "seconds": 0.4}), None, 16,
         note="3 days instead of 7"),
    Case("a batch of more than 64 MB", once(TOO_LARGE), None, 16, note="3 days instead of 7"),
    Case("the same for a single day", always(TOO_LARGE), errors.TooMuchData, 6, note="3 days, 1 day"),
    Case("batches of a few rows", once({"kind": "small_chunks", "rows": 7}), None, 0),
    Case("the quota of the day is used up", quota("RESOURCE_EXHAUSTED", "DEVELOPER", 3 * HOUR),
         errors.PlatformThrottled, 0, away=3 * HOUR, note=TOLD),
    Case("the same without details", quota("RESOURCE_EXHAUSTED"), errors.PlatformThrottled, 0, away=HOUR,
         note=EVERYBODY),
    Case("too many questions in a short time", quota("RESOURCE_TEMPORARILY_EXHAUSTED", "DEVELOPER", 2 * MINUTE),
         errors.PlatformThrottled, 0, away=2 * MINUTE, note=TOLD),
    Case("the same, to one account", quota("RESOURCE_TEMPORARILY_EXHAUSTED", "ACCOUNT", 5 * MINUTE),
         errors.PlatformThrottled, 0, away=5 * MINUTE, note="as long as Google says"),
    Case("EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",
         quota("EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION"), errors.PlatformThrottled, 0, away=MINUTE),
    Case("EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION",
         quota("EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION"), errors.PlatformThrottled, 0, away=HOUR),
    Case("RESOURCE_EXHAUSTED without a failure", quota(""), errors.PlatformThrottled, 0, away=MINUTE, note=EVERYBODY),
    Case("the access token ended early", once(STALE), None, 2, note=RENEWED),
    Case("no access token is taken", always(said("", "UNAUTHENTICATED")), errors.ConnectionBroken, 0,
         mends="connect", note=RENEWED),
    Case("the token endpoint fails", [*once(STALE), {"match": RENEWAL, "fault": {"kind": "html_502"}}], None, 3,
         note=RENEWED),
    Case("invalid_grant: the person took the grant back, or it expired", oauth(400, "invalid_grant"),
         GrantRefused, 0, mends="connect"),
    Case("invalid_client: our own log-in is not set up", oauth(401, "invalid_client"), errors.OperatorMustAct, 0),
    Case("OAUTH_TOKEN_REVOKED", once(said("authentication_error.OAUTH_TOKEN_REVOKED", "UNAUTHENTICATED")),
         errors.ConnectionBroken, 0, mends="connect"),
    Case("NOT_ADS_USER", once(said("authentication_error.NOT_ADS_USER", "UNAUTHENTICATED")),
         errors.ConnectionBroken, 0, mends="connect"),
    Case("the grant does not cover Google Ads",
         once(said("", message="Request had insufficient authentication scopes.")), ScopesMissing, 0,
         mends="connect"),
    Case("CUSTOMER_NOT_ENABLED: the account is closed", once(said("authorization_error.CUSTOMER_NOT_ENABLED")),
         errors.AccountInaccessible, 0),
    Case("ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT",
         once(said("authorization_error.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT")),
         errors.AccountInaccessible, 0),
    Case("USER_PERMISSION_DENIED", always(said("authorization_error.USER_PERMISSION_DENIED")),
         errors.AccountInaccessible, 0, note="each other way to the account is tried once"),
    Case("REQUESTED_METRICS_FOR_MANAGER", once(said("query_error.REQUESTED_METRICS_FOR_MANAGER", "INVALID_ARGUMENT")),
         errors.AccountInaccessible, 0),
    Case("CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
         once(said("authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION")), errors.OperatorMustAct, 0),
    Case("the API is not switched on in the project",
         once(said("", message="Google Ads API has not been used in project 123 before or it is disabled.")),
         errors.OperatorMustAct, 0),
    Case("UNSUPPORTED_VERSION: the version has ended",
         once(said("request_error.UNSUPPORTED_VERSION", "INVALID_ARGUMENT")), errors.OperatorMustAct, 0),
    Case("UNRECOGNIZED_FIELD", once(said("query_error.UNRECOGNIZED_FIELD", "INVALID_ARGUMENT")),
         errors.PlatformRejected, 0),
    Case("a code that is younger than our version",
         once(said("internal_error.ERROR_CODE_NOT_PUBLISHED", "INVALID_ARGUMENT", unpublished="NewError.BRAND_NEW")),
         errors.PlatformRejected, 0),
]  # fmt: skip


def document() -> str:
    return table(CASES, platform="Google", test=TEST, clean_requests=CLEAN_REQUESTS, timeout_s=TIMEOUT_S)
