"""One address for everything: a gateway's paths, its errors, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from infra.local.stack import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("front-door") / "home", parts=["auth", "caddy"]) as stack:
        yield stack


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, trust_env=False) as client:
        yield client


def test_a_function_answers_below_its_name(browser: httpx.Client) -> None:
    assert browser.post("/function/auth").status_code == 202
    assert browser.get("/function/auth/session").status_code == 401
    assert browser.get("/function/auth/session").json()["code"] == "unauthenticated"


@pytest.mark.parametrize("path", ["/function/author/session", "/function/", "/function/auth-admin"])
def test_an_unknown_function_is_a_problem(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "urn:adloom:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such function",
        "code": "not_found",
        "retryable": False,
        "acts": "caller",
        "request_id": answer.headers["x-request-id"],
    }


def test_a_request_id_is_passed_on_and_made_where_there_is_none(browser: httpx.Client, stack: Stack) -> None:
    given = browser.get("/function/auth/session", headers={"X-Request-Id": "from-the-caller-1"})
    assert given.headers["x-request-id"] == "from-the-caller-1"
    assert "from-the-caller-1" in stack.log("auth")
    made = browser.get("/function/auth/session").headers["x-request-id"]
    assert made in stack.log("auth")


def test_a_foreign_name_for_this_machine_is_not_served(browser: httpx.Client) -> None:
    """Else a page elsewhere could resolve its own name to 127.0.0.1 and talk to us through its visitor's browser."""
    assert browser.get("/function/auth/session", headers={"Host": "evil.example"}).status_code == 421
    assert browser.get("/function/auth/session", headers={"Host": "localhost:9999"}).status_code == 401


@pytest.mark.parametrize("size", [1_100_000, 1_999_999, 3_000_000, 33_000_000])
def test_a_body_that_is_too_large_is_refused(browser: httpx.Client, size: int) -> None:
    """Whether function or front door says so, it is said: never that the function is down."""
    for _ in range(5):
        answer = browser.post("/function/auth/login", content=b" " * size, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_part_that_is_down_is_a_problem_that_passes(browser: httpx.Client, stack: Stack) -> None:
    with stack.without("auth"):
        down = browser.get("/function/auth/session", timeout=20)
    assert (down.status_code, down.json()["code"], down.json()["retryable"]) == (502, "unavailable", True)
    assert browser.get("/function/auth/session").status_code == 401


def test_callers_do_not_notice_that_a_function_is_started_again(browser: httpx.Client, stack: Stack) -> None:
    stack.kill("auth")
    assert browser.get("/function/auth/session", timeout=20).status_code == 401


def test_only_the_front_door_says_who_the_client_is(browser: httpx.Client) -> None:
    """The functions believe X-Forwarded-For from loopback, so the front door must not pass on a caller's own."""
    for n in range(8):
        answer = browser.post(
            "/function/auth/login",
            json={"email": "nobody@example.com", "password": "wrong"},
            headers={"X-Forwarded-For": f"192.0.2.{n}"},
        )
    assert answer.status_code == 429
