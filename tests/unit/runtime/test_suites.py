"""Suites share the processors: as many at once as there is room for, and none is forgotten."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local import suites

Commands = list[list[str]]
# Says that it runs, waits for a file of another one, and ends with a status.
PROGRAM = """
import pathlib, sys, time
own, other, status = sys.argv[1:]
pathlib.Path(own).touch()
deadline = time.monotonic() + 60
while other and not pathlib.Path(other).exists():
    if time.monotonic() > deadline:
        sys.exit(9)
    time.sleep(0.01)
print(own.rpartition("/")[2], "ran")
sys.exit(int(status))
"""


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Commands]:
    """`suite("a", waits_for="b")` is a suite that ends when that one has begun."""

    def make(name: str, *, waits_for: str = "", status: int = 0) -> Commands:
        other = str(tmp_path / waits_for) if waits_for else ""
        return [[sys.executable, "-c", PROGRAM, str(tmp_path / name), other, str(status)]]

    return make


def test_what_has_room_begins_before_a_larger_one_that_has_none(
    suite: Callable[..., Commands], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = {
        "beside": suite("beside", waits_for="large"),
        "long": suite("long", waits_for="small"),
        "large": suite("large"),
        "small": suite("small"),
    }
    ended = suites.run_together(chosen, {"beside": 0, "long": 2, "large": 2}, places=3, logs=tmp_path / "logs")
    assert all(each.passed for each in ended)
    assert sorted(each.suite for each in ended) == sorted(chosen)
    said = capsys.readouterr().out
    begun = [line.removesuffix(" begins") for line in said.splitlines() if line.endswith(" begins")]
    assert begun == ["beside", "long", "small", "large"]
    assert all(f"== {name}\n{name} ran\n" in said for name in chosen)


def test_one_that_fails_is_told_and_the_others_run_all_the_same(suite: Callable[..., Commands], tmp_path: Path) -> None:
    chosen = {"first": suite("first", status=1), "second": suite("second")}
    ended = suites.run_together(chosen, {}, places=1, logs=tmp_path / "logs")
    assert [(each.suite, each.passed) for each in ended] == [("first", False), ("second", True)]


def test_one_that_is_larger_than_all_places_runs_alone(suite: Callable[..., Commands], tmp_path: Path) -> None:
    ended = suites.run_together({"huge": suite("huge")}, {"huge": 9}, places=2, logs=tmp_path / "logs")
    assert [each.passed for each in ended] == [True]


def test_every_suite_whose_processes_are_named_is_one() -> None:
    assert suites._PROCESSES.keys() <= suites.SUITES.keys()
    for name, processes in suites._PROCESSES.items():
        assert processes <= suites.PLACES
        if processes:
            assert ["-n", str(processes)] == [
                each for command in suites.SUITES[name] for each in command[command.index("-n") :][:2]
            ]
