"""Cadences fit the quota: whole days of 200 accounts are simulated at every tier, without a request."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from adloom.metrics import schedule
from adloom.metrics.schedule import USUAL, Demand, Pace
from adloom.platforms.google import quota as google
from adloom.platforms.meta import quota as meta
from adloom.platforms.quota import UNLIMITED, Quota
from adloom.platforms.tiktok import quota as tiktok
from tests.unit.metrics.quota_day import World, accounts, demand, settled

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
NOW = datetime(2026, 3, 7, 12, 7, tzinfo=UTC)
TWO_HUNDRED = Demand(200, sync_calls=200 * 12, night_calls=200 * 28)
EVERY_TIER = [*google.TIERS.values(), *tiktok.TIERS.values(), meta.QUOTA]
# What the platform itself counts: calls in any such time.
LIMITS = {
    "explorer": [(2_880, DAY)],
    "basic": [(15_000, DAY)],
    **{
        f"tiktok {name}": [(per_second, SECOND), (60 * per_second, MINUTE), (86_400 * per_second, DAY)]
        for name, per_second in (("basic", 10), ("advanced", 20), ("premium", 30), ("ultimate", 50))
    },
}


def limits(quota: Quota) -> list[tuple[int, timedelta]]:
    return LIMITS.get(f"tiktok {quota.tier}" if quota.per_second else quota.tier, [])


# Whole days


@pytest.mark.parametrize("quota", EVERY_TIER, ids=lambda quota: f"{quota.tier}-{quota.per_second or 'count'}")
def test_a_day_of_200_accounts_overruns_no_tier_and_is_fair(quota: Quota) -> None:
    world = settled(quota, 200, seed=7)
    every = schedule.pace(demand(world), quota).every
    day = World(quota, world).run(max(1.0, 2 * every / DAY))
    assert {pace.every for pace in day.paces} == {every}
    for most, span in limits(quota):
        assert day.most_in(span) <= most
    done = {number: day.syncs[number] + day.nights[number] for number in range(1, 201)}
    assert min(done.values()) >= 1
    assert max(done.values()) - min(done.values()) <= 1 + 0.05 * max(done.values())
    assert all(day.nights[number] for number in done), "somebody was never read as far back as numbers move"
    assert day.history, "nothing was left for history"
    assert day.put_off <= 0.1 * sum(done.values()), "the cadence does not fit the quota"
    assert max(day.queued[-120:]) <= 20, "the queue grows"


@pytest.mark.parametrize("tier", ["explorer", "basic"])
def test_200_accounts_that_come_all_at_once_overrun_nothing_and_all_get_their_turn(tier: str) -> None:
    """The cadence does not help on the first day, when everybody is due at once: the books do."""
    quota = google.TIERS[tier]
    day = World(quota, accounts(200, seed=7)).run(4)
    assert day.most_in(DAY) <= LIMITS[tier][0][0]
    assert all(day.nights[number] for number in range(1, 201))


def test_where_nothing_limits_them_all_accounts_are_synced_every_15_minutes() -> None:
    day = World(google.TIERS["standard"], accounts(200, seed=7)).run(1)
    assert {pace.every for pace in day.paces} == {USUAL}
    assert {day.syncs[number] + day.nights[number] for number in range(1, 201)} <= {95, 96}
    assert max(day.late) < 3 * MINUTE
    assert day.put_off == 0


def test_a_simulated_day_is_the_same_each_time() -> None:
    first, second = (World(google.TIERS["basic"], accounts(50, seed=3)).run(1) for _ in range(2))
    assert first == second


def test_without_the_books_a_quota_would_be_overrun() -> None:
    """The simulation is worth something: a scheduler that never asks for calls goes beyond the limit."""
    day = World(UNLIMITED, accounts(200, seed=7)).run(0.5)
    assert day.most_in(DAY) > 2_880


# The cadence


def test_the_cadence_stretches_with_the_accounts_and_shrinks_with_the_tier() -> None:
    def minutes(count: int, quota: Quota) -> float:
        return schedule.pace(Demand(count, count * 12, count * 28), quota).every / MINUTE

    assert minutes(1, google.TIERS["explorer"]) == 15
    assert minutes(20, google.TIERS["explorer"]) == 288
    assert minutes(200, google.TIERS["explorer"]) == 3 * 1440
    assert minutes(200, google.TIERS["basic"]) == 1440
    assert minutes(50, google.TIERS["basic"]) == 120
    assert minutes(200, google.TIERS["standard"]) == 15
    assert minutes(200, tiktok.TIERS["basic"]) == 15
    assert minutes(5_000, tiktok.TIERS["basic"]) == 480


@pytest.mark.parametrize("count", [1, 3, 10, 47, 200, 1_000])
@pytest.mark.parametrize("quota", EVERY_TIER, ids=lambda quota: f"{quota.tier}-{quota.per_second or 'count'}")
def test_what_a_cadence_takes_is_within_its_share_or_it_is_the_longest(count: int, quota: Quota) -> None:
    pace = schedule.pace(Demand(count, count * 12, count * 28), quota)
    allowed = schedule.share(quota, "sync")
    assert allowed is None or pace.calls_per_day <= allowed or pace.every == timedelta(days=30)
    assert pace.is_stretched == (pace.reason != "usual")


def test_a_cadence_gets_shorter_only_with_something_to_spare() -> None:
    quota = google.TIERS["basic"]
    before = schedule.pace(TWO_HUNDRED, quota)
    two_a_day, with_room = (Demand(200, sync_calls=(9_750 * part - 5_600) / 2, night_calls=5_600) for part in (1, 0.9))
    assert (before.every, schedule.pace(two_a_day, quota).every) == (DAY, 12 * HOUR)
    assert schedule.pace(two_a_day, quota, before).every == DAY
    assert schedule.pace(with_room, quota, before).every == 12 * HOUR


def test_shares_leave_something_for_people_and_never_more_than_all() -> None:
    quota = google.TIERS["explorer"]
    assert (schedule.share(quota, "sync"), schedule.share(quota, "night")) == (1872, 1872)
    assert (schedule.share(quota, "history"), schedule.share(quota, "person")) == (720, 2880)
    assert schedule.share(UNLIMITED, "sync") is None


def test_a_busy_platform_stretches_the_cadence_step_by_step_and_a_calm_one_takes_it_back() -> None:
    pace = schedule.pace(TWO_HUNDRED, meta.QUOTA)
    assert (pace.every, pace.reason) == (USUAL, "usual")
    for _ in range(3):
        pace = schedule.pace(TWO_HUNDRED, meta.QUOTA, pace, load_percent=80)
    assert (pace.every / MINUTE, pace.reason) == (20, "load")
    assert schedule.pace(TWO_HUNDRED, meta.QUOTA, pace, load_percent=60).every == pace.every
    for _ in range(3):
        pace = schedule.pace(TWO_HUNDRED, meta.QUOTA, pace, load_percent=10)
    assert pace == Pace(USUAL, "usual", pace.calls_per_day)


# Turns


@pytest.mark.parametrize("every", [USUAL, timedelta(hours=2), DAY, timedelta(days=5)])
def test_an_account_has_one_turn_in_each_cadence_at_a_fixed_time(every: timedelta) -> None:
    first = schedule.next_due(7, NOW, every)
    assert NOW < first <= NOW + 1.5 * every
    for late in (timedelta(), MINUTE, every / 3):
        assert schedule.next_due(7, first + late, every) == first + every


def test_a_turn_that_a_new_cadence_brings_close_is_left_out_where_calls_are_few() -> None:
    for number in range(1, 50):
        assert HOUR < schedule.next_due(number, NOW, 2 * HOUR) - NOW <= 3 * HOUR


def test_turns_of_200_accounts_are_spread_evenly() -> None:
    turns = Counter((schedule.next_due(number, NOW, USUAL) - NOW) // MINUTE for number in range(1, 201))
    assert len(turns) == 15
    assert max(turns.values()) <= 200 / 15 + 3


def test_what_is_measured_moves_what_was_known() -> None:
    assert schedule.measured(None, 10) == 10
    assert schedule.measured(10, 20) == pytest.approx(13)
