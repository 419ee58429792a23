"""The fetching thread: windows in order, halves where the platform wants them, an end that never hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest

from adloom.errors import PlatformProtocolError, PlatformRejected, PlatformTransient, TooMuchData
from adloom.metrics.fetch import QUEUE_BYTES, Begun, Broke, Fetcher, HourLines, Item, Lines, Whole
from adloom.metrics.hours import Wanted
from adloom.metrics.sizes import Sizer
from adloom.platforms.model import LEVELS, TRUNCATED, Account, Days, Entity, Fact, HourFact, HourLevel, Level

ACCOUNT = Account("11", "Shop", "EUR", "UTC", "active", None)
MARCH = Days(date(2026, 3, 1), date(2026, 3, 28))


@dataclass
class Platform:
    """A platform with one ad, which refuses windows of more than `most` days and fails on `fails_on`."""

    most: int = 1000
    fails_on: date | None = None
    silent_before: date = date(2000, 1, 1)
    asked: list[tuple[Level, Days]] = field(default_factory=list)
    requests: int = 0
    api_version: str = "v1"
    # The hours are too much above so many days, and refused altogether below one.
    most_hours: int = 1000
    hours_odd_on: date | None = None
    hours_asked: list[tuple[HourLevel, Days]] = field(default_factory=list)

    def facts(self, _account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        self.asked.append((level, days))
        self.requests += 1
        if len(days) > self.most:
            raise TooMuchData
        if self.fails_on in set(days):
            raise PlatformTransient("no")
        unsaid = (None,) * 7
        for day in days:
            if day >= self.silent_before:
                yield [Fact("1", "", "", "One", day.isoformat(), "5", *unsaid)]

    def hours(self, _account: Account, level: HourLevel, days: Days) -> Iterator[Iterable[HourFact]]:
        self.hours_asked.append((level, days))
        if self.most_hours < 1:
            raise PlatformRejected("no hours here")
        if self.hours_odd_on in set(days):
            raise PlatformProtocolError("two different rows", platform_code="twice")
        if len(days) > self.most_hours:
            raise TooMuchData
        yield [HourFact("1", day.isoformat(), 13, "5", None, None, None, None) for day in days]

    def attribution(self, account: Account) -> str:
        raise NotImplementedError

    def accounts(self) -> list[Account]:
        raise NotImplementedError

    def account(self, external_id: str) -> Account:
        raise NotImplementedError

    def entities(self, account: Account) -> Iterator[Entity]:
        raise NotImplementedError

    def query(self, level: Level) -> dict[str, object]:
        return {"since": min(days.since for asked, days in self.asked if asked == level)}

    def resume(self, state: dict[str, str]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


def fetcher(
    platform: Platform,
    *ranges: Days,
    born: date | None = None,
    may_begin: Callable[[Days], bool] = lambda _days: True,
    hours: Wanted | None = None,
) -> Fetcher:
    known: dict[Level, set[str]] = {level: set() for level in LEVELS}
    return Fetcher(platform, ACCOUNT, ranges, known, sizer=Sizer(), born=born, may_begin=may_begin, hours=hours)


def collect(made: Fetcher) -> list[Item]:
    with made:
        return list(made)


def windows(items: list[Item]) -> list[Days]:
    return [item.days for item in items if isinstance(item, Whole)]


def test_windows_come_whole_and_newest_first_with_every_level() -> None:
    platform = Platform()
    items = collect(fetcher(platform, MARCH))
    assert [len(days) for days in windows(items)] == [7, 21]
    assert windows(items)[0].until == MARCH.until
    assert [level for level, _ in platform.asked] == [*LEVELS, *LEVELS]
    first = items.index(next(item for item in items if isinstance(item, Whole)))
    assert isinstance(items[0], Begun)
    assert all(isinstance(item, Lines) for item in items[1:first])


def test_a_window_keeps_how_it_was_asked_for_while_the_next_one_is_read() -> None:
    first, second = (item for item in collect(fetcher(Platform(), MARCH)) if isinstance(item, Whole))
    assert first.days.since > second.days.since == MARCH.since
    assert first.query == {level: {"since": first.days.since} for level in LEVELS}
    assert second.query == {level: {"since": MARCH.since} for level in LEVELS}


def test_a_window_that_is_too_much_is_taken_back_and_asked_in_smaller_ones() -> None:
    platform = Platform(most=2)
    items = collect(fetcher(platform, Days(date(2026, 3, 1), date(2026, 3, 7))))
    assert [len(days) for days in windows(items)] == [1] * 7
    assert [len(days) for _, days in platform.asked][:2] == [7, 3]
    assert sum(isinstance(item, Begun) for item in items) == 7 + 2


def test_a_single_day_that_is_too_much_is_the_end() -> None:
    *_, last = collect(fetcher(Platform(most=0), Days(MARCH.since, MARCH.since)))
    assert isinstance(last, Broke)
    assert isinstance(last.error, TooMuchData)


def test_a_fault_ends_the_fetch_and_names_its_days() -> None:
    items = collect(fetcher(Platform(fails_on=date(2026, 3, 10)), MARCH))
    broke = items[-1]
    assert isinstance(broke, Broke)
    assert windows(items) == [Days(date(2026, 3, 22), date(2026, 3, 28))]
    assert broke.days == Days(date(2026, 3, 1), date(2026, 3, 21))


def test_no_window_begins_when_the_time_is_up() -> None:
    left = iter([True, False])
    assert len(windows(collect(fetcher(Platform(), MARCH, may_begin=lambda _days: next(left))))) == 1


def test_before_the_accounts_birth_one_empty_window_settles_the_rest() -> None:
    platform = Platform(silent_before=date(2026, 3, 20))
    long_ago = Days(date(2023, 3, 1), MARCH.until)
    items = collect(fetcher(platform, long_ago, born=date(2026, 3, 20)))
    last = items[-1]
    assert isinstance(last, Whole)
    assert last.days.since > long_ago.since
    assert last.settled == Days(long_ago.since, last.days.until)


def test_an_account_with_rows_from_before_its_birth_is_read_on() -> None:
    items = collect(fetcher(Platform(), Days(date(2025, 3, 1), MARCH.until), born=date(2026, 3, 20)))
    assert windows(items)[-1].since == date(2025, 3, 1)


def test_an_empty_window_after_the_birth_settles_only_itself() -> None:
    items = collect(fetcher(Platform(silent_before=date(2027, 1, 1)), MARCH, born=date(2026, 1, 1)))
    assert [item.settled for item in items if isinstance(item, Whole)] == windows(items)


def test_the_thread_does_not_run_ahead_without_bound_and_ends_when_nobody_reads_on() -> None:
    platform = Platform()
    made = fetcher(platform, Days(date(2024, 1, 1), date(2026, 3, 28)))
    began = time.monotonic()
    with made:
        next(iter(made))
        time.sleep(0.1)
        assert len(platform.asked) < 5
    assert time.monotonic() - began < 2
    assert not [thread for thread in threading.enumerate() if thread.name == "fetch"]


def test_of_large_pages_few_wait_and_all_come() -> None:
    page_bytes, made = QUEUE_BYTES // 8, [0]

    class Large(Platform):
        def facts(self, _account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
            for number in range(20 if level == "ad" else 0):
                made[0] += 1
                day, actions = days.since.isoformat(), b'"%b"' % (b"x" * page_bytes)
                yield [Fact(str(number), "", "", "One", day, "5", *(None,) * 6, actions)]

    ahead, taken = [], 0
    with fetcher(Large(), Days(MARCH.since, MARCH.since)) as items:
        for item in items:
            taken += isinstance(item, Lines)
            ahead.append(made[0] - taken)
            # Long enough for a thread that nothing holds to run to its end.
            time.sleep(0.01)
    assert taken == 20
    # Those that fit, the one that does not, and the one that was taken while this was counted.
    assert max(ahead) <= 10


def test_an_exception_that_is_no_platform_error_is_handed_over_too() -> None:
    class Wrong(Platform):
        def facts(self, *_: object) -> Iterator[Iterable[Fact]]:
            raise ZeroDivisionError

    (_, broke) = collect(fetcher(Wrong(), MARCH))
    assert isinstance(broke, Broke)
    with pytest.raises(ZeroDivisionError):
        raise broke.error


# Hours


def by_hour(items: list[Item]) -> list[str]:
    """The days of the rows by the hour of accounts, in the order in which they came."""
    lines = [line for item in items if isinstance(item, HourLines) for line in item.text.decode().splitlines()]
    return [line.split("\t")[2] for line in lines if line.startswith("account")]


def test_hours_of_the_last_two_days_come_with_their_window_and_no_others() -> None:
    platform = Platform()
    items = collect(fetcher(platform, MARCH, hours=Wanted(MARCH.until)))
    assert [item.hours for item in items if isinstance(item, Whole)] == [[date(2026, 3, 27), date(2026, 3, 28)], []]
    assert by_hour(items) == ["2026-03-27", "2026-03-28"]
    assert [level for level, _ in platform.hours_asked] == ["account", "campaign"]


def test_hours_that_are_owed_come_in_pieces_that_fit_into_memory() -> None:
    owed = Days(date(2026, 3, 5), MARCH.until)
    platform = Platform()
    items = collect(fetcher(platform, MARCH, hours=Wanted(MARCH.until, (owed,))))
    assert sorted(by_hour(items)) == [day.isoformat() for day in owed]
    assert max(len(days) for _, days in platform.hours_asked) == 7


def test_hours_that_are_too_much_are_asked_for_by_halves_and_the_day_s_own_facts_stay() -> None:
    week = Days(date(2026, 3, 22), MARCH.until)
    platform = Platform(most_hours=1)
    items = collect(fetcher(platform, week, hours=Wanted(MARCH.until, (week,))))
    assert sorted(by_hour(items)) == [day.isoformat() for day in week]
    assert windows(items) == [week]


def test_a_platform_that_refuses_hours_still_gives_days() -> None:
    items = collect(fetcher(Platform(most_hours=0), MARCH, hours=Wanted(MARCH.until)))
    assert [len(days) for days in windows(items)] == [7, 21]
    assert [item.hours for item in items if isinstance(item, Whole)] == [[], []]


def test_hours_older_than_they_are_kept_are_not_asked_for() -> None:
    old = Days(date(2025, 1, 31), date(2025, 2, 3))
    assert Wanted(date(2026, 3, 2), (old,)).within(old) == [Days(date(2025, 2, 3), date(2025, 2, 3))]


def test_hours_of_days_without_delivery_are_known_without_asking() -> None:
    week = Days(date(2026, 3, 22), MARCH.until)
    platform = Platform(silent_before=date(2026, 3, 29))
    items = collect(fetcher(platform, week, hours=Wanted(MARCH.until, (week,))))
    assert [sorted(item.hours) for item in items if isinstance(item, Whole)] == [list(week)]
    assert platform.hours_asked == []


# Numbers that move, and answers that are cut


@dataclass
class Moving(Platform):
    """Its ad's campaign says one more with every look until `stands_after` looks at the account were made."""

    stands_after: int = 2
    looks: int = 0
    final: int = 9
    moving_day: str = "2026-03-02"

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        for page in super().facts(account, level, days):
            yield [self._told(level, row) for row in page]
        self.looks += level == "account"

    def _told(self, level: Level, row: Fact) -> Fact:
        moves = level == "account" and row.day == self.moving_day
        return row._replace(branch="" if level == "account" else "c", clicks=str(self._clicks()) if moves else "9")

    def _clicks(self) -> int:
        return self.final if self.looks >= self.stands_after else self.looks


WEEK = Days(date(2026, 3, 1), date(2026, 3, 7))


def whole(items: list[Item]) -> list[Whole]:
    return [item for item in items if isinstance(item, Whole)]


def test_numbers_that_moved_while_they_were_read_are_read_once_more() -> None:
    platform = Moving(stands_after=2)
    (read,) = whole(collect(fetcher(platform, WEEK)))
    assert read.moved == frozenset()
    assert read.delivered["account"]["2026-03-02", ""].clicks == 9
    assert [level for level, _ in platform.asked] == [*LEVELS, "account", *LEVELS]


def test_numbers_that_go_on_moving_are_told_with_their_day() -> None:
    platform = Moving(stands_after=99)
    (read,) = whole(collect(fetcher(platform, WEEK)))
    assert read.moved == {"2026-03-02"}


def test_a_difference_that_stands_still_costs_one_question_and_has_not_moved() -> None:
    platform = Moving(stands_after=0, final=7)
    (read,) = whole(collect(fetcher(platform, WEEK)))
    assert read.moved == frozenset()
    assert [level for level, _ in platform.asked] == [*LEVELS, "account"]


@dataclass
class Cut(Platform):
    """It cuts the list of ads however few days are asked for."""

    code: str = TRUNCATED

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        yield from super().facts(account, level, days)
        if level == "ad":
            raise TooMuchData("the newest only", platform_code=self.code)


def test_rows_that_the_platform_never_gives_do_not_stop_the_account() -> None:
    days = Days(MARCH.since, MARCH.since)
    (read,) = whole(collect(fetcher(Cut(), days)))
    assert read.cut == {"ad"}
    assert set(read.delivered["ad"]) == {("2026-03-01", "")}
    *_, last = collect(fetcher(Cut(code=""), days))
    assert isinstance(last, Broke)


def test_hours_that_cannot_be_so_are_left_out_and_those_before_them_come() -> None:
    owed = Days(date(2026, 3, 15), MARCH.until)
    items = collect(fetcher(Platform(hours_odd_on=date(2026, 3, 28)), MARCH, hours=Wanted(MARCH.until, (owed,))))
    assert [len(days) for days in windows(items)] == [7, 21]
    assert sorted(by_hour(items)) == [day.isoformat() for day in Days(owed.since, date(2026, 3, 21))]
