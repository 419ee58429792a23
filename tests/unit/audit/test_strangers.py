"""What strangers cause again and again makes few events, and the number of the others is not lost."""

from __future__ import annotations

import threading

from adloom.audit.strangers import Repeats


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_first_of_a_minute_counts_and_the_next_one_says_how_many_there_were():
    clock = Clock()
    repeats = Repeats(clock)
    assert [repeats.first("a") for _ in range(5)] == [1, None, None, None, None]
    assert repeats.first("b") == 1
    clock.now += 59.9
    assert repeats.first("a") is None
    clock.now += 0.1
    assert repeats.first("a") == 6
    clock.now += 60
    assert repeats.first("a") == 1


def test_all_kinds_together_have_a_bound_and_what_members_cause_is_apart():
    clock = Clock()
    repeats = Repeats(clock, most=3)
    assert [repeats.first(number) for number in range(5)] == [1, 1, 1, None, None]
    assert repeats.first("member", by_stranger=False) == 1
    clock.now += 60
    assert repeats.first(4) == 2, "the one that was not taken is counted"


def test_memory_has_a_bound():
    repeats = Repeats(Clock(), keys=10)
    for number in range(1000):
        repeats.first(number, by_stranger=False)
    assert len(repeats._seen) == 10


def test_of_many_threads_one_counts():
    repeats, taken = Repeats(Clock()), []
    threads = [threading.Thread(target=lambda: taken.append(repeats.first("a"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=str) == [1] + [None] * 15
