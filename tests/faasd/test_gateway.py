"""What a request is after the front door, the gateway and the provider: the same."""

from __future__ import annotations

import json

import httpx
import pytest

from adloom.web.body import MAX_BODY_BYTES
from adloom.web.public import LOGIN, OPENAPI
from tests.faasd.openfaas import URL
from tests.faasd.platform import PUBLIC_URL, Platform

DOORS = [pytest.param(PUBLIC_URL, id="front door"), pytest.param(URL, id="gateway")]


def client(door: str, address: str = "127.0.0.1") -> httpx.Client:
    """A client at an address of its own."""
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=f"{door}/function/auth", transport=transport, trust_env=False, timeout=60)


@pytest.mark.parametrize("door", DOORS)
def test_a_problem_arrives_as_the_function_wrote_it(platform: Platform, door: str) -> None:
    with client(door) as http:
        answer = http.get("/session", headers={"X-Request-Id": "traced-through-everything"})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["x-request-id"] == "traced-through-everything"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["request_id"] == "traced-through-everything"


@pytest.mark.parametrize("door", DOORS)
def test_a_credential_and_a_body_arrive(platform: Platform, door: str) -> None:
    email, password = platform.deployment.owner
    with client(door) as http:
        token = http.post("/login", json={"email": email, "password": password}).json()["token"]
        who = http.get("/session?unused=%C3%A9", headers={"Authorization": f"Bearer {token}"})
        out = http.post("/logout", headers={"Authorization": f"Bearer {token}"})
    assert who.json()["user"]["email"] == email
    assert (out.status_code, out.content) == (204, b"")


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, MAX_BODY_BYTES + 500_000])
@pytest.mark.parametrize("door", DOORS)
def test_a_body_that_is_too_large_is_refused_with_a_problem(platform: Platform, door: str, size: int) -> None:
    with client(door) as http:
        answer = http.post("/login", content=b" " * size, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize("door", DOORS)
def test_the_largest_body_arrives_whole(platform: Platform, door: str) -> None:
    body = json.dumps({"email": "a@b.example", "password": "x"}).encode()
    with client(door, "127.0.0.8") as http:
        answer = http.post("/login", content=body.ljust(MAX_BODY_BYTES), headers={"Content-Type": "application/json"})
    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize(("door", "net"), [(PUBLIC_URL, "127.1.0"), (URL, "127.2.0")], ids=["front door", "gateway"])
def test_a_limit_counts_the_client_and_not_what_stands_between(platform: Platform, door: str, net: str) -> None:
    most = int(OPENAPI.limit.split("/")[0])
    with client(door, f"{net}.1") as http:
        statuses = [http.get("/openapi.json").status_code for _ in range(most + 1)]
        forged = http.get("/openapi.json", headers={"X-Forwarded-For": "203.0.113.7"})
    with client(door, f"{net}.2") as http:
        neighbour = http.get("/openapi.json")
    assert statuses == [200] * most + [429]
    assert neighbour.status_code == 200
    if door == PUBLIC_URL:  # the gateway believes whoever calls it, so nobody but our own may
        assert forged.status_code == 429


def test_a_path_that_is_not_served_is_a_problem(platform: Platform) -> None:
    with client(PUBLIC_URL) as http:
        answer = http.get(f"{PUBLIC_URL}/function/nobody/x")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert LOGIN.path == "/login"
