"""No secret gets into the trail, nothing odd breaks it, and nothing large fills it."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adloom import audit
from adloom.audit import actions, trail, values

SECRET_NAMES = st.sampled_from(
    [
        *("password", "token", "secret", "code", "link", "recovery_codes", "access_token", "Client-Secret", "otp"),
        *("passwd", "api_key", "apikey", "authorization", "cookie", "totp_secret", "reset_link", "links", "signature"),
        *("private_key", "key_hash", "password_hash", "state_nonce", "code_verifier", "challenge", "backup_code"),
    ]
)
SECRETS = st.text(min_size=8).map(lambda text: f"s3cr3t{text}") | st.integers(100_000, 999_999)
HARMLESS = st.sampled_from(["role", "name", "accounts", "email", "note", "reason", "error_code", "since"])


def nested(inner: object) -> st.SearchStrategy[object]:
    return st.recursive(
        st.just(inner),
        lambda deeper: st.lists(deeper, min_size=1, max_size=2) | st.dictionaries(HARMLESS, deeper),
        max_leaves=3,
    )


@given(st.data(), SECRET_NAMES, SECRETS, st.sampled_from(sorted(actions.ACTIONS)))
def test_what_is_named_like_a_secret_is_never_written_whatever_action_it_is_in(data, name, secret, action):
    told = data.draw(nested({name: secret, "role": "viewer"}))
    body = trail.body_of(action, target=("member", 1), old=told, new={"list": [told]})
    assert str(secret) not in body
    if isinstance(secret, str):
        assert json.dumps(secret)[1:-1] not in body
    json.loads(body)


@pytest.mark.parametrize(
    "secret",
    [
        "adl_s_" + "A" * 43,
        "EAA" + "b" * 40,
        "gAAAA" + "c" * 60,
        "https://x.example/reset?token=abcdefgh12345678",
        "Bearer abcdefghijklmnop",
        "postgresql://role:hunter2hunter2@host/db",
    ],
)
def test_what_looks_like_a_secret_is_not_written_under_any_name(secret):
    body = trail.body_of("session.opened", target=("session", secret), new={"note": f"see {secret}"})
    hidden = {"https": "abcdefgh12345678", "Beare": "abcdefghijklmnop", "postg": "hunter2"}.get(secret[:5], secret)
    assert hidden not in body


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner) | st.frozensets(st.text()),
)


@given(JSON_LIKE)
def test_whatever_it_is_given_it_writes_json_that_postgres_takes(value):
    text = values.dumps(values.told(value))
    json.loads(text)
    text.encode()  # no half of a surrogate pair
    assert "\x00" not in text
    assert "\\u0000" not in text.replace("\\\\", "")
    assert "\n" not in text
    assert not any(character in text for character in "\u202e\u2066\u200f\x9b\x7f")
    assert len(text.encode()) <= values.MAX_VALUE_BYTES + 6 * values.BEGINNING_CHARACTERS


@pytest.mark.parametrize("size", [8_000, 1_000_000])
def test_a_large_value_is_cut_and_its_hash_is_that_of_the_whole(size):
    value = {"text": "ä" * size}
    whole = values.dumps(value).encode()
    assert values.told(value) == {
        "cut": True,
        "bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "begins": whole.decode()[: values.BEGINNING_CHARACTERS],
    }


def test_a_secret_in_a_large_value_is_in_neither_its_beginning_nor_its_hash():
    told = values.told({"password": "123456", "text": "x" * 9000})
    other = values.told({"password": "654321", "text": "x" * 9000})
    assert told == other


def test_what_json_does_not_know_is_written_in_words():
    known = {
        "huge": 10**400,
        "nan": float("nan"),
        "day": date(2026, 3, 1),
        "at": datetime(2026, 3, 1, 12, 0),  # noqa: DTZ001 - whatever somebody passes
        "money": Decimal("1.10"),
        "id": UUID(int=1),
        "raw": b"12345",
        "set": {"b", "a"},
    }
    told = values.told(known)
    assert told["huge"].startswith("0x")
    assert (told["nan"], told["day"], told["money"], told["raw"]) == ("nan", "2026-03-01", "1.10", "<5 bytes>")
    assert told["set"] == ["a", "b"]


def test_flags_of_secrets_may_be_said():
    assert values.told({"has_token": True, "secret": None, "codes_left": 3}) == {
        "has_token": True,
        "secret": None,
        "codes_left": 3,
    }


def test_an_action_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(ValueError, match=r"adloom\.audit\.actions"):
        trail.body_of("session.opend")


@pytest.mark.parametrize("name", sorted(actions.ACTIONS))
def test_an_action_has_two_words_and_says_what_it_means(name):
    area, _, deed = name.partition(".")
    assert (area.isidentifier(), deed.isidentifier()) == (True, True)
    assert actions.ACTIONS[name][0].isupper()


def test_the_actor_is_of_the_thread_and_of_the_block_that_said_it():
    assert audit.actor().kind == "system"
    person = uuid4()
    with audit.acting(audit.Actor("anonymous", address="203.0.113.7", agent="x" * 5000)):
        assert audit.by(person) == audit.actor().known_as(person)
        said = json.loads(trail.body_of("session.opened"))["actor"]
        assert said["address"] == "203.0.113.7"
        assert len(said["agent"]) == 400
        with audit.acting(audit.Actor("operator")):
            assert audit.by(person) == audit.actor(), "who is known stays who it is"
    assert audit.actor().kind == "system"
