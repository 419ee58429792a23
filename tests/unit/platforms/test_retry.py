"""How often and how long: at least the doubled wait, never beyond the deadline."""

from __future__ import annotations

from itertools import pairwise

import pytest

from adloom.errors import PlatformTransient
from adloom.platforms.retry import Attempts, Deadline, OutOfTimeError, RetryPolicy


@pytest.mark.parametrize("failures", range(1, 9))
def test_a_wait_is_at_least_the_doubled_first_one_and_at_most_half_as_long_again(failures: int) -> None:
    policy = RetryPolicy(first_wait_s=1, longest_wait_s=16, jitter=0.5)
    least = min(2 ** (failures - 1), 16)
    for _ in range(50):
        assert least <= policy.wait_s(failures) <= least * 1.5


def test_waits_differ_so_that_many_callers_do_not_come_back_in_step() -> None:
    waits = {RetryPolicy().wait_s(1) for _ in range(20)}
    assert len(waits) > 10


def test_a_deadline_lets_nobody_sleep_beyond_it() -> None:
    slept: list[float] = []
    deadline = Deadline(10, sleep=slept.append)
    assert deadline.sleep(1)
    assert not deadline.sleep(11)
    assert slept == [1]


def test_time_that_is_left_only_shrinks_and_ends_at_nothing() -> None:
    left = [Deadline(5).left_s(), Deadline(0).left_s(), Deadline(-3).left_s()]
    assert all(before >= after for before, after in pairwise(left))
    assert left[1:] == [0, 0]


def test_attempts_wait_longer_each_time_and_end_with_the_last_fault() -> None:
    slept: list[float] = []
    attempts = Attempts(RetryPolicy(tries=3, jitter=0), Deadline(60, sleep=slept.append))
    faults = [PlatformTransient(str(number)) for number in range(3)]
    for fault in faults[:2]:
        attempts.again(fault)
    with pytest.raises(PlatformTransient) as told:
        attempts.again(faults[2])
    assert told.value is faults[2]
    assert slept == [1, 2]


def test_attempts_end_where_there_is_no_time_for_the_next() -> None:
    fault = PlatformTransient("no")
    with pytest.raises(PlatformTransient) as told:
        Attempts(RetryPolicy(), Deadline(0.5)).again(fault)
    assert told.value is fault


def test_being_out_of_time_is_a_fault_only_after_one() -> None:
    attempts = Attempts(RetryPolicy(), Deadline(60, sleep=lambda _: None))
    with pytest.raises(OutOfTimeError):
        attempts.out_of_time()
    fault = PlatformTransient("no")
    attempts.again(fault)
    with pytest.raises(PlatformTransient) as told:
        attempts.out_of_time()
    assert told.value is fault
