"""TikTok's codes: who acts, what is tried again, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adloom import clock, errors
from adloom.platforms.tiktok.errors import (
    WAIT_ACCOUNT_S,
    WAIT_APP_S,
    WAIT_OVERLOAD_S,
    Head,
    classify,
    http_fault,
    network_fault,
)

DEAD, GONE, SETUP = errors.ConnectionBroken, errors.AccountInaccessible, errors.OperatorMustAct
OURS, PASSES, LESS = errors.PlatformRejected, errors.PlatformTransient, errors.TooMuchData
CODES = {
    OURS: (40006, 40007, 40008, 40010, 40050, 40051, 40103, 40107, 40108, 40400, 41001, 41002, 12345),
    DEAD: (40102, 40104, 40105, 40106, 40110, 40114, 40115, 40130),
    GONE: (40001, 40003, 40300, 40301, 40302),
    SETUP: (40009, 40013, 40014, 40101, 40113, 40117, 40118, 40119, 40124, 40125),
    LESS: (40011, 40067),
    PASSES: (40200, 40201, 40202, 40700, 50000, 50002, 51001, 51039, 51305, 52000, 59999),
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_a_code_means_what_to_do(kind: type[errors.PlatformError], code: int) -> None:
    found = classify(Head(code, "Said", "R7"))
    assert type(found) is kind
    assert found.platform_code == str(code)
    assert found.detail == f"TikTok says: Said (code {code}, request R7)"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("metrics: Not a valid choice.", OURS),
        ("The app_id does not match the access token.", DEAD),
        ("access_token does not belong to app_id", DEAD),
        ("Advertiser 7 does not exist", GONE),
        ("No permission to access advertiser", GONE),
    ],
)
def test_parameters_are_ours_unless_the_message_says_otherwise(message: str, kind: type[errors.PlatformError]) -> None:
    for code in (40000, 40002):
        assert type(classify(Head(code, message))) is kind


@pytest.mark.parametrize(
    ("code", "scope", "seconds"),
    [
        (40016, "app", WAIT_APP_S),
        (40100, "app", WAIT_APP_S),
        (40132, "account", WAIT_ACCOUNT_S),
        (40133, "account", WAIT_ACCOUNT_S),
        (60001, "app", 300),
        (61000, "app", WAIT_OVERLOAD_S),
    ],
)
def test_a_throttle_says_who_waits_and_until_when(code: int, scope: str, seconds: float) -> None:
    found = classify(Head(code, "Too many requests"))
    assert isinstance(found, errors.PlatformThrottled)
    assert found.scope == scope
    assert abs(found.retry_at - clock.real_now() - timedelta(seconds=seconds)) < timedelta(seconds=5)


def test_a_quota_of_a_day_is_there_again_at_midnight_utc() -> None:
    found = classify(Head(40100, "The daily quota (QPD) of the app is used up"))
    assert isinstance(found, errors.PlatformThrottled)
    until: datetime = found.retry_at.astimezone(UTC)
    assert (until.hour, until.minute, until.second) == (0, 0, 0)
    assert timedelta(0) < until - clock.real_now() <= timedelta(days=1)


def test_a_server_fault_is_one_whatever_the_code() -> None:
    assert type(classify(Head(12345), 503)) is PASSES


def test_answers_without_an_envelope() -> None:
    kinds = {status: type(http_fault(status)) for status in (200, 403, 404, 405, 429, 502)}
    assert kinds == {
        200: errors.PlatformProtocolError,
        403: errors.PlatformProtocolError,
        404: OURS,
        405: OURS,
        429: errors.PlatformThrottled,
        502: PASSES,
    }


def test_a_code_of_the_log_in_is_told_from_a_connection_that_broke() -> None:
    assert classify(Head(40130)).code == "connection_broken"
    assert classify(Head(40110)).code == "grant_refused"
    assert classify(Head(40105)).code == "connection_broken"


def test_no_secret_gets_into_an_error() -> None:
    said = classify(Head(50000, "access_token=abcdefghijklmnopqrstuvwxyz0123456789 failed"))
    assert "abcdefghijklmnop" not in said.detail
    assert network_fault("ConnectError").detail == "The connection to TikTok failed (ConnectError)"
