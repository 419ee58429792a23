from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from infra.local.environment import Operator
from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.nightly import Backups

AT = time(3, 15)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def known(**times: str) -> Backups:
    return Backups(**{name: at(text).isoformat() if text[:1] == "2" else text for name, text in times.items()})


@pytest.mark.parametrize(
    ("backups", "now", "due"),
    [
        (known(since="2026-05-01T10:00"), "2026-05-01T10:00", False),
        (known(since="2026-05-01T10:00"), "2026-05-02T03:14", False),
        (known(since="2026-05-01T10:00"), "2026-05-02T03:15", True),
        (known(since="2026-05-01T10:00"), "2026-05-09T18:00", True),
        (known(since="2026-05-01T10:00", succeeded="2026-05-02T03:15:20"), "2026-05-02T23:59", False),
        (known(since="2026-05-01T10:00", succeeded="2026-05-02T03:15:20"), "2026-05-03T03:15", True),
        (known(since="2026-05-01T10:00", succeeded="2026-05-02T14:00"), "2026-05-03T03:10", False),
    ],
    ids=[
        "a new stack has time until the night",
        "and until the very minute",
        "then it is due",
        "nights that were slept through are made up for, once",
        "once a day",
        "and again the next",
        "one that was made up for by day does not move the hour",
    ],
)
def test_a_backup_is_due_when_its_time_came_by_since_the_last_good_one(backups, now, due):
    assert backups.is_due(at(now), AT) is due


def test_one_that_failed_is_tried_again_an_hour_later():
    failed = known(since="2026-05-01T10:00").ended(at("2026-05-02T03:16"), "the disk is full")
    assert not failed.is_due(at("2026-05-02T04:15"), AT)
    assert failed.is_due(at("2026-05-02T04:16"), AT)
    assert failed.ended(at("2026-05-02T04:17"), "").fault == ""


def test_a_failure_does_not_hide_the_last_good_one():
    good = known(since="2026-05-01T10:00").ended(at("2026-05-02T03:16"), "")
    failed = good.ended(at("2026-05-03T03:16"), "the disk is full")
    assert (failed.succeeded, failed.fault) == (good.succeeded, "the disk is full")


def test_what_is_known_outlives_the_stack_and_damage_begins_anew(tmp_path):
    home = Home(tmp_path)
    assert Backups.load(home) is None
    backups = known(since="2026-05-01T10:00").ended(at("2026-05-02T03:16"), "the disk is full")
    backups.save(home)
    assert Backups.load(home) == backups
    (tmp_path / "backups.json").write_text("{", encoding="utf-8")
    assert Backups.load(home) is None


def test_the_operator_sets_the_time_or_turns_it_off():
    assert Operator.read({}).backup_at == AT
    assert Operator.read({"ADLOOM_BACKUP_AT": "22:05"}).backup_at == time(22, 5)
    assert Operator.read({"ADLOOM_BACKUP_AT": "off"}).backup_at is None
    for wrong in ("25:00", "soon", "3"):
        with pytest.raises(RuntimeFault, match="ADLOOM_BACKUP_AT"):
            Operator.read({"ADLOOM_BACKUP_AT": wrong})
