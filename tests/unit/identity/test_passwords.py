"""Passwords: Argon2id with our parameters, and the same work for everyone."""

from __future__ import annotations

import threading
import time
from unittest.mock import patch

import argon2
import pytest

from adloom.errors import Unavailable, ValidationFailed
from adloom.identity import passwords

RIGHT = "correct horse battery"


def test_the_right_password_is_right_and_another_is_not() -> None:
    encoded = passwords.hash_password(RIGHT)

    assert passwords.verify(RIGHT, encoded)
    assert not passwords.verify(RIGHT + " ", encoded)
    assert not passwords.verify("", encoded)


def test_the_hash_has_our_parameters_and_a_salt_of_its_own() -> None:
    first, second = passwords.hash_password(RIGHT), passwords.hash_password(RIGHT)

    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second


def test_nobody_knows_the_password_of_the_unknown_user() -> None:
    assert not passwords.verify(RIGHT, None)
    assert not passwords.verify("", None)


def test_an_unknown_user_costs_the_same_work() -> None:
    """The stand-in's parameters are those of real hashes, so that the time to answer tells nothing."""
    assert argon2.extract_parameters(passwords._NOBODY) == argon2.extract_parameters(passwords.hash_password(RIGHT))


def test_a_hash_that_cannot_be_read_is_no_match() -> None:
    assert not passwords.verify(RIGHT, "$argon2id$broken")
    assert not passwords.verify(RIGHT, "")


def test_a_hash_of_other_parameters_is_to_be_replaced() -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(RIGHT)

    assert passwords.verify(RIGHT, old)
    assert passwords.needs_rehash(old)
    assert not passwords.needs_rehash(passwords.hash_password(RIGHT))


def test_what_looks_the_same_is_the_same_password() -> None:
    assert passwords.verify("cafe\N{COMBINING ACUTE ACCENT} au lait", passwords.hash_password("café au lait"))


@pytest.mark.parametrize("length", [12, 128])
def test_lengths_that_may_be_set(length: int) -> None:
    passwords.check_rule("x" * length)


@pytest.mark.parametrize("length", [0, 11, 129])
def test_lengths_that_may_not_be_set(length: int) -> None:
    with pytest.raises(ValidationFailed) as caught:
        passwords.check_rule("x" * length)

    assert caught.value.fields[0]["field"] == "body.password"


def test_only_so_many_hashes_are_computed_at_once() -> None:
    at_once = most = 0
    lock = threading.Lock()

    class Watched:
        def hash(self, _password: str) -> str:
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.02)
            with lock:
                at_once -= 1
            return "hash"

    with patch.object(passwords, "_hasher", Watched):
        threads = [threading.Thread(target=passwords.hash_password, args=(RIGHT,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert most == passwords._AT_ONCE


def test_whoever_waits_too_long_for_a_turn_is_told_to_try_again() -> None:
    with patch.object(passwords, "_turns", threading.BoundedSemaphore(1)), patch.object(passwords, "_WAIT_S", 0.01):
        passwords._turns.acquire()

        with pytest.raises(Unavailable) as caught:
            passwords.verify(RIGHT, None)

    assert caught.value.retry_after == 5
