"""One delivery over HTTP, and what its answer means for the event."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from adloom import logs
from adloom.errors import ValidationFailed
from adloom.events import SIGNATURE_HEADER, Envelope, sign
from adloom.events.envelope import CONTENT_TYPE
from adloom.gateway import PROBLEM_TYPE

ATTEMPT_HEADER = "X-Adloom-Attempt"
# Of an answer that says nothing of its own about a retry. 404 is what a gateway says of a function that is just being
# deployed; the others mean "not now". Everything else below 500 will be the same next time.
_AGAIN_BELOW_500 = frozenset({404, 408, 425, 429})
_CONNECT_TIMEOUT_S = 5.0
_LONGEST_ERROR = 500
_NUL = b"\\u0000"


@dataclass(frozen=True)
class Parcel:
    """An event on its way to one function. `body` is sent as it was stored."""

    event_id: UUID
    org_id: UUID
    account_id: int | None
    subject: str
    request_id: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """`taken`: it had its effect; `again`: it may have one later; `refused`: it never will."""

    verdict: Literal["taken", "again", "refused"]
    status: int | None
    error: str = ""
    retry_after: float | None = None


class _Problem(BaseModel):
    """The parts of our functions' errors that matter here: https://www.rfc-editor.org/rfc/rfc9457"""

    code: str = ""
    detail: str = ""
    retryable: bool


class _Address(BaseModel):
    """What every event's data has, of whichever version it is."""

    org_id: UUID
    account_id: int | None = None


def open_parcel(body: bytes) -> Parcel:
    """Read what delivering needs; ValidationFailed when it is not there.

    Whether the event itself is right is the receiver's to say: it may know a newer version of it than we do.
    """
    try:
        envelope = Envelope.model_validate_json(body)
        address = _Address.model_validate(envelope.data)
    except ValidationError as error:
        raise ValidationFailed(f"This is no event of ours ({error.error_count()} faults)") from None
    if _NUL in body:
        raise ValidationFailed("This is no event of ours: no jsonb of an outbox can hold the character NUL")
    subject = envelope.type.rpartition(".v")[0]
    return Parcel(envelope.id, address.org_id, address.account_id, subject, envelope.requestid, body)


def client(call_timeout: float) -> httpx.AsyncClient:
    """For calls to functions only: no proxy of the environment, no redirects, as the functions send none."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(call_timeout, connect=_CONNECT_TIMEOUT_S, pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        trust_env=False,
    )


async def deliver(http: httpx.AsyncClient, url: str, secret: str, parcel: Parcel, attempt: int) -> Answer:
    """POST the event once, signed at this moment of real time."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        SIGNATURE_HEADER: sign(parcel.body, secret, int(time.time())),
        logs.REQUEST_ID_HEADER: logs.accept_request_id(parcel.request_id),
        ATTEMPT_HEADER: str(attempt),
    }
    try:
        response = await http.post(url, content=parcel.body, headers=headers)
    except httpx.HTTPError as error:
        return Answer("again", None, _short(repr(error)))
    return read_answer(response)


def read_answer(response: httpx.Response) -> Answer:
    """What a function, or whatever stands in front of it, said."""
    if response.is_success:
        return Answer("taken", response.status_code)
    status, wait = response.status_code, _retry_after(response.headers.get("Retry-After"))
    problem = _problem(response)
    if problem is not None:
        verdict: Literal["again", "refused"] = "again" if problem.retryable else "refused"
        return Answer(verdict, status, _short(f"{problem.code}: {problem.detail}"), wait)
    again = not 400 <= status < 500 or status in _AGAIN_BELOW_500  # noqa: PLR2004 - the class of client errors
    return Answer("again" if again else "refused", status, _short(f"HTTP {status}: {response.text}"), wait)


def _problem(response: httpx.Response) -> _Problem | None:
    if not response.headers.get("Content-Type", "").startswith(PROBLEM_TYPE):
        return None
    try:
        return _Problem.model_validate_json(response.content)
    except ValidationError:
        return None


def _retry_after(header: str | None) -> float | None:
    """Seconds from now: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _short(text: str) -> str:
    """Fit for a dead letter, whose text cannot hold the character NUL."""
    return logs.redact_text(text.replace("\0", ""))[:_LONGEST_ERROR]
