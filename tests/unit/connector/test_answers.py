"""What a function's answer, or that of whatever stands before it, means for the event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from adloom.errors import ValidationFailed
from infra.connector.backoff import LONGEST_RETRY_AFTER_S, Backoff
from infra.connector.call import open_parcel, read_answer

PROBLEM = {"Content-Type": "application/problem+json"}
ADDRESS = '"org_id": "7a8f0e3c-5a55-4c1e-8d6a-0f4c3f5f0001", "account_id": 7'
ENVELOPE = (
    '{"specversion": "1.0", "id": "7a8f0e3c-5a55-4c1e-8d6a-0f4c3f5f0002", "source": "/adloom", "time":'
    ' "2026-03-01T09:00:00+00:00", "type": "adloom.metrics.synced.v%s", "requestid": "r", "data": {%s}}'
)


def answer(status: int, headers: dict[str, str] | None = None, text: str = "") -> str:
    return read_answer(httpx.Response(status, headers=headers, text=text)).verdict


@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_is_taken(status):
    assert answer(status) == "taken"


@pytest.mark.parametrize("status", [302, 404, 408, 429, 500, 502, 503, 504])
def test_an_answer_from_in_between_is_tried_again(status):
    assert answer(status, text="<html>") == "again"


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 415, 422])
def test_a_client_error_without_a_problem_is_a_refusal(status):
    assert answer(status, text="<html>") == "refused"


@pytest.mark.parametrize("status", [401, 409, 422, 500, 503])
@pytest.mark.parametrize(("retryable", "verdict"), [("true", "again"), ("false", "refused")])
def test_a_problem_decides_by_itself(status, retryable, verdict):
    assert answer(status, PROBLEM, f'{{"retryable": {retryable}}}') == verdict


def test_a_problem_that_cannot_be_read_does_not_decide():
    assert answer(500, PROBLEM, '{"retryable": "perhaps"}') == "again"


def test_what_is_kept_of_an_error_is_short_and_holds_no_secret():
    kept = read_answer(httpx.Response(500, text="access_token=very-secret " + "x" * 10_000)).error
    assert "very-secret" not in kept
    assert len(kept) == 500


def test_what_is_kept_of_an_error_can_be_stored():
    assert read_answer(httpx.Response(500, text="a\0b")).error == "HTTP 500: ab"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("soon", None), ("-3", None), ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0)],
)
def test_retry_after(header, seconds):
    assert read_answer(httpx.Response(503, headers={"Retry-After": header})).retry_after == seconds


def test_retry_after_as_a_date():
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    wait = read_answer(httpx.Response(503, headers={"Retry-After": at})).retry_after
    assert wait is not None
    assert 85 < wait <= 90


def test_the_wait_doubles_up_to_its_limit_and_is_never_shorter_than_asked():
    backoff = Backoff(1.0, 300.0)
    for attempt, full in ((1, 1), (2, 2), (5, 16), (12, 300), (10_000, 300)):
        assert full * 0.8 <= backoff.wait(attempt) <= full
    assert backoff.wait(1, retry_after=40) == 40
    assert backoff.wait(1, retry_after=1e9) == LONGEST_RETRY_AFTER_S


def test_a_parcel_of_a_version_we_do_not_know_is_delivered_all_the_same():
    parcel = open_parcel((ENVELOPE % (99, ADDRESS)).encode())
    assert (parcel.subject, parcel.account_id, parcel.request_id) == ("adloom.metrics.synced", 7, "r")


@pytest.mark.parametrize(
    "body",
    [
        *("", "{}", "[]", "null", ENVELOPE % (1, ""), ENVELOPE % (1, '"org_id": 7')),
        ENVELOPE % (1, ADDRESS + r', "code": "\u0000"'),
    ],
)
def test_what_has_no_organisation_is_no_parcel(body):
    with pytest.raises(ValidationFailed):
        open_parcel(body.encode())
