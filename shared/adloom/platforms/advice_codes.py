"""Which cause an error has, by its codes.

The groups follow each platform's `errors.py`, which decides what happens; here it is said why. A test goes through all
of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adloom.platforms.advice_causes import Cause

# Codes of ours that say more than the platform's own.
OWN_CODES: Mapping[str, Cause] = {
    "scopes_missing": "scopes_missing",
    "no_accounts": "no_accounts",
    "access_denied": "access_denied",
    "state_unusable": "log_in_over",
    "browser_missing": "log_in_over",
    "state_missing": "log_in_over",
    "code_missing": "grant_refused",
    "authorization_failed": "grant_refused",
    "token_invalid": "grant_refused",
    "token_missing": "access_ended",
    "access_expired": "access_expired",
    "foreign_token": "app_refused",
    "platform_not_set_up": "not_set_up",
    "platform_slow": "slow",
    "platform_unreachable": "network",
}

# The families of errors, for what is not known more exactly; who acts is as their class says.
FAMILIES: Mapping[str, Cause] = {
    "connection_broken": "access_ended",
    "grant_refused": "grant_refused",
    "account_inaccessible": "account_hidden",
    "platform_setup": "app_refused",
    "platform_transient": "passing",
    "platform_throttled": "wait",
    "quota_used_up": "wait",
    "platform_too_much_data": "too_much",
    "platform_rejected": "rejected",
    "platform_protocol": "unreadable",
    "platform_error": "unknown",
}


def _of(**codes: Iterable[str]) -> dict[str, Cause]:
    return {code: cause for cause, group in codes.items() for code in group}


_META = _of(
    access_ended=("102", "190", "190/467"),
    app_removed=("190/458",),
    checkpoint=("190/459", "190/464"),
    password_changed=("190/460",),
    access_expired=("190/463",),
    role_lost=("190/492",),
    account_hidden=("3", "100/33", "100/3191001", *map(str, range(200, 300))),
    second_factor=("415/1404120",),
    wait=("4",),
    wait_account=("17", "32", "613", "80000", "80001", "80002", "80003", "80004", "80005", "80006", "80008", "80009",
                  "80014"),
    blocked=("368",),
    too_much=("1/99", "100/1487534", "100/1504018", "2/1504018", "2/1504038", "-3", "-3/1504045", "report"),
    app_not_approved=("10", "270", "294"),
    version_ended=("2635",),
    app_refused=("101", "191"),
)  # fmt: skip

_GOOGLE = _of(
    access_ended=("authentication_error.OAUTH_TOKEN_REVOKED", "authentication_error.OAUTH_TOKEN_INVALID",
                  "authentication_error.OAUTH_TOKEN_DISABLED", "authentication_error.AUTHENTICATION_ERROR",
                  "oauth/invalid_grant", "grpc/UNAUTHENTICATED"),
    access_expired=("authentication_error.OAUTH_TOKEN_EXPIRED",),
    person_deleted=("authentication_error.GOOGLE_ACCOUNT_DELETED",),
    no_advertiser=("authentication_error.NOT_ADS_USER",),
    second_factor=("authentication_error.TWO_STEP_VERIFICATION_NOT_ENROLLED",
                   "authentication_error.ADVANCED_PROTECTION_NOT_ENROLLED"),
    scopes_missing=("oauth/invalid_scope",),
    account_hidden=("authorization_error.USER_PERMISSION_DENIED", "grpc/PERMISSION_DENIED"),
    account_inactive=("authorization_error.CUSTOMER_NOT_ENABLED",
                      "authorization_error.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT"),
    account_gone=("authentication_error.CUSTOMER_NOT_FOUND", "authentication_error.CLIENT_CUSTOMER_ID_INVALID",
                  "request_error.INVALID_CUSTOMER_ID", "empty"),
    manager_account=("query_error.REQUESTED_METRICS_FOR_MANAGER",),
    no_way=("authorization_error.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
            "header_error.INVALID_LOGIN_CUSTOMER_ID", "request_error.LOGIN_CUSTOMER_ID_PARAMETER_MISSING"),
    wait_day=("quota_error.RESOURCE_EXHAUSTED", "quota_error.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION"),
    wait=("quota_error.RESOURCE_TEMPORARILY_EXHAUSTED", "grpc/RESOURCE_EXHAUSTED"),
    wait_account=("quota_error.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",),
    blocked=("quota_error.ACCESS_PROHIBITED",),
    slow=("internal_error.DEADLINE_EXCEEDED", "request_error.RPC_DEADLINE_TOO_SHORT", "grpc/DEADLINE_EXCEEDED"),
    network=("grpc/UNAVAILABLE",),
    app_not_approved=("authorization_error.DEVELOPER_TOKEN_NOT_APPROVED",
                      "authorization_error.DEVELOPER_TOKEN_NOT_ON_ALLOWLIST",
                      "authorization_error.DEVELOPER_TOKEN_PROHIBITED",
                      "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
                      "authorization_error.CLOUD_PROJECT_NOT_UNDER_ORGANIZATION",
                      "authentication_error.ORGANIZATION_NOT_APPROVED"),
    interface_off=("authorization_error.PROJECT_DISABLED", "authorization_error.SERVICE_ACCESS_DENIED",
                   "request_error.CLOUD_PROJECT_NOT_FOUND"),
    terms=("authorization_error.MISSING_TOS",),
    version_ended=("request_error.UNSUPPORTED_VERSION", "grpc/UNIMPLEMENTED"),
    app_refused=("oauth/invalid_client", "oauth/unauthorized_client", "oauth/deleted_client", "oauth/org_internal",
                 "oauth/redirect_uri_mismatch", "authentication_error.DEVELOPER_TOKEN_INVALID",
                 "authentication_error.ORGANIZATION_NOT_RECOGNIZED",
                 "authentication_error.ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN",
                 "request_error.DEVELOPER_TOKEN_PARAMETER_MISSING"),
)  # fmt: skip

_TIKTOK = _of(
    access_ended=("40104", "40105", "40106", "40114"),
    access_expired=("40102",),
    scopes_missing=("40130", "40131"),
    grant_refused=("40110", "40112", "40115"),
    account_hidden=("40001", "40003"),
    account_gone=("40300", "40301", "40302", "empty"),
    wait=("40016", "40100"),
    wait_account=("40132", "40133"),
    maintenance=("60001", "61000"),
    too_much=("40011", "40067", "task"),
    app_refused=("40101", "40113"),
    app_not_approved=("40117", "40118", "40119", "40124", "40125"),
    test_system=("40009", "40013", "40014"),
    version_ended=("40006", "40051"),
)  # fmt: skip

BY_PLATFORM_CODE: Mapping[str, Mapping[str, Cause]] = {"google": _GOOGLE, "meta": _META, "tiktok": _TIKTOK}
