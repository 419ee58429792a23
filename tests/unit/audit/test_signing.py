"""Keys of the trail: what is one, and who vouches for whom."""

from __future__ import annotations

import base64
import json
import os

import pytest

from adloom.audit.signing import ForgedError, SigningKeys, Trust, key_id, pem, read_public
from adloom.errors import ConfigurationError


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.mark.parametrize("ring", ["", " , ", "short", new_key()[:-8], f"{new_key()},nonsense", "ä" * 44])
def test_what_is_no_key_is_refused_with_a_sentence_and_without_the_secret(ring):
    with pytest.raises(ConfigurationError, match="openssl rand -base64 32") as refused:
        SigningKeys(ring)
    assert not ring.strip(" ,") or ring not in str(refused.value)


def test_both_alphabets_of_base64_are_the_same_key():
    raw = b"\xfb\xff" * 16
    plain, web = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    assert plain != web
    assert SigningKeys(plain).publics == SigningKeys(web).publics


def test_the_first_key_signs_and_all_are_trusted():
    old, new = new_key(), new_key()
    keys = SigningKeys(f"{new},{old}")
    assert keys.current == SigningKeys(new).current
    assert set(keys.publics) == {SigningKeys(new).current, SigningKeys(old).current}
    by_old = SigningKeys(old).sign({"kind": "heads", "sequence": 1})
    assert Trust(keys.publics).open(by_old, "heads")["sequence"] == 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda data: data.replace(b'"sequence":1', b'"sequence":2'),
        lambda data: data.replace(b"heads", b"archive"),
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data[:0],
        lambda data: b"\xff\xfe" + data,
        lambda data: data.split(b"\n")[0] + b"\n{}\n",
        lambda data: data.split(b"\n")[0] + b'\n{"key":1,"signature":"!"}\n',
        lambda data: data.split(b"\n")[0] + b"\n[]\n",
    ],
)
def test_a_statement_that_was_touched_is_forged(forge):
    keys = SigningKeys(new_key())
    trust = Trust(keys.publics)
    data = keys.sign({"kind": "heads", "sequence": 1})
    assert trust.open(data, "heads")["sequence"] == 1
    with pytest.raises(ForgedError):
        trust.open(forge(data), "heads")


def test_a_statement_of_one_kind_is_none_of_another():
    keys = SigningKeys(new_key())
    with pytest.raises(ForgedError, match="no statement about heads"):
        Trust(keys.publics).open(keys.sign({"kind": "archive"}), "heads")


def test_a_public_key_is_read_as_it_is_printed():
    keys = SigningKeys(new_key())
    public = keys.publics[keys.current]
    assert read_public(pem(public)) == read_public(base64.b64encode(public).decode()) == public
    assert key_id(public) == keys.current
    for text in ("", "nonsense", base64.b64encode(b"x" * 31).decode(), "-----BEGIN PUBLIC KEY-----\nx\n"):
        with pytest.raises(ConfigurationError, match="public key"):
            read_public(text)


def test_the_private_key_is_in_no_statement():
    ring = new_key()
    data = SigningKeys(ring).sign({"kind": "heads"})
    assert ring.encode() not in data
    assert set(json.loads(data.split(b"\n")[1])) == {"key", "signature"}
