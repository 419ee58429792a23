from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from adloom import clock


@pytest.fixture
def use(monkeypatch):
    return lambda value: monkeypatch.setenv(clock.ENVIRONMENT_VARIABLE, value)


def test_without_a_setting_the_business_clock_is_the_real_one(monkeypatch):
    monkeypatch.delenv(clock.ENVIRONMENT_VARIABLE, raising=False)
    assert abs(clock.now() - clock.real_now()) < timedelta(seconds=1)


def test_a_standing_clock_stands(use):
    use("2026-03-01T09:00:00+00:00,x0")
    first = clock.now()
    time.sleep(0.01)
    assert clock.now() == first == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_fast_clock_runs_from_its_anchor(use):
    use(f"2026-03-01T09:00:00+00:00,x60,@{time.time() - 60}")
    assert abs(clock.now() - datetime(2026, 3, 1, 10, tzinfo=UTC)) < timedelta(minutes=2)


def test_a_time_without_a_zone_is_utc(use):
    use("2026-03-01T09:00:00,x0")
    assert clock.now() == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_today_is_the_local_day_of_the_zone(use):
    use("2026-03-01T20:00:00+00:00,x0")
    assert clock.today("Asia/Tokyo").isoformat() == "2026-03-02"
    assert clock.today("America/Los_Angeles").isoformat() == "2026-03-01"


def test_the_real_clock_is_never_moved(use):
    use("2001-01-01T00:00:00+00:00,x0")
    assert clock.real_now().year > 2020


@pytest.mark.parametrize("value", ["tomorrow", "2026-03-01T09:00:00,fast", "2026-13-01", "2026-03-01,x-1"])
def test_a_clock_that_cannot_be_read_says_how_to_write_one(use, value):
    use(value)
    with pytest.raises(clock.InvalidClockError, match="write an ISO time"):
        clock.now()


def test_a_clock_file_is_followed_when_it_changes(use, tmp_path):
    path = tmp_path / "clock"
    use(f"file:{path}")
    assert abs(clock.now() - clock.real_now()) < timedelta(seconds=1), "no file is the real clock"
    clock.move(path, datetime(2026, 3, 1, tzinfo=UTC), rate=0)
    assert clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    clock.move(path, datetime(2027, 3, 1, tzinfo=UTC), rate=0)
    assert clock.now() == datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("rate", [0, 0.00001, 0.5, 1, 3600.25, 86_400, 1_000_000])
def test_every_rate_that_is_written_can_be_read(use, tmp_path, rate):
    path = tmp_path / "clock"
    use(f"file:{path}")
    clock.move(path, datetime(2026, 3, 1, tzinfo=UTC), rate)
    assert clock.now() >= datetime(2026, 3, 1, tzinfo=UTC)
    assert clock.parse(path.read_text(encoding="utf-8")).rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("start", "rate"),
    [
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), 1),
        (datetime(1, 1, 1, tzinfo=UTC), 1),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))), 1),
        (datetime(2026, 3, 1, tzinfo=UTC), float("nan")),
        (datetime(2026, 3, 1, tzinfo=UTC), float("inf")),
        (datetime(2026, 3, 1, tzinfo=UTC), -1),
    ],
)
def test_a_time_or_rate_that_no_clock_can_have_leaves_the_clock_as_it_was(use, tmp_path, start, rate):
    path = tmp_path / "clock"
    use(f"file:{path}")
    clock.move(path, datetime(2026, 3, 1, tzinfo=UTC), 0)
    with pytest.raises(clock.InvalidClockError, match="from 1971 to 2200"):
        clock.move(path, start, rate)
    assert clock.now() == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_clock_that_gets_to_the_end_of_its_range_stands_there(use):
    use("2199-12-31T23:59:59+00:00,x1000000,@1")
    assert clock.now() == clock.LATEST
