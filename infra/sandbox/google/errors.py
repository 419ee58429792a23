"""Errors as Google sends them: a gRPC status, and a GoogleAdsFailure in the trailing metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INVALID, UNAUTHENTICATED, DENIED = "INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED"
INTERNAL, EXHAUSTED = "INTERNAL", "RESOURCE_EXHAUSTED"


class GoogleError(Exception):
    """An error answer. `code` is `query_error.UNRECOGNIZED_FIELD`; empty for what Google's front says by itself."""

    def __init__(self, status: str, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}

    def failure(self, request_id: str) -> bytes | None:
        """The GoogleAdsFailure on the wire; None where there is none."""
        if not self.code:
            return None
        # Its SDK is slow to import, and the log-in does without.
        from infra.sandbox.google.messages import Failure

        made = Failure(request_id=request_id)
        one = made.errors.add(message=self.message)
        family, _, name = self.code.partition(".")
        field = one.error_code.DESCRIPTOR.fields_by_name[family]
        setattr(one.error_code, family, field.enum_type.values_by_name[name].number)
        self._explain(one)
        found: bytes = made.SerializeToString()
        return found

    def _explain(self, one: Any) -> None:
        if "unpublished" in self.details:
            one.details.unpublished_error_code = str(self.details["unpublished"])
        if not {"retry_delay_s", "scope", "rate_name"} & self.details.keys():
            return
        quota = one.details.quota_error_details
        scopes = quota.DESCRIPTOR.fields_by_name["rate_scope"].enum_type.values_by_name
        quota.rate_scope = scopes[str(self.details.get("scope", "ACCOUNT"))].number
        quota.rate_name = str(self.details.get("rate_name", ""))
        if "retry_delay_s" in self.details:
            quota.retry_delay.FromMilliseconds(int(float(self.details["retry_delay_s"]) * 1000))


def scripted(error: Mapping[str, Any]) -> GoogleError:
    """An error of the fault script: `grpc`, `code`, `message`, `retry_delay_s`, `scope`, `rate_name`, `unpublished`.

    ValueError where Google has no such code.
    """
    made = GoogleError(
        str(error.get("grpc", "UNAVAILABLE")), str(error.get("code", "")), str(error.get("message", "")), error
    )
    try:
        made.failure("")
    except (KeyError, AttributeError):
        raise ValueError(f"{made.code} is no error code of Google's") from None
    return made


def query(name: str, message: str) -> GoogleError:
    """The query is not accepted."""
    return GoogleError(INVALID, f"query_error.{name}", message)


def no_credentials() -> GoogleError:
    """No token, or none that is good now."""
    return GoogleError(
        UNAUTHENTICATED,
        "",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    )


def revoked() -> GoogleError:
    """The person took the grant back."""
    return GoogleError(
        UNAUTHENTICATED, "authentication_error.OAUTH_TOKEN_REVOKED", "OAuth token in the header has been revoked."
    )


def no_scope() -> GoogleError:
    """The grant does not cover Google Ads."""
    return GoogleError(DENIED, "", "Request had insufficient authentication scopes.")


def no_permission() -> GoogleError:
    """The person, by this way, does not reach the customer."""
    return GoogleError(
        DENIED,
        "authorization_error.USER_PERMISSION_DENIED",
        "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's "
        "customer id must be set in the 'login-customer-id' header. See "
        "https://developers.google.com/google-ads/api/docs/concepts/call-structure#cid",
    )


def not_enabled() -> GoogleError:
    """The account is closed."""
    return GoogleError(
        DENIED,
        "authorization_error.CUSTOMER_NOT_ENABLED",
        "The customer account can't be accessed because it is not yet enabled or has been deactivated.",
    )


def bad_customer_id(text: str) -> GoogleError:
    """Not a number, or with dashes."""
    return GoogleError(INVALID, "request_error.INVALID_CUSTOMER_ID", f"Invalid customer ID '{text}'.")
