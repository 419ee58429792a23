"""What is said of the platforms' errors: every code that `errors` of a platform knows has words that fit who acts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from adloom import errors
from adloom.errors import Actor, PlatformError
from adloom.platforms.advice import ADVICE, NAMES, advice, code_in
from adloom.platforms.advice_causes import CAUSES
from adloom.platforms.advice_codes import BY_PLATFORM_CODE, FAMILIES, OWN_CODES
from adloom.platforms.google import errors as google
from adloom.platforms.meta import errors as meta
from adloom.platforms.meta.usage import Usage
from adloom.platforms.tiktok import errors as tiktok


def of_google() -> Iterator[PlatformError]:
    named = (*google._SETUP, *google._ACCOUNT, *google._TRANSIENT, *google._TOO_MUCH, *google._STALE)
    grpc = {code.removeprefix("grpc/") for code in BY_PLATFORM_CODE["google"] if code.startswith("grpc/")}
    known = {code for code in BY_PLATFORM_CODE["google"] if "_error." in code}
    quota = {f"quota_error.{name}" for name in google._BRIEF_QUOTA}
    for code in sorted({*named, *google._OTHER_WAY, *known, *quota}):
        yield google.classify(google.Said("INVALID_ARGUMENT", code))
    for status in sorted({*google._STATUSES, *grpc}):
        yield google.classify(google.Said(status))
    for said in (*google._GRANT, *google._CLIENT):
        yield google.token_refused(said, "", is_passing=False)
    yield google.network_fault("ConnectError")
    yield google.unreadable("a list")


def of_meta() -> Iterator[PlatformError]:
    codes = {(code, None) for code in meta._TOKEN_CODES | meta._APP_THROTTLES | meta._ACCOUNT_THROTTLES}
    codes |= {(meta.TOKEN_CODE, subcode) for subcode in meta._DEAD_TOKEN_SUBCODES}
    codes |= {(code, None) for code in (*meta._TRANSIENT, *meta._PERMISSIONS, *meta._APP_SETUP, meta._POLICY_BLOCK)}
    codes |= {*meta._TOO_MUCH, *meta._REJECTED, *meta._HIDDEN_ACCOUNT, meta._ABUSE}
    for code, subcode in sorted(codes, key=str):
        yield meta.classify(meta.GraphError(code=code, error_subcode=subcode), 400, Usage())
    yield meta.http_fault(502, Usage())
    yield meta.http_fault(302, Usage())
    yield meta.network_fault("ReadTimeout")


def of_tiktok() -> Iterator[PlatformError]:
    groups = (tiktok.BURSTS, tiktok._ACCOUNT_THROTTLES, tiktok._TOO_MUCH, tiktok._APP_SETUP, tiktok._GRANT,
              tiktok._TOKEN, tiktok._TOKEN_IN_DOUBT, tiktok._ADVERTISER, tiktok._PARAMETERS, tiktok._BRIEFLY,
              {tiktok._MAINTENANCE, tiktok._OVERLOAD, 50000, 51305})  # fmt: skip
    for code in sorted(set().union(*groups)):
        yield tiktok.classify(tiktok.Head(code))
    yield tiktok.http_fault(503)
    yield tiktok.network_fault("ReadTimeout")


KNOWN = {"google": list(of_google()), "meta": list(of_meta()), "tiktok": list(of_tiktok())}
EVERY = [(platform, error) for platform, found in KNOWN.items() for error in found]


@pytest.mark.parametrize(
    ("platform", "error"), EVERY, ids=[f"{p}-{e.platform_code}-{n}" for n, (p, e) in enumerate(EVERY)]
)
def test_every_classified_code_has_words_that_name_the_right_person(platform: str, error: PlatformError) -> None:
    found = advice(platform, error.code, error.platform_code)
    assert found.cause != "unknown"
    assert found.acts is error.acts or isinstance(error, errors.PlatformProtocolError)
    if error.acts in (Actor.USER, Actor.OPERATOR):
        is_exact = found.cause not in FAMILIES.values() or error.platform_code in BY_PLATFORM_CODE[platform]
        assert is_exact or error.code in OWN_CODES, f"{error.platform_code} is said as any {error.code}"


@pytest.mark.parametrize(("platform", "error"), EVERY[::7])
def test_the_code_is_found_in_the_sentence_that_is_stored(platform: str, error: PlatformError) -> None:
    if " says: " in error.detail:
        assert code_in(error.detail) == error.platform_code
    assert code_in(f"{platform} sent nothing") == ""
    assert code_in(None) == ""


@pytest.mark.parametrize("platform", BY_PLATFORM_CODE)
def test_no_code_has_words_that_its_class_forbids(platform: str) -> None:
    """Such words would never be seen."""
    classes: dict[str, set[Actor]] = {}
    for error in KNOWN[platform]:
        classes.setdefault(error.platform_code, set()).add(error.acts)
    for code, cause in BY_PLATFORM_CODE[platform].items():
        assert ADVICE[cause].acts in classes.get(code, {ADVICE[cause].acts}), code


def test_words_name_the_platform_and_nothing_else() -> None:
    for words in ADVICE.values():
        for text in (words.happened, words.step):
            assert set(re.findall(r"{.*?}", text)) <= {"{platform}"}
            assert text.endswith(".")
    assert advice("meta", "connection_broken", "190/463").named("meta").happened == "The access to Meta has run out."
    assert (
        advice("google", "connection_broken", "oauth/invalid_grant")
        .named("google")
        .step.startswith("Connect Google Ads again.")
    )


def test_every_cause_can_come_up() -> None:
    reached = {cause for codes in BY_PLATFORM_CODE.values() for cause in codes.values()}
    assert set(CAUSES) == reached | set(OWN_CODES.values()) | set(FAMILIES.values()) | {"network"}


def test_every_family_of_errors_is_spoken_of() -> None:
    def below(kind: type[PlatformError]) -> Iterator[type[PlatformError]]:
        for one in kind.__subclasses__():
            if one.__module__.startswith("adloom."):
                yield one
                yield from below(one)

    for kind in below(PlatformError):
        if kind is not errors.PlatformProtocolError:
            assert ADVICE[FAMILIES[kind.code]].acts is kind.acts


@pytest.mark.parametrize(
    ("platform", "code", "platform_code", "cause"),
    [
        ("meta", "connection_broken", "190/463", "access_expired"),
        ("meta", "connection_broken", "190/9999", "access_ended"),
        ("meta", "connection_broken", "", "access_ended"),
        ("meta", "scopes_missing", "190", "scopes_missing"),
        ("google", "scopes_missing", "grpc/PERMISSION_DENIED", "scopes_missing"),
        ("google", "grant_refused", "oauth/invalid_grant", "access_ended"),
        ("google", "platform_setup", "grpc/PERMISSION_DENIED", "app_refused"),
        ("google", "platform_transient", "network/ConnectError", "network"),
        ("tiktok", "account_inaccessible", "40300", "account_gone"),
        ("tiktok", "platform_rejected", "41002", "rejected"),
        ("tiktok", "connection_broken", "40000", "access_ended"),
        ("meta", "brand_new", "brand/new", "unknown"),
        ("other", "account_inaccessible", "7", "account_hidden"),
    ],
)
def test_the_most_exact_words_that_fit(platform: str, code: str, platform_code: str, cause: str) -> None:
    assert advice(platform, code, platform_code).cause == cause


def test_every_platform_has_a_name() -> None:
    assert set(NAMES) == set(BY_PLATFORM_CODE)
