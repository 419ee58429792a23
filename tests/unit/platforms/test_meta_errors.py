"""What each of Meta's errors means for us. The bodies are the recorded ones, byte for byte."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adloom import clock
from adloom.errors import (
    AccountInaccessible,
    Actor,
    ConnectionBroken,
    OperatorMustAct,
    PlatformError,
    PlatformRejected,
    PlatformThrottled,
    PlatformTransient,
    TooMuchData,
)
from adloom.platforms.meta import errors, usage
from adloom.platforms.meta.errors import GraphError
from adloom.platforms.meta.usage import Usage

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "platform_errors.json").read_text())["meta"]
FULL, DEVELOPMENT = Usage(), Usage(is_development=True)


def of(
    code: int, subcode: int | None = None, *, status: int = 400, of_usage: Usage = FULL, **more: Any
) -> PlatformError:
    return errors.classify(GraphError("Something", "OAuthException", code, subcode, **more), status, of_usage)


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (190, 463, ConnectionBroken),
        (190, 460, ConnectionBroken),
        (190, 458, ConnectionBroken),
        (17, 2446079, PlatformThrottled),
        (80004, 2446079, PlatformThrottled),
        (80000, 2446079, PlatformThrottled),
        (4, 1504022, PlatformThrottled),
        (10, None, OperatorMustAct),
        (1, 99, TooMuchData),
    ],
)
def test_every_recorded_body_is_known(code: int, subcode: int | None, kind: type[PlatformError]) -> None:
    (recorded,) = [
        one
        for one in RECORDED
        if one.get("body", {}).get("error", {}).get("code") == code
        and one["body"]["error"].get("error_subcode") == subcode
    ]
    error = msgspec.json.decode(json.dumps(recorded["body"]["error"]), type=GraphError)
    assert type(errors.classify(error, recorded["http"], FULL)) is kind


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (102, None, ConnectionBroken),
        (190, 459, ConnectionBroken),
        (190, 464, ConnectionBroken),
        (190, 467, ConnectionBroken),
        (190, 492, ConnectionBroken),
        (200, None, AccountInaccessible),
        (299, None, AccountInaccessible),
        (100, 33, AccountInaccessible),
        (100, 3191001, AccountInaccessible),
        (415, 1404120, AccountInaccessible),
        (270, None, OperatorMustAct),
        (294, None, OperatorMustAct),
        (2635, None, OperatorMustAct),
        (1, None, TooMuchData),
        (100, 1487534, TooMuchData),
        (100, 1504018, TooMuchData),
        (2, 1504038, TooMuchData),
        (-3, 1504045, TooMuchData),
        (2, None, PlatformTransient),
        (2, 1504043, PlatformTransient),
        (2, 1504044, PlatformTransient),
        (-2, 2490547, PlatformTransient),
        (341, None, PlatformTransient),
        (960, None, PlatformTransient),
        (2, 1504041, PlatformRejected),
        (2, 1504042, PlatformRejected),
        (3018, None, PlatformRejected),
        (100, None, PlatformRejected),
        (2500, None, PlatformRejected),
    ],
)
def test_every_documented_code_is_known(code: int, subcode: int | None, kind: type[PlatformError]) -> None:
    assert type(of(code, subcode)) is kind


def test_a_code_that_nobody_documents_is_passing_when_the_server_failed_and_final_when_we_asked_wrong() -> None:
    assert type(of(77777, status=500)) is PlatformTransient
    assert type(of(77777, is_transient=True)) is PlatformTransient
    rejected = of(77777)
    assert type(rejected) is PlatformRejected
    assert (rejected.retryable, rejected.acts) == (False, Actor.DEVELOPER)


def test_a_wrong_app_secret_is_the_operators_and_a_hidden_account_the_users() -> None:
    proof = GraphError("Invalid appsecret_proof provided in the API argument", "GraphMethodException", 100)
    assert errors.classify(proof, 400, FULL).acts is Actor.OPERATOR
    assert of(100, 33).acts is Actor.USER


@pytest.mark.parametrize("code", [17, 32, 613, 80000, 80003, 80004, 80014])
def test_a_limit_of_an_account_blocks_that_account_for_the_tier_s_time(code: int) -> None:
    for of_usage, seconds in ((FULL, 60), (DEVELOPMENT, 300)):
        error = of(code, 1, of_usage=of_usage)
        assert isinstance(error, PlatformThrottled)
        assert error.scope == "account"
        assert error.retry_at - clock.real_now() == pytest.approx(timedelta(seconds=seconds), abs=timedelta(seconds=2))


def test_a_limit_of_the_app_blocks_every_account() -> None:
    error = of(4, 1504039)
    assert isinstance(error, PlatformThrottled)
    assert error.scope == "app"


def test_the_headers_know_better_than_we_when_the_quota_comes_back() -> None:
    error = of(80000, 2446079, of_usage=Usage(percent=100, regain_s=19 * 60))
    assert isinstance(error, PlatformThrottled)
    assert error.retry_at - clock.real_now() > timedelta(minutes=18)


def test_abuse_and_policy_blocks_are_long() -> None:
    for error in (of(613), of(368)):
        assert isinstance(error, PlatformThrottled)
        assert error.retry_at - clock.real_now() > timedelta(minutes=59)


def test_a_429_without_a_code_that_we_know_is_a_limit() -> None:
    assert isinstance(of(77777, status=429), PlatformThrottled)
    assert isinstance(errors.http_fault(429, FULL), PlatformThrottled)


def test_a_token_that_meta_repeats_in_its_text_is_left_out() -> None:
    error = GraphError("Bad access_token=EAAsecret12345678901234567890 in the call", "", 190, 463)
    assert "EAAsecret" not in str(errors.classify(error, 400, FULL))


def test_190_without_a_known_subcode_leaves_the_token_in_doubt() -> None:
    assert GraphError(code=190).leaves_token_in_doubt
    assert not GraphError(code=190, error_subcode=463).leaves_token_in_doubt


def test_the_recorded_usage_headers_say_97_percent_of_a_development_tier() -> None:
    (recorded,) = [one for one in RECORDED if "headers" in one]
    assert usage.read(recorded["headers"]) == Usage(
        percent=97.2, regain_s=0.0, is_development=True, app_percent=10.5, account_percent=97.2
    )


def test_the_wait_in_the_business_header_is_in_minutes_and_the_longest_counts() -> None:
    header = {
        "X-Business-Use-Case-Usage": json.dumps(
            {
                "1": [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 19}],
                "2": [{"type": "ads_management", "call_count": 3, "estimated_time_to_regain_access": 0}],
            }
        )
    }
    assert usage.read(header) == Usage(percent=100, regain_s=19 * 60, account_percent=100)


def test_headers_that_cannot_be_read_say_nothing() -> None:
    broken = {"X-App-Usage": "{", "X-Ad-Account-Usage": "[1]", "X-Business-Use-Case-Usage": '{"1": 5, "2": [7]}'}
    assert usage.read(broken) == Usage()


@pytest.mark.parametrize(("percent", "pause"), [(0, 0), (74.9, 0), (75, 0.2), (87.5, 2), (100, 4), (150, 4)])
def test_we_slow_down_from_75_percent_on(percent: float, pause: float) -> None:
    assert Usage(percent=percent).pause_s == pytest.approx(pause)
