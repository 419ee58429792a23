"""From an exception of Google's SDK to what Google said. The SDK has three families of them, and drops details."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from adloom.platforms.google.errors import Said

_REQUEST_ID = "request-id"


def heard(fault: Exception, version: str) -> Said:
    """What Google said, with the details that come in the trailing metadata whatever the SDK makes of them."""
    rpc = _rpc(fault)
    if rpc is None:
        status = getattr(fault, "grpc_status_code", None)
        return Said(status=status.name if status is not None else "UNKNOWN", message=str(fault))
    trailing = dict(rpc.trailing_metadata() or ())
    status = rpc.code().name
    request_id = str(trailing.get(_REQUEST_ID, ""))
    blob = trailing.get(f"google.ads.googleads.{version}.errors.googleadsfailure-bin")
    errors = _failure(version).FromString(blob).errors if isinstance(blob, bytes) else ()
    if not errors:
        return Said(status=status, message=str(rpc.details() or ""), request_id=request_id)
    return _said(status, request_id, errors[0])


def _rpc(fault: Exception) -> Any:
    """The call below an exception: GoogleAdsException's, one of google.api_core's, or grpc's own."""
    for found in (getattr(fault, "error", None), *(getattr(fault, "errors", None) or ()), fault):
        if hasattr(found, "trailing_metadata") and hasattr(found, "code") and callable(found.code):
            return found
    return None


def _said(status: str, request_id: str, error: Any) -> Said:
    family = error.error_code.WhichOneof("error_code") or "unknown"
    details = error.details
    name = enum_name(error.error_code, family) if family != "unknown" else "UNKNOWN"
    # A code that is younger than the version in use.
    code = details.unpublished_error_code.rpartition(".")[2] or name
    retry_s, scope = None, ""
    if details.HasField("quota_error_details"):
        quota = details.quota_error_details
        scope = enum_name(quota, "rate_scope")
        if quota.HasField("retry_delay"):
            retry_s = quota.retry_delay.ToTimedelta().total_seconds()
    return Said(status, f"{family}.{code}", error.message, request_id, retry_s, scope)


def enum_name(message: Any, field: str) -> str:
    """The name of an enum's value; its number where the value is younger than the version in use."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return str(number) if value is None else str(value.name)


@cache
def _failure(version: str) -> Any:
    return import_module(f"google.ads.googleads.{version}.errors.types.errors").GoogleAdsFailure.pb()
