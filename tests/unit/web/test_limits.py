"""Limits per client address."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from adloom.web.client_address import client_address, limit_key, parse_networks
from adloom.web.limits import Limit, MemoryLimiter
from tests.unit.web.probe import probe, settings

if TYPE_CHECKING:
    from flask.testing import FlaskClient

TWICE = Limit.parse("2/minute")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_limit_is_written_in_words() -> None:
    assert Limit.parse("5/minute") == Limit(5, 60)
    assert Limit.parse("100/hour") == Limit(100, 3600)


@pytest.mark.parametrize("written", ["", "5", "0/minute", "-1/hour", "5/fortnight", "5 / minute"])
def test_what_is_no_limit_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no limit"):
        Limit.parse(written)


def test_the_window_moves() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)

    assert limiter.hit("a", TWICE) is None
    clock.now = 40
    assert limiter.hit("a", TWICE) is None
    assert limiter.hit("a", TWICE) == 20  # the first one leaves the window then
    clock.now = 60
    assert limiter.hit("a", TWICE) is None
    assert limiter.hit("a", TWICE) == 40


def test_a_refused_request_does_not_count() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    for _ in range(10):
        limiter.hit("a", TWICE)
    clock.now = 60

    assert limiter.hit("a", TWICE) is None


def test_keys_and_limits_count_for_themselves() -> None:
    limiter = MemoryLimiter(Clock())
    for _ in range(2):
        limiter.hit("a", TWICE)

    assert limiter.hit("b", TWICE) is None
    assert limiter.hit("a", Limit(3, 60)) is None
    assert limiter.hit("a", TWICE) is not None


def test_memory_is_bounded_by_forgetting_the_quiet_ones() -> None:
    limiter = MemoryLimiter(Clock(), max_keys=3)
    for key in ("a", "b", "c", "a", "d"):
        limiter.hit(key, TWICE)

    assert limiter.hit("a", TWICE) is not None
    assert limiter.hit("b", TWICE) is None


def test_exactly_as_many_pass_as_may_from_many_threads() -> None:
    limiter, limit = MemoryLimiter(), Limit.parse("10/hour")
    passed: list[bool] = []
    threads = [threading.Thread(target=lambda: passed.append(limiter.hit("a", limit) is None)) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert passed.count(True) == 10


def test_a_public_route_answers_429_over_its_limit(client: FlaskClient) -> None:
    assert [client.get("/limited").status_code for _ in range(3)] == [200, 200, 429]

    answer = client.get("/limited")
    assert answer.get_json()["code"] == "too_many_requests"
    assert answer.get_json()["retryable"] is True
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_another_client_has_a_limit_of_its_own(client: FlaskClient) -> None:
    for _ in range(3):
        client.get("/limited", headers={"X-Forwarded-For": "203.0.113.1"})

    assert client.get("/limited", headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 200


def test_a_client_cannot_change_its_address_by_a_header(client: FlaskClient) -> None:
    statuses = [
        client.get("/limited", headers={"X-Forwarded-For": f"203.0.113.{n}, 198.51.100.7"}).status_code
        for n in range(3)
    ]

    assert statuses == [200, 200, 429]


def test_the_header_of_an_untrusted_peer_is_not_believed() -> None:
    client = probe().test_client()

    answer = client.get(
        "/limited", headers={"X-Forwarded-For": "203.0.113.1"}, environ_overrides={"REMOTE_ADDR": "198.51.100.9"}
    )

    assert answer.get_json() == {"heard": "198.51.100.9"}


def test_trusted_proxies_are_a_setting() -> None:
    app = probe()
    app.use(settings(trusted_proxies="127.0.0.1,10.62.0.0/16"))

    answer = app.test_client().get("/limited", headers={"X-Forwarded-For": "203.0.113.1, 10.62.0.5"})

    assert answer.get_json() == {"heard": "203.0.113.1"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["1.1.1.1", "203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["203.0.113.1, 127.0.0.1"], "203.0.113.1"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.1, unknown"], "127.0.0.1"),
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.1:41234"], "203.0.113.1"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.1:41234, 127.0.0.1"], "203.0.113.1"),
        ("127.0.0.1", ["[2001:db8::1]:41234"], "2001:db8::1"),
        ("127.0.0.1", ["203.0.113.1:"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.1:x"], "127.0.0.1"),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:127.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("@", ["203.0.113.1"], "@"),
        (None, ["203.0.113.1"], "unknown"),
    ],
)
def test_the_clients_address(peer: str | None, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, parse_networks("127.0.0.0/8,::1")) == client


def test_an_ipv6_client_is_limited_by_its_network() -> None:
    assert limit_key("2001:db8:1:2:3:4:5:6") == limit_key("2001:db8:1:2::1")
    assert limit_key("2001:db8:1:2::1") != limit_key("2001:db8:1:3::1")
    assert limit_key("203.0.113.1") != limit_key("203.0.113.2")
