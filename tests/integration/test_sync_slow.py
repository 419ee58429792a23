"""What takes longer than one call: reports that Meta prepares, and windows that do not come in time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from adloom import clock
from adloom.events import SyncMetaRequested
from adloom.metrics import planning, reconcile, slices
from tests.conftest import Postgres
from tests.integration.fault_cases import TOO_MUCH
from tests.integration.sync_rig import Rig, rig_in, sandbox_on
from tests.unit.sandbox.support import Sandbox, fact, facts

NOON = "2026-03-03T12:00:00+00:00"
ADS_NEVER_AT_ONCE = {
    "match": {"path": "^act_.*insights", "level": "ad", "method": "GET", "times": None},
    "fault": TOO_MUCH,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("slow")
    with sandbox_on(facts(folder / "facts", fact(), fact(ad_id="42")), folder, NOON) as started:
        yield started


@pytest.fixture
def rig(postgres: Postgres, shared: tuple[Sandbox, Path]) -> Iterator[Rig]:
    """A settled account whose one day is asked for again."""
    with rig_in(postgres, *shared) as made:
        made.at(NOON)
        made.sandbox.faults()
        made.settle()
        made.sandbox.control("DELETE", "requests")
        day = date(2026, 3, 1)
        planning.request(made.sync, org_id=made.org_id, account_scope="*", since=day, until=day)
        yield made


def run_slice(rig: Rig, *, seconds: float) -> None:
    """Deliver the one wake-up with less time than usual."""
    (envelope,) = rig.undelivered()
    event = SyncMetaRequested.model_validate(envelope["data"])
    slices.run(rig.sync, event, uuid.UUID(envelope["id"]), seconds=seconds)
    rig.accept(envelope)


def requests(rig: Rig, method: str) -> list[dict[str, Any]]:
    return [one for one in rig.sandbox.control("GET", "requests")["requests"] if one["method"] == method]


def assert_stored(rig: Rig) -> None:
    assert rig.rows("select * from sync_windows where org_id = %s") == []
    with rig.database.tenant(rig.org_id) as connection:
        assert reconcile.check(connection) == []


def test_a_report_that_is_not_done_in_time_is_read_by_a_later_slice_and_not_asked_for_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "BEGIN_WINDOWS_FOR_S", 0.0)
    # Six looks at the report take 23 s.
    monkeypatch.setattr(slices, "CALLS_FOR_S", 14.0)
    slow = {"match": {"path": "insights", "method": "POST"}, "fault": {"kind": "running_at_100", "polls": 6}}
    rig.sandbox.faults(ADS_NEVER_AT_ONCE, slow)
    run_slice(rig, seconds=1.0)
    (waiting,) = rig.rows("select progress, attempts from sync_windows where org_id = %s")
    assert list(waiting["progress"]) == ["ad 2026-03-01"]
    assert rig.undelivered() == [], "the tick comes back to it"
    (account,) = rig.rows("select error_code, next_due_at from ad_accounts where org_id = %s")
    assert account == {"error_code": None, "next_due_at": clock.now() + timedelta(minutes=1)}
    rig.at("2026-03-03T12:01:00+00:00")
    assert planning.tick(rig.sync) == 1
    rig.settle()
    assert len([one for one in requests(rig, "POST") if one["params"]["time_range"].count("2026-03-01") == 2]) == 1
    assert_stored(rig)


def test_a_report_that_says_100_percent_while_it_runs_is_not_read(rig: Rig) -> None:
    early = {"match": {"path": "insights", "method": "POST"}, "fault": {"kind": "running_at_100", "polls": 2}}
    rig.sandbox.faults(ADS_NEVER_AT_ONCE, early)
    rig.settle()
    reads = [one for one in requests(rig, "GET") if one["path"].endswith("/insights") and "act_" not in one["path"]]
    assert [one["status"] for one in reads] == [200]
    assert_stored(rig)


def test_a_report_that_was_skipped_is_asked_for_again(rig: Rig) -> None:
    rig.sandbox.faults(ADS_NEVER_AT_ONCE, {"match": {"path": "insights", "method": "POST"}, "fault": {"kind": "skip"}})
    rig.settle()
    assert len(requests(rig, "POST")) == 2
    assert_stored(rig)


def test_a_window_that_does_not_come_in_time_is_left_and_shorter_ones_follow_until_a_person_is_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "BEGIN_WINDOWS_FOR_S", 1.0)
    monkeypatch.setattr(slices, "CALLS_FOR_S", 1.0)
    drip = {
        "match": {"path": "^act_.*insights", "level": "campaign", "times": None},
        "fault": {"kind": "delay", "seconds": 2},
    }
    rig.sandbox.faults(drip)
    for attempt in range(1, slices.MOST_SLOW_ATTEMPTS + 1):
        run_slice(rig, seconds=0.8)
        assert rig.rows("select attempts from sync_windows where org_id = %s") == [{"attempts": attempt}]
    run_slice(rig, seconds=0.8)
    assert rig.one("select error_code from ad_accounts where org_id = %s") == "platform_slow"
    assert [one["type"] for one in rig.undelivered()] == ["adloom.metrics.sync_failed.v1"]
    rig.sandbox.faults()
    rig.at("2026-03-03T13:00:00+00:00")
    assert planning.tick(rig.sync) == 1
    rig.settle()
    assert_stored(rig)
