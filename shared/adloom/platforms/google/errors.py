"""What Google's errors mean: the one place that decides what happens next.

A failure has a family and a name, such as `quota_error.RESOURCE_EXHAUSTED`; where Google sent none, the gRPC status
decides. https://developers.google.com/google-ads/api/docs/common-errors
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from adloom import clock, logs
from adloom.errors import (
    AccountInaccessible,
    ConnectionBroken,
    OperatorMustAct,
    PlatformError,
    PlatformProtocolError,
    PlatformRejected,
    PlatformThrottled,
    PlatformTransient,
    TooMuchData,
)

# Seconds to stay away where no details say it. The daily quota is a sliding one: an hour later some of it is back.
WAIT_BRIEF_S = 60.0
WAIT_DAILY_S = 3600.0
# Asked too often or too much in a short time; used up for the day, by the whole project.
_BRIEF_QUOTA = frozenset({"RESOURCE_TEMPORARILY_EXHAUSTED", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION"})
_OF_ACCOUNT = "ACCOUNT"

# The project or the OAuth client is not set up as it must be.
_SETUP = frozenset(
    {
        "authorization_error.DEVELOPER_TOKEN_NOT_APPROVED",
        "authorization_error.DEVELOPER_TOKEN_NOT_ON_ALLOWLIST",
        "authorization_error.DEVELOPER_TOKEN_PROHIBITED",
        "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
        "authorization_error.CLOUD_PROJECT_NOT_UNDER_ORGANIZATION",
        "authorization_error.PROJECT_DISABLED",
        "authorization_error.MISSING_TOS",
        "authorization_error.SERVICE_ACCESS_DENIED",
        "authentication_error.DEVELOPER_TOKEN_INVALID",
        "authentication_error.ORGANIZATION_NOT_RECOGNIZED",
        "authentication_error.ORGANIZATION_NOT_APPROVED",
        "authentication_error.ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN",
        "request_error.CLOUD_PROJECT_NOT_FOUND",
        "request_error.DEVELOPER_TOKEN_PARAMETER_MISSING",
        "request_error.UNSUPPORTED_VERSION",
    }
)
# This account by this way; others go on.
_ACCOUNT = frozenset(
    {
        "authentication_error.CUSTOMER_NOT_FOUND",
        "authentication_error.CLIENT_CUSTOMER_ID_INVALID",
        "header_error.INVALID_LOGIN_CUSTOMER_ID",
        "request_error.INVALID_CUSTOMER_ID",
        "request_error.LOGIN_CUSTOMER_ID_PARAMETER_MISSING",
        "query_error.REQUESTED_METRICS_FOR_MANAGER",
    }
)
_TRANSIENT = frozenset(
    {
        "database_error.CONCURRENT_MODIFICATION",
        "internal_error.DEADLINE_EXCEEDED",
        "internal_error.INTERNAL_ERROR",
        "internal_error.TRANSIENT_ERROR",
        "request_error.EXPIRED_PAGE_TOKEN",
        "request_error.INVALID_PAGE_TOKEN",
        "request_error.RPC_DEADLINE_TOO_SHORT",
    }
)
_TOO_MUCH = frozenset({"query_error.FILTER_HAS_TOO_MANY_VALUES", "query_error.DATE_RANGE_TOO_WIDE"})
# An access token that was not good when it was used; a fresh one may be.
_STALE = frozenset({"authentication_error.OAUTH_TOKEN_EXPIRED", "authentication_error.OAUTH_TOKEN_INVALID",
                    "authentication_error.AUTHENTICATION_ERROR"})  # fmt: skip
# Another way to the account may be the right one.
_OTHER_WAY = frozenset(
    {
        "authorization_error.USER_PERMISSION_DENIED",
        "authorization_error.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
        "request_error.LOGIN_CUSTOMER_ID_PARAMETER_MISSING",
    }
)
_FAMILIES: dict[str, type[PlatformError]] = {
    "authentication_error": ConnectionBroken,
    "authorization_error": AccountInaccessible,
}
_STATUSES: dict[str, type[PlatformError]] = {
    "ABORTED": PlatformTransient,
    "CANCELLED": PlatformTransient,
    "DATA_LOSS": PlatformTransient,
    "DEADLINE_EXCEEDED": PlatformTransient,
    "INTERNAL": PlatformTransient,
    "PERMISSION_DENIED": AccountInaccessible,
    "UNAUTHENTICATED": ConnectionBroken,
    "UNAVAILABLE": PlatformTransient,
    # Google has ended this version of the API.
    "UNIMPLEMENTED": OperatorMustAct,
    "UNKNOWN": PlatformTransient,
}
# Our own side refuses what is above 64 MB.
_TOO_LARGE = "larger than max"
_NO_API = ("SERVICE_DISABLED", "has not been used in project")
_NO_SCOPE = ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficient authentication scopes")

# https://developers.google.com/identity/protocols/oauth2/web-server#exchange-errors
_GRANT = frozenset({"invalid_grant", "invalid_scope"})
_CLIENT = frozenset(
    {"invalid_client", "unauthorized_client", "deleted_client", "org_internal", "redirect_uri_mismatch"}
)


@dataclass(frozen=True)
class Said:
    """What Google said. `code` is `family.NAME`, empty where it sent no failure; `retry_s` from the quota's details."""

    status: str
    code: str = ""
    message: str = ""
    request_id: str = ""
    retry_s: float | None = None
    rate_scope: str = ""

    @property
    def platform_code(self) -> str:
        """The most exact that there is."""
        return self.code or f"grpc/{self.status}"

    @property
    def is_stale_token(self) -> bool:
        """Whether the access token, not the grant, may be all that is wrong."""
        return self.code in _STALE or (not self.code and self.status == "UNAUTHENTICATED")


def classify(said: Said) -> PlatformError:
    """What an error means for us."""
    family, _, name = said.code.partition(".")
    if family == "quota_error":
        return _throttled(said, is_brief=name in _BRIEF_QUOTA)
    if not said.code and said.status == "RESOURCE_EXHAUSTED":
        if _TOO_LARGE in said.message:
            return TooMuchData(sentence(said), platform_code=said.platform_code)
        return _throttled(said, is_brief=True)
    kind = _of_code(said, family) if said.code else _of_status(said)
    code = "scopes_missing" if kind is ConnectionBroken and _names(said, _NO_SCOPE) else None
    return kind(sentence(said), platform_code=said.platform_code, code=code)


def _of_code(said: Said, family: str) -> type[PlatformError]:
    if said.code in _SETUP:
        return OperatorMustAct
    if said.code in _ACCOUNT:
        return AccountInaccessible
    if said.code in _TRANSIENT:
        return PlatformTransient
    if said.code in _TOO_MUCH:
        return TooMuchData
    return _FAMILIES.get(family, PlatformRejected)


def _of_status(said: Said) -> type[PlatformError]:
    if said.status == "PERMISSION_DENIED":
        if _names(said, _NO_API):
            return OperatorMustAct
        if _names(said, _NO_SCOPE):
            return ConnectionBroken
    # The SDK refreshes tokens by itself, and what the token endpoint says of a dead one comes as a passing fault.
    if said.status == "UNAVAILABLE" and any(f"'{error}" in said.message for error in _GRANT):
        return ConnectionBroken
    return _STATUSES.get(said.status, PlatformRejected)


def _names(said: Said, texts: tuple[str, ...]) -> bool:
    return any(text in said.message for text in texts)


def _throttled(said: Said, *, is_brief: bool) -> PlatformThrottled:
    usual = WAIT_BRIEF_S if is_brief else WAIT_DAILY_S
    seconds = usual if said.retry_s is None else said.retry_s
    # Quotas belong to the project unless Google says otherwise; asking much of one account is that account's.
    is_account = said.rate_scope == _OF_ACCOUNT or (not said.rate_scope and "QUERY_RESOURCE_CONSUMPTION" in said.code)
    return PlatformThrottled(
        sentence(said),
        platform_code=said.platform_code,
        scope="account" if is_account else "app",
        retry_at=clock.real_now() + timedelta(seconds=seconds),
    )


def may_go_another_way(error: PlatformError) -> bool:
    """Whether the account may be reached with another login-customer-id."""
    return error.platform_code in _OTHER_WAY


def sentence(said: Said) -> str:
    """What Google said, with its number for the request."""
    text = logs.redact_text(said.message)[:500]
    return f"Google says: {text} (code {said.platform_code}, request {said.request_id[:64] or '?'})"


def token_refused(error: str, description: str, *, is_passing: bool) -> PlatformError:
    """For an error of the token endpoint; `is_passing` is what the library thinks of it."""
    said = f"Google does not renew the access: {logs.redact_text(description or error)[:200]} ({error[:60]})"
    code = f"oauth/{error[:60]}"
    if error in _GRANT:
        return ConnectionBroken(said, platform_code=code, code="grant_refused")
    if error in _CLIENT:
        return OperatorMustAct(said, platform_code=code)
    return (PlatformTransient if is_passing else PlatformRejected)(said, platform_code=code)


def network_fault(kind: str) -> PlatformTransient:
    """For a connection that failed before Google answered."""
    return PlatformTransient(f"The connection to Google failed ({kind})", platform_code=f"network/{kind}")


def unreadable(what: str) -> PlatformProtocolError:
    """For an answer that is not what Google documents."""
    return PlatformProtocolError(f"Google's answer is not what it documents: {what}", platform_code="shape")
