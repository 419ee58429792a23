"""What a function answers when something fails: a problem document, to a browser the page of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, got_request_exception, request
from werkzeug.exceptions import HTTPException

from adloom import logs
from adloom.errors import AdloomError
from adloom.web import acts, pages, problems

if TYPE_CHECKING:
    from adloom.web.function import Function

log = logs.get(__name__)


def answer(app: Function[Any], error: Exception) -> Response:
    """The problem document, or its page where the route shows pages and a browser asks."""
    response = _problem(app, error)
    is_shown = _is_page(app) and pages.wanted(request)
    return pages.of_problem(response, app.settings().public_url) if is_shown else response


def _is_page(app: Function[Any]) -> bool:
    rule = request.url_rule
    return rule is not None and any(r.endpoint == rule.endpoint and r.produces == pages.HTML for r in app.routes)


def _problem(app: Function[Any], error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return problems.from_http(error)
    if isinstance(error, AdloomError) and error.status != 500:  # noqa: PLR2004 - our own faults are below
        acts.refused(app, error)
        return problems.from_error(error)
    log.error("request_failed", route=request.path, exc_info=error)
    got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)  # Sentry listens to it
    return problems.from_error(error) if isinstance(error, AdloomError) else problems.internal()
