"""Logs as JSON lines on stdout, without secrets, with one request id through function, event and dashboard."""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from adloom.settings import CoreSettings

REQUEST_ID_HEADER = "X-Request-Id"
# Libraries that tell of every request: only what goes wrong is worth a line.
CHATTY = ("httpx", "httpcore", "urllib3", "botocore", "boto3", "s3transfer", "waitress.queue")
_ACCEPTED_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")

request_id: ContextVar[str] = ContextVar("request_id", default="")

_REDACTED = "[redacted]"
_SECRET_KEYS = re.compile(
    r"token|secret|password|passwd|authorization|cookie|api[_-]?key|proof|signature|credential|dsn|(?:^|_)code$",
    re.IGNORECASE,
)
# Keys that match above but name no secret.
_HARMLESS_KEYS = frozenset({"code", "error_code", "platform_code", "status_code", "exit_code", "token_type"})
_SECRET_TEXT = (
    # In a URL or a form: access_token=..., appsecret_proof=..., client_secret=..., code=...
    (re.compile(r"(?i)\b((?:access_|refresh_|input_|fb_exchange_|revoke_)?token|appsecret_proof|client_secret|code|state|password)"
                r"=[^&\s\"'<>]+"), r"\1=" + _REDACTED),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=|-]{8,}"), r"\1 " + _REDACTED),
    # A user and password in an address: postgresql://role:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@"), r"\1:" + _REDACTED + "@"),
    # Our own and Meta's tokens wherever they stand.
    (re.compile(r"\b(?:adl_[a-z]+_[A-Za-z0-9_-]{20,}|EAA[A-Za-z0-9]{20,})"), _REDACTED),
    (re.compile(r"\bgAAAA[A-Za-z0-9_-]{20,}={0,2}"), _REDACTED),
)  # fmt: skip


def new_request_id() -> str:
    return uuid.uuid4().hex


def accept_request_id(header: str | None) -> str:
    """The caller's request id when it is a sane one, else a new one."""
    return header if header and _ACCEPTED_REQUEST_ID.match(header) else new_request_id()


def redact_text(text: str) -> str:
    """The text without tokens, passwords and keys."""
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _names_secret(key: str, value: Any) -> bool:
    """Whether what stands under this key is kept back; flags and counts such as `has_token` are not."""
    if isinstance(value, bool | int | None) or key.lower() in _HARMLESS_KEYS:
        return False
    return bool(key and _SECRET_KEYS.search(key))


def redact(value: Any, key: str = "") -> Any:
    """A copy of a log value, of any depth, without secrets."""
    if _names_secret(key, value):
        return _REDACTED
    if isinstance(value, Mapping):
        return {str(name): redact(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str | BaseException):
        return redact_text(value if isinstance(value, str) else repr(value))
    return value


def _redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: redact(value, name) for name, value in event.items()}


def _add_request_id(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (current := request_id.get()) and "request_id" not in event:
        event["request_id"] = current
    return event


@contextmanager
def on_stderr() -> Iterator[None]:
    """For a program whose standard output is its answer: what is logged goes to people, as plain lines. Whoever said
    otherwise before is heeded.
    """
    if structlog.is_configured():
        yield
        return
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        yield
    finally:
        structlog.reset_defaults()


def configure(process: str, settings: CoreSettings | None = None) -> None:
    """Send our logs and those of libraries to stdout as redacted JSON lines, and errors to Sentry when it is set."""
    level = getattr(logging, settings.log_level.upper(), logging.INFO) if settings else logging.INFO

    def add_process(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        # Not a context variable: threads begin with an empty context.
        add_process,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact_event,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if settings is not None and settings.sentry_dsn is not None:
        _start_sentry(process, settings.sentry_dsn.get_secret_value())


def _start_sentry(process: str, dsn: str) -> None:
    import sentry_sdk  # costs 0.1 s, so only where it is used
    from sentry_sdk.integrations.flask import FlaskIntegration

    def before_send(event: Any, _hint: Any) -> Any:
        return redact(event)

    sentry_sdk.init(
        dsn=dsn,
        # By itself it would import every framework it knows to see whether it is there: 1.5 s and 100 MB.
        auto_enabling_integrations=False,
        integrations=[FlaskIntegration()],
        send_default_pii=False,
        before_send=before_send,
        before_breadcrumb=lambda crumb, _hint: redact(crumb),
        include_local_variables=False,
        server_name=process,
    )


def get(name: str) -> Any:
    """A structured logger: `log.info("sync_finished", account_id=7, rows=120)`."""
    return structlog.get_logger(name)
