"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import math
from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from adloom import logs
from adloom.clock import real_now
from adloom.errors import AdloomError, PlatformError, PlatformThrottled, Unavailable, ValidationFailed

CONTENT_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:adloom:problem:"

log = logs.get(__name__)

# What the router and the body reader of Werkzeug say, in our words: status -> (code, title, what to do).
_HTTP = {
    400: ("invalid_request", "The request cannot be read", "Check the request's syntax."),
    404: ("not_found", "There is no such thing here", "This address does not exist; see /openapi.json."),
    405: ("method_not_allowed", "This method is not allowed here", "The header Allow names the methods."),
    413: ("body_too_large", "The request's body is too large", "Send a smaller body."),
    415: ("unsupported_media_type", "The request's content type is not accepted", "Send application/json."),
}


class FieldProblem(BaseModel):
    field: str = Field(description="Where the fault is, e.g. body.since")
    problem: str = Field(description="What is wrong with it")


class Problem(BaseModel):
    """The body of every error. `code` is stable; `retryable` says whether the same request may succeed later."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    acts: str = Field(description="Who can make it go away: nobody, caller, user, operator, developer")
    request_id: str
    fields: list[FieldProblem] | None = None


def from_error(error: AdloomError) -> Response:
    """The problem of one of our errors. Of a fault on our side it shows nothing but that there was one."""
    ours = error.status == 500  # noqa: PLR2004 - the status itself
    members: dict[str, Any] = {"acts": str(error.acts)}
    if isinstance(error, ValidationFailed):
        members["fields"] = error.fields
    if isinstance(error, PlatformError) and error.platform_code:
        members["platform_code"] = error.platform_code
    response = build(
        error.status,
        code=error.code,
        title=error.title,
        detail=error.title if ours else logs.redact_text(error.detail),
        retryable=error.retryable,
        **members,
    )
    wait = _wait(error)
    if wait is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if error.status == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = 'Bearer realm="adloom"'
    return response


def _wait(error: AdloomError) -> float | None:
    """Seconds until a retry may help, where that is known."""
    if isinstance(error, PlatformThrottled):
        return (error.retry_at - real_now()).total_seconds()
    return error.retry_after


def from_http(error: HTTPException) -> Response:
    """The problem of an error of the HTTP layer."""
    status = error.code or 500
    code, title, detail = _HTTP.get(status, ("http_error", error.name, error.name))
    response = build(status, code=code, title=title, detail=detail, acts="caller")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def due_unknown(error: AdloomError) -> AdloomError:
    """What cron sees when the handler could not look at what is due."""
    if error.retryable:
        return error
    log.error("tick_failed", exc_info=error)
    return Unavailable("What is due could not be looked at.", code="tick_failed")


def internal() -> Response:
    """The problem of a fault that nobody foresaw."""
    return from_error(AdloomError())


def build(
    status: int, *, code: str, title: str, detail: str, retryable: bool = False, acts: str, **members: Any
) -> Response:
    problem = Problem(
        type=_TYPE_PREFIX + code,
        title=title,
        status=status,
        detail=detail,
        code=code,
        retryable=retryable,
        acts=acts,
        request_id=logs.request_id.get(),
        **members,
    )
    return Response(problem.model_dump_json(exclude_none=True), status=status, content_type=CONTENT_TYPE)
