from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from adloom import logs
from adloom.errors import InvalidRequest
from adloom.identity.policy import SessionSettings
from adloom.identity.principal import Principal
from adloom.identity.tokens import last_four, new_key_token, new_operator_key, new_session_token, token_hash


def test_a_token_has_256_bits_and_is_never_the_same() -> None:
    tokens = {new_session_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token.removeprefix("adl_s_")) == 43 for token in tokens)


def test_an_api_key_shows_its_prefix_and_hides_256_bits() -> None:
    made = [new_key_token() for _ in range(100)]

    assert len({token for token, _ in made}) == 100
    for token, prefix in made:
        secret = token.removeprefix(f"adl_k_{prefix}_")
        assert len(base64.urlsafe_b64decode(secret + "=")) == 32
        assert len(prefix) == 8
        assert last_four(token) == secret[-4:]
        assert logs.redact_text(f"a key {token} here") == "a key [redacted] here"


def test_only_a_tokens_hash_is_stored() -> None:
    token = new_operator_key()

    assert token.startswith("adl_o_")
    assert len(token_hash(token)) == 32
    assert token_hash(token) != token_hash(token + "x")
    assert token_hash("\ud800") != token_hash("\ud801")  # what a client may send


def test_our_tokens_never_reach_a_log() -> None:
    assert new_session_token() not in logs.redact_text(f"a token {new_session_token()} here")
    assert "[redacted]" in logs.redact_text(new_operator_key())


def test_a_session_ends_after_a_week_without_use_and_after_thirty_days() -> None:
    policy = SessionSettings()

    assert (policy.idle, policy.absolute) == (timedelta(days=7), timedelta(days=30))


def test_an_operator_without_an_organisation_is_asked_for_one() -> None:
    operator = Principal("operator", None, None, "owner")

    with pytest.raises(InvalidRequest, match="X-Adloom-Org"):
        _ = operator.org_id
