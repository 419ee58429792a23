"""Passwords: Argon2id with our parameters, and the same work for everyone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from unittest.mock import patch

import argon2
import pytest

from adloom.errors import Unavailable
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
        threads = [threading.Thread(target=passwords.hash_password, args=(RIGHT,)) for _ in range(passwords._AT_MOST)]
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


def test_whoever_is_too_many_is_told_so_at_once() -> None:
    with patch.object(passwords, "_places", threading.BoundedSemaphore(1)):
        passwords._places.acquire()
        began = time.monotonic()

        with pytest.raises(Unavailable):
            passwords.verify(RIGHT, None)

    assert time.monotonic() - began < 1


FLOOD = """
import resource, threading
from adloom.errors import Unavailable
from adloom.identity import passwords

passwords.verify("x", None)
one = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
refused = []
gate = threading.Barrier(60)
def guess():
    gate.wait()
    try:
        passwords.verify("not the password", None)
    except Unavailable:
        refused.append(1)
threads = [threading.Thread(target=guess) for _ in range(60)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(refused), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - one)
"""


def test_a_flood_of_logins_takes_the_memory_of_two_hashes_and_no_more() -> None:
    done = subprocess.run([sys.executable, "-c", FLOOD], capture_output=True, text=True, check=True)
    refused, grown_kib = map(int, done.stdout.split())

    assert refused >= 60 - 2 * passwords._AT_MOST
    # One hash was in the measure before; the threads themselves take a little.
    assert grown_kib < passwords.MEMORY_KIB + 16 * 1024
