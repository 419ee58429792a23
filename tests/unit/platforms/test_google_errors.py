"""Google's errors: who acts, what is tried again, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adloom import clock, errors
from adloom.platforms.google.errors import (
    WAIT_BRIEF_S,
    WAIT_DAILY_S,
    Said,
    classify,
    may_go_another_way,
    network_fault,
    token_refused,
    unreadable,
)

DEAD, GONE, SETUP = errors.ConnectionBroken, errors.AccountInaccessible, errors.OperatorMustAct
OURS, PASSES, LESS = errors.PlatformRejected, errors.PlatformTransient, errors.TooMuchData
CODES = {
    PASSES: (
        "internal_error.TRANSIENT_ERROR", "internal_error.INTERNAL_ERROR", "internal_error.DEADLINE_EXCEEDED",
        "database_error.CONCURRENT_MODIFICATION", "request_error.EXPIRED_PAGE_TOKEN",
        "request_error.INVALID_PAGE_TOKEN",
    ),
    DEAD: (
        "authentication_error.OAUTH_TOKEN_REVOKED", "authentication_error.OAUTH_TOKEN_DISABLED",
        "authentication_error.GOOGLE_ACCOUNT_DELETED", "authentication_error.NOT_ADS_USER",
        "authentication_error.TWO_STEP_VERIFICATION_NOT_ENROLLED",
    ),
    SETUP: (
        "authorization_error.DEVELOPER_TOKEN_NOT_APPROVED", "authorization_error.MISSING_TOS",
        "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", "authorization_error.PROJECT_DISABLED",
        "request_error.CLOUD_PROJECT_NOT_FOUND", "request_error.UNSUPPORTED_VERSION",
    ),
    GONE: (
        "authorization_error.USER_PERMISSION_DENIED", "authorization_error.CUSTOMER_NOT_ENABLED",
        "authorization_error.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
        "authorization_error.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT", "authentication_error.CUSTOMER_NOT_FOUND",
        "request_error.INVALID_CUSTOMER_ID", "query_error.REQUESTED_METRICS_FOR_MANAGER",
        "header_error.INVALID_LOGIN_CUSTOMER_ID",
    ),
    LESS: ("query_error.FILTER_HAS_TOO_MANY_VALUES", "query_error.DATE_RANGE_TOO_WIDE"),
    OURS: (
        "query_error.UNRECOGNIZED_FIELD", "request_error.PAGE_SIZE_NOT_SUPPORTED", "field_error.REQUIRED",
        "internal_error.BRAND_NEW",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_a_code_means_what_to_do(kind: type[errors.PlatformError], code: str) -> None:
    found = classify(Said("INVALID_ARGUMENT", code, "Said", "R7"))
    assert type(found) is kind
    assert found.platform_code == code
    assert found.detail == f"Google says: Said (code {code}, request R7)"


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        ("UNAVAILABLE", "Socket closed", PASSES),
        ("UNAVAILABLE", "Getting metadata from plugin failed with error: ('invalid_grant: Bad Request', {})", DEAD),
        ("UNAVAILABLE", "Getting metadata from plugin failed with error: ('Bad Gateway',)", PASSES),
        ("INTERNAL", "Internal error encountered.", PASSES),
        ("UNKNOWN", "", PASSES),
        ("CANCELLED", "Stream removed (Channel deallocated!)", PASSES),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", PASSES),
        ("UNAUTHENTICATED", "Request had invalid authentication credentials.", DEAD),
        ("PERMISSION_DENIED", "The caller does not have permission", GONE),
        ("PERMISSION_DENIED", "Request had insufficient authentication scopes.", DEAD),
        ("PERMISSION_DENIED", "Google Ads API has not been used in project 7 before or it is disabled.", SETUP),
        ("UNIMPLEMENTED", "", SETUP),
        ("INVALID_ARGUMENT", "", OURS),
        ("RESOURCE_EXHAUSTED", "CLIENT: Received message larger than max (70000000 vs. 67108864)", LESS),
        ("RESOURCE_EXHAUSTED", "Too many requests", errors.PlatformThrottled),
    ],
)
def test_without_a_failure_the_status_decides(status: str, message: str, kind: type[errors.PlatformError]) -> None:
    found = classify(Said(status, "", message))
    assert type(found) is kind
    assert found.platform_code == f"grpc/{status}"


def test_a_missing_scope_is_told_apart_from_a_dead_grant() -> None:
    missing = classify(Said("PERMISSION_DENIED", "", "Request had insufficient authentication scopes."))
    assert missing.code == "scopes_missing"
    assert classify(Said("UNAUTHENTICATED")).code == "connection_broken"


@pytest.mark.parametrize(
    ("name", "retry_s", "rate_scope", "scope", "seconds"),
    [
        ("RESOURCE_EXHAUSTED", 8962.0, "DEVELOPER", "app", 8962.0),
        ("RESOURCE_EXHAUSTED", None, "", "app", WAIT_DAILY_S),
        ("RESOURCE_EXHAUSTED", 5.0, "ACCOUNT", "account", 5.0),
        ("ACCESS_PROHIBITED", None, "", "app", WAIT_DAILY_S),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", 37.0, "ACCOUNT", "account", 37.0),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", None, "", "app", WAIT_BRIEF_S),
        ("EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", None, "", "account", WAIT_BRIEF_S),
        ("EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", None, "", "account", WAIT_DAILY_S),
    ],
)
def test_a_quota_says_how_long_and_for_whom(
    name: str, retry_s: float | None, rate_scope: str, scope: str, seconds: float
) -> None:
    before = clock.real_now()
    found = classify(Said("RESOURCE_EXHAUSTED", f"quota_error.{name}", "", "", retry_s, rate_scope))
    assert isinstance(found, errors.PlatformThrottled)
    assert found.scope == scope
    wait = timedelta(seconds=seconds)
    assert before + wait <= found.retry_at <= clock.real_now() + wait


@pytest.mark.parametrize(
    ("error", "is_passing", "kind"),
    [
        ("invalid_grant", False, DEAD),
        ("invalid_scope", False, DEAD),
        ("invalid_client", False, SETUP),
        ("deleted_client", False, SETUP),
        ("internal_failure", True, PASSES),
        ("unsupported_grant_type", False, OURS),
    ],
)
def test_what_the_token_endpoint_says(error: str, is_passing: bool, kind: type[errors.PlatformError]) -> None:
    found = token_refused(error, "Token has been expired or revoked.", is_passing=is_passing)
    assert type(found) is kind
    assert found.platform_code == f"oauth/{error}"


def test_only_a_refusal_of_the_way_makes_one_look_for_another() -> None:
    assert may_go_another_way(classify(Said("PERMISSION_DENIED", "authorization_error.USER_PERMISSION_DENIED")))
    assert not may_go_another_way(classify(Said("PERMISSION_DENIED", "authorization_error.CUSTOMER_NOT_ENABLED")))


@pytest.mark.parametrize(
    ("said", "is_stale"),
    [
        (Said("UNAUTHENTICATED"), True),
        (Said("UNAUTHENTICATED", "authentication_error.OAUTH_TOKEN_EXPIRED"), True),
        (Said("UNAUTHENTICATED", "authentication_error.OAUTH_TOKEN_REVOKED"), False),
        (Said("PERMISSION_DENIED"), False),
    ],
)
def test_a_fresh_token_is_worth_a_try(said: Said, is_stale: bool) -> None:
    assert said.is_stale_token is is_stale


def test_faults_of_the_wire_are_told_by_their_kind_only() -> None:
    assert network_fault("ConnectError").platform_code == "network/ConnectError"
    assert type(unreadable("x")) is errors.PlatformProtocolError
