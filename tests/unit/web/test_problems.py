"""Errors as problems: whose fault, whether to try again, and never the inside of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adloom.errors import AdloomError, ConfigurationError, ConnectionBroken, Forbidden, PlatformThrottled, Unavailable
from tests.unit.web.probe import faulty

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient


def test_a_problem_has_every_member(client: FlaskClient) -> None:
    problem = client.get("/nowhere", headers={"X-Request-Id": "a-request-of-mine"}).get_json()

    assert problem == {
        "type": "urn:adloom:problem:not_found",
        "title": "There is no such thing here",
        "status": 404,
        "detail": "This address does not exist; see /openapi.json.",
        "code": "not_found",
        "retryable": False,
        "acts": "caller",
        "request_id": "a-request-of-mine",
    }


def test_an_error_of_ours_keeps_its_sentence_and_its_advice() -> None:
    answer = (
        faulty(lambda: Unavailable("The database does not answer", code="database_down", retry_after=4.2))
        .test_client()
        .get("/fault")
    )

    problem = answer.get_json()
    assert answer.status_code == 503
    assert (problem["code"], problem["retryable"], problem["detail"]) == (
        "database_down",
        True,
        "The database does not answer",
    )
    assert answer.headers["Retry-After"] == "5"


def test_a_forbidden_is_not_worth_a_retry() -> None:
    answer = faulty(lambda: Forbidden("Only owners do that")).test_client().get("/fault")

    assert (answer.status_code, answer.get_json()["retryable"]) == (403, False)
    assert "Retry-After" not in answer.headers


def test_a_platforms_code_is_shown() -> None:
    error = lambda: ConnectionBroken("Connect again", platform_code="190/463")  # noqa: E731
    problem = faulty(error).test_client().get("/fault").get_json()

    assert (problem["status"], problem["platform_code"], problem["acts"]) == (409, "190/463", "user")


def test_a_throttle_of_a_platform_says_when_to_come_back() -> None:
    later = datetime.now(UTC).replace(microsecond=0)
    error = lambda: PlatformThrottled("Wait", scope="app", retry_at=later)  # noqa: E731
    answer = faulty(error).test_client().get("/fault")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_tokens_in_a_sentence_do_not_go_out() -> None:
    error = lambda: Forbidden("access_token=EAABsecretsecretsecretsecret")  # noqa: E731
    text = faulty(error).test_client().get("/fault").get_data(as_text=True)

    assert "secretsecret" not in text


@pytest.mark.parametrize(
    "error",
    [
        lambda: ZeroDivisionError("postgresql://adloom_auth:hunter2@db"),
        lambda: ConfigurationError("postgresql://adloom_auth:hunter2@db"),
        lambda: AdloomError("postgresql://adloom_auth:hunter2@db"),
    ],
)
def test_a_fault_of_ours_shows_nothing_of_the_inside_and_is_logged(
    error: Callable[[], Exception], log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = faulty(error).test_client().get("/fault")

    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert "adloom_auth" not in answer.get_data(as_text=True)
    [fault, _] = log_lines()
    assert fault["event"] == "request_failed"
    assert "Traceback" in fault["exception"]
    assert "hunter2" not in str(fault)


def test_a_tick_that_could_not_look_is_shown_to_cron() -> None:
    for error in (Unavailable("The database does not answer"), Forbidden("permission denied")):
        answer = faulty(partial(type(error), error.detail)).test_client().post("/")

        assert answer.status_code == 503
        assert answer.get_json()["retryable"] is True


def test_a_tick_with_a_bug_is_a_fault_of_ours() -> None:
    assert faulty(lambda: KeyError("x")).test_client().post("/").status_code == 500
