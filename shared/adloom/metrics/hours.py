"""Facts by the hour: which days are asked for, and making what is stored equal to what the platform delivered.

Today and yesterday are read again by every sync. Other days are owed once: eight weeks when an account is new, and the
days on which nobody looked. What is owed stays on `ad_accounts` until the window that holds the day is stored, in the
same transaction. Hours say nothing of how days change later: they are for pacing and for what is usual at an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from sqlalchemy import Connection, text

from adloom.errors import PlatformProtocolError
from adloom.metrics import staging
from adloom.metrics.columns import escaped
from adloom.metrics.store import Changes, Target
from adloom.metrics.windows import months_before
from adloom.platforms.model import TWICE, Days, HourFact, HourLevel

# Read again by every sync.
RECENT_DAYS = 2
# Read once of a new account: enough to know each hour of a week eight times.
FIRST_DAYS = 56
KEPT_MONTHS = 13
# Of so many days the rows are held in memory at once.
MOST_DAYS_AT_ONCE = 7
_LAST_HOUR = 23

_MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value")
_LIST = ", ".join(_MEASURES)
_NULL = r"\N"

_TABLE = """
create temporary table staged_hours (
    level text not null,
    entity_id text not null,
    day date not null,
    hour smallint not null,
    impressions bigint,
    clicks bigint,
    spend numeric,
    conversions numeric,
    conversion_value numeric
) on commit delete rows
"""
_COPY = f"copy pg_temp.staged_hours (level, entity_id, day, hour, {_LIST}) from stdin"
# The levels are named one by one so that the primary key's index is used.
_OF_ACCOUNT = "m.account_id = :account_id and m.level in ('account', 'campaign')"
_WINDOW = f"{_OF_ACCOUNT} and m.day = any (:days)"
_SAME = "s.level = m.level and s.day = m.day and s.entity_id = m.entity_id and s.hour = m.hour"
_DELETE = f"""
delete from visible_hourly m
 where {_WINDOW} and not exists (select from pg_temp.staged_hours s where {_SAME})
"""
_UPDATE = f"""
update visible_hourly m set {", ".join(f"{one} = s.{one}" for one in _MEASURES)}, run_id = :run_id
  from pg_temp.staged_hours s
 where {_WINDOW} and {_SAME}
   and ({", ".join(f"m.{one}" for one in _MEASURES)}) is distinct from ({", ".join(f"s.{one}" for one in _MEASURES)})
"""
_INSERT = f"""
insert into visible_hourly (account_id, org_id, level, entity_id, day, hour, {_LIST}, run_id)
select :account_id, :org_id, s.level, s.entity_id, s.day, s.hour, {", ".join(f"s.{one}" for one in _MEASURES)}, :run_id
  from pg_temp.staged_hours s
 where not exists (select from visible_hourly m where {_WINDOW} and {_SAME})
"""
_FORGET = f"delete from visible_hourly m where {_OF_ACCOUNT} and m.day < :day"
_SETTLE = """
update ad_accounts a
   set hours_owed = a.hours_owed - coalesce(
           (select range_agg(daterange(d, d + 1)) from unnest(cast(:days as date[])) d), '{}')
 where a.account_id = :account_id and a.hours_owed && daterange(:since, :until, '[]')
"""
_OWE = """
update ad_accounts set hours_owed = hours_owed + datemultirange(daterange(:since, :today, '[]')), hours_until = :today
 where account_id = :account_id and hours_until is distinct from :today
"""
_OWE_AGAIN = """
update ad_accounts set hours_owed = hours_owed + datemultirange(daterange(:since, :today, '[]'))
 where account_id = :account_id
"""
_OWED = """
select lower(r) as since, upper(r) - 1 as until
  from ad_accounts a cross join unnest(a.hours_owed) r where a.account_id = :account_id
"""


@dataclass(frozen=True)
class Wanted:
    """Of which days hours are asked for: those owed, and the last before and with `today`."""

    today: date
    owed: tuple[Days, ...] = ()

    def within(self, window: Days) -> list[Days]:
        """The days of a window, newest first, in pieces that fit into memory."""
        recent = Days(self.today - timedelta(RECENT_DAYS - 1), self.today)
        oldest = months_before(self.today, KEPT_MONTHS)
        found: list[Days] = []
        for day in reversed(list(window)):
            if day <= oldest or not any(one.since <= day <= one.until for one in (recent, *self.owed)):
                continue
            if found and found[-1].since == day + timedelta(1) and len(found[-1]) < MOST_DAYS_AT_ONCE:
                found[-1] = Days(day, found[-1].until)
            else:
                found.append(Days(day, day))
        return found


def wanted(connection: Connection, account_id: int, today: date) -> Wanted:
    """Which days an account's sync asks for, after noting those on which nobody looked."""
    known: date | None = connection.execute(
        text("select hours_until from ad_accounts where account_id = :account_id"), {"account_id": account_id}
    ).scalar_one()
    first = today - timedelta(FIRST_DAYS - 1)
    # The last day that was looked at had not ended, and the one before was still moving.
    since = first if known is None else min(max(known - timedelta(RECENT_DAYS - 1), first), today)
    connection.execute(text(_OWE), {"account_id": account_id, "since": since, "today": today})
    rows = connection.execute(text(_OWED), {"account_id": account_id})
    return Wanted(today, tuple(Days(row.since, row.until) for row in rows))


class HourIntake:
    """Some days of one account: drops rows that come twice and those of zeros, writes the rest as COPY text."""

    def __init__(self, days: Days) -> None:
        self._days = {day.isoformat() for day in days}
        self._seen: dict[tuple[str, str, str, int], int] = {}

    def lines(self, level: HourLevel, facts: Iterable[HourFact]) -> bytes:
        """COPY text of a page. PlatformProtocolError for what cannot be so."""
        found: list[str] = []
        for fact in facts:
            line = self._line(level, fact)
            if line is None:
                continue
            key, mark = (level, fact.entity_id, fact.day, fact.hour), hash(line)
            before = self._seen.get(key)
            if before is None:
                self._seen[key] = mark
                found.append(line)
            elif before != mark:
                raise _broken(f"two different rows of {level} {fact.entity_id} on {fact.day} at {fact.hour}", TWICE)
        return "".join(found).encode()

    def _line(self, level: HourLevel, fact: HourFact) -> str | None:
        entity_id, day, hour, *said = fact
        if day not in self._days:
            raise _broken(f"hours of {day}, which were not asked for", "days")
        if not 0 <= hour <= _LAST_HOUR:
            raise _broken(f"an hour {hour}, on {day}", "hour")
        numbers = _numbers(said, day)
        if not any(numbers):
            return None
        written = "\t".join(_NULL if number is None else str(number) for number in numbers)
        return f"{level}\t{escaped(entity_id)}\t{day}\t{hour}\t{written}\n"


def _numbers(said: list[str | None], day: str) -> list[int | Decimal | None]:
    impressions, clicks, *amounts = said
    try:
        counts = [None if one is None else int(one) for one in (impressions, clicks)]
        decimals = [None if one is None else Decimal(one) for one in amounts]
    except (ValueError, InvalidOperation):
        raise _broken(f"something that is no number, on {day}", "number") from None
    if any(one is not None and not one.is_finite() for one in decimals):
        raise _broken(f"something that is no number, on {day}", "number")
    return [*counts, *decimals]


def _broken(what: str, code: str) -> PlatformProtocolError:
    return PlatformProtocolError(f"The platform sent {what}", platform_code=code)


def prepare(connection: Connection) -> None:
    """Have the temporary table in this connection, empty."""
    staging.prepare(connection, "staged_hours", _TABLE)


def copy(connection: Connection, lines: bytes) -> None:
    """Add rows, as COPY text."""
    with staging.copying(connection, _COPY) as into:
        into.write(lines)


def owe_again(connection: Connection, account_id: int, today: date) -> None:
    """Ask once more for every day of which hours are stored."""
    first = connection.execute(
        text(f"select min(m.day) from visible_hourly m where {_OF_ACCOUNT}"), {"account_id": account_id}
    ).scalar_one()
    if first is not None:
        connection.execute(text(_OWE_AGAIN), {"account_id": account_id, "since": min(first, today), "today": today})


def replace(connection: Connection, target: Target, days: list[date], today: date) -> Changes:
    """Make these days' hours equal to the staged ones, owe them no more, and forget what is too old."""
    if not days:
        return Changes()
    values = {**target.values, "days": days}
    deleted = connection.execute(text(_DELETE), values).rowcount
    updated = connection.execute(text(_UPDATE), values).rowcount
    inserted = connection.execute(text(_INSERT), values).rowcount
    connection.execute(text(_SETTLE), values)
    if today in days:
        oldest = months_before(today, KEPT_MONTHS)
        connection.execute(text(_FORGET), {"account_id": target.account_id, "day": oldest})
    return Changes(inserted, updated, deleted)
