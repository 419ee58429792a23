"""How long a log-in takes beside the hash that it must compute, and the check of a session beside its query.

Nothing here asserts a time: the contestants take turns in one run, and their ratios tell. What is asserted is that each
did what it should.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench import page
from tests.bench.auth.rig import Arena, Times, arena

if TYPE_CHECKING:
    from tests.conftest import Postgres

ROUNDS = int(os.environ.get("ROUNDS", "10"))
# In the order in which they take turns: what is asked, how often a round, and what it is compared with.
CONTESTANTS = {
    "bare_hash": ("Argon2id alone, 64 MiB, t=3, p=4", 20, "bare_hash"),
    "log_in": ("**`POST /login`, known browser**", 20, "bare_hash"),
    "bare_query": ("the query alone, psycopg, prepared", 200, "bare_query"),
    "same_in_function": ("the same in the database's function, which notes the use", 200, "bare_query"),
    "check": ("**check of a session: SQLAlchemy, one statement**", 200, "bare_query"),
    "health": ("`GET /_/health`: HTTP alone", 100, "bare_query"),
    "who_am_i": ("`GET /session`: HTTP, limit, check, names", 100, "bare_query"),
}
_PART = Path(__file__).with_name("benchmarks.md.in")


def measure(one: Arena, rounds: int) -> Times:
    warming, times = Times(), Times()
    for contestant in CONTESTANTS:
        warming.take(contestant, getattr(one, contestant), 3)
    for _ in range(rounds):
        for contestant, (_label, often, _limit) in CONTESTANTS.items():
            times.take(contestant, getattr(one, contestant), often)
    return times


def report(times: Times) -> str:
    rows = [["", "median ms", "p95 ms", "median, of the bare", "p95, of the bare"]]
    for contestant, (label, _often, limit) in CONTESTANTS.items():
        own, bare = ([times.ms(name, percentile) for percentile in (50, 95)] for name in (contestant, limit))
        ratios = [f"{mine / theirs:.2f}" for mine, theirs in zip(own, bare, strict=True)]
        rows.append([label, *(f"{each:.2f}" for each in own), *ratios])
    return page.table(rows)


@pytest.mark.parametrize("rounds", [pytest.param(2, id="some"), pytest.param(ROUNDS, id="all", marks=pytest.mark.soak)])
def test_a_log_in_beside_its_hash_and_a_session_beside_its_query(
    postgres: Postgres, tmp_path: Path, rounds: int
) -> None:
    with arena(postgres, tmp_path) as one:
        times = measure(one, rounds)
    assert {name: len(taken) for name, taken in times.of.items()} == {
        name: often * rounds for name, (_label, often, _limit) in CONTESTANTS.items()
    }
    print(f"\n{page.made_with()}\n\n{report(times)}")
    if rounds == ROUNDS:
        text = _PART.read_text(encoding="utf-8")
        page.replace(text.format(rounds=rounds, heading=page.made_with(), table=report(times)))
