"""The work list of an account: which local days are still to be fetched.

A row of `sync_windows` is a range of days with the moment at which somebody wanted them. The ranges of an account
never overlap. Asking for days again cuts them out of older ranges; a fetch that began after the asking cuts what it
stored out of what was asked for, in the transaction that stores it. So a request that comes while its days are being
fetched stays on the list, and what is being fetched is stored all the same.

A day that failed again and again is set aside with its error, so that the days behind it are read. It waits for the
next night, or for somebody who asks for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.errors import AdloomError
from adloom.platforms.model import Cadence, Days

_ONE_DAY_ATTEMPTS = 9


@dataclass(frozen=True)
class Pending:
    """A range that waits. `requested_at` is real time; `progress` what the platform's reader wants to be told again.
    `is_aside`: not now.
    """

    window_id: int
    days: Days
    requested_at: datetime
    attempts: int
    progress: dict[str, str]
    is_aside: bool = False


# Which days


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(day.day - 1), first_of_next - timedelta(1))


def clamped(days: Days, today: date, cadence: Cadence) -> Days | None:
    """The days that the platform still, or already, tells of."""
    since = max(days.since, months_before(today, cadence.history_months))
    until = min(days.until, today)
    return Days(since, until) if since <= until else None


def history(today: date, cadence: Cadence) -> Days:
    """Everything that the platform tells of. The fetch stops by itself before the account's birth."""
    return Days(months_before(today, cadence.history_months), today)


def recent(today: date, cadence: Cadence) -> Days:
    """What every sync reads again."""
    return Days(today - timedelta(cadence.recent_days - 1), today)


def restatement(today: date, last_synced: date | None, cadence: Cadence, lookback_days: int | None = None) -> Days:
    """What may have moved: the restatement window, or the account's own where that is longer, and longer by the days on
    which nobody looked.
    """
    last_look = min(last_synced or today, today)
    days = max(cadence.restatement_days, (lookback_days or 0) + 1)
    return Days(last_look - timedelta(days - 1), today)


def without(days: Days, taken: Days) -> list[Days]:
    """What is left of a range when another is taken out of it."""
    left = []
    if days.since < taken.since:
        left.append(Days(days.since, min(days.until, taken.since - timedelta(1))))
    if days.until > taken.until:
        left.append(Days(max(days.since, taken.until + timedelta(1)), days.until))
    return left


# The list in the database


def plan(connection: Connection, org_id: UUID, account_id: int, days: Days) -> int:
    """Ask for days in the caller's transaction; the number of ranges that wait afterwards.

    What is known of failed attempts and of reports under way goes over to the new range: else an account that is asked
    for more often than its report takes would never see one.
    """
    _lock(connection, account_id)
    attempts = 0
    progress: dict[str, str] = {}
    for known in _listed(connection, account_id):
        if _cut(connection, org_id, account_id, known, days, attempts=known.attempts):
            attempts, progress = max(attempts, known.attempts), progress | known.progress
    _insert(connection, org_id, account_id, days, attempts=attempts)
    if progress:
        remember(connection, account_id, days, progress)
    return _count(connection, account_id)


def done(connection: Connection, org_id: UUID, account_id: int, days: Days, as_of: datetime) -> bool:
    """Take fetched days off the list; False when nobody waits for any of them any more.

    `as_of` is the real time of the database before the fetch began: what was asked for later stays.
    """
    _lock(connection, account_id)
    wanted = [known for known in _listed(connection, account_id) if without(known.days, days) != [known.days]]
    for known in wanted:
        if known.requested_at <= as_of:
            _cut(connection, org_id, account_id, known, days, attempts=0)
    return bool(wanted)


def pending(connection: Connection, account_id: int) -> list[Pending]:
    """What waits, newest days first."""
    return [known for known in _listed(connection, account_id) if not known.is_aside]


def _listed(connection: Connection, account_id: int) -> list[Pending]:
    rows = connection.execute(
        text(
            "select window_id, since, until, requested_at, attempts, progress, aside_at is not null as is_aside"
            " from sync_windows where account_id = :account_id order by until desc"
        ),
        {"account_id": account_id},
    )
    return [
        Pending(r.window_id, Days(r.since, r.until), r.requested_at, r.attempts, r.progress, r.is_aside) for r in rows
    ]


def shrink(connection: Connection, account_id: int, window_id: int, within: Days | None) -> None:
    """Leave of a range what the platform tells of, which may be nothing."""
    values = {"account_id": account_id, "window_id": window_id}
    if within is None:
        connection.execute(
            text("delete from sync_windows where account_id = :account_id and window_id = :window_id"), values
        )
        return
    connection.execute(
        text(
            "update sync_windows set since = :since, until = :until"
            " where account_id = :account_id and window_id = :window_id"
        ),
        {**values, "since": within.since, "until": within.until},
    )


def failed(connection: Connection, account_id: int, days: Days) -> int:
    """Count a failed attempt on the ranges that hold any of these days; the most attempts of them."""
    rows = connection.execute(
        text(
            "update sync_windows set attempts = attempts + 1"
            " where account_id = :account_id and since <= :until and until >= :since returning attempts"
        ),
        {"account_id": account_id, "since": days.since, "until": days.until},
    )
    return max((row.attempts for row in rows), default=1)


def most_attempts(connection: Connection, account_id: int) -> int:
    """How often the range that failed most often has failed."""
    most = connection.execute(
        text(
            # A report that the platform prepares for one day can only be read for that day.
            "select coalesce(max(case when progress = '{}' then attempts else :one_day end), 0)"
            " from sync_windows where account_id = :account_id and aside_at is null"
        ),
        {"account_id": account_id, "one_day": _ONE_DAY_ATTEMPTS},
    )
    return int(most.scalar_one())


def set_aside(
    connection: Connection, org_id: UUID, account_id: int, days: Days, *, now: datetime, error: AdloomError
) -> None:
    """Let the list go on without these days, which failed with an error; `now` is business time."""
    _lock(connection, account_id)
    attempts = 0
    for known in pending(connection, account_id):
        if _cut(connection, org_id, account_id, known, days, attempts=0):
            attempts = max(attempts, known.attempts)
    _insert(connection, org_id, account_id, days, attempts=attempts + 1)
    connection.execute(
        text(
            "update sync_windows set aside_at = :now, error_code = :code, error_detail = :detail"
            " where account_id = :account_id and since = :since and until = :until"
        ),
        {
            "account_id": account_id,
            "since": days.since,
            "until": days.until,
            "now": now,
            "code": error.code,
            "detail": error.detail[:1000],
        },
    )


def take_back(connection: Connection, account_id: int, days: Days | None = None) -> None:
    """Put what was set aside on the list again: these days, or all."""
    connection.execute(
        text(
            "update sync_windows set aside_at = null, error_code = null, error_detail = null"
            " where account_id = :account_id and aside_at is not null"
            " and (cast(:since as date) is null or since = :since)"
        ),
        {"account_id": account_id, "since": days.since if days else None},
    )


def attempts(connection: Connection, account_id: int, days: Days) -> int:
    """How often the ranges that hold any of these days have failed."""
    most = connection.execute(
        text(
            "select coalesce(max(attempts), 0) from sync_windows"
            " where account_id = :account_id and since <= :until and until >= :since"
        ),
        {"account_id": account_id, "since": days.since, "until": days.until},
    )
    return int(most.scalar_one())


def remember(connection: Connection, account_id: int, days: Days, progress: dict[str, str]) -> None:
    """Keep what the reader wants to be told when it goes on with these days."""
    connection.execute(
        text(
            "update sync_windows set progress = cast(:progress as jsonb)"
            " where account_id = :account_id and since <= :until and until >= :since"
        ),
        {"account_id": account_id, "since": days.since, "until": days.until, "progress": json.dumps(progress)},
    )


def _lock(connection: Connection, account_id: int) -> None:
    """Planning and finishing of an account take turns."""
    connection.execute(
        text("select 1 from ad_accounts where account_id = :account_id for update"), {"account_id": account_id}
    )


def _cut(connection: Connection, org_id: UUID, account_id: int, known: Pending, taken: Days, *, attempts: int) -> bool:
    """Take days out of a waiting range; whether it held any of them. `attempts` are those of what is left."""
    left = without(known.days, taken)
    if left == [known.days]:
        return False
    shrink(connection, account_id, known.window_id, None)
    for days in left:
        _insert(connection, org_id, account_id, days, requested_at=known.requested_at, attempts=attempts)
    return True


def _insert(
    connection: Connection,
    org_id: UUID,
    account_id: int,
    days: Days,
    *,
    requested_at: datetime | None = None,
    attempts: int = 0,
) -> None:
    values: dict[str, Any] = {
        "org_id": org_id,
        "account_id": account_id,
        "since": days.since,
        "until": days.until,
        "requested_at": requested_at,
        "attempts": attempts,
    }
    connection.execute(
        text(
            "insert into sync_windows (org_id, account_id, since, until, requested_at, attempts)"
            " values (:org_id, :account_id, :since, :until, coalesce(:requested_at, now()), :attempts)"
        ),
        values,
    )


def _count(connection: Connection, account_id: int) -> int:
    counted = connection.execute(
        text("select count(*) from sync_windows where account_id = :account_id"), {"account_id": account_id}
    )
    return int(counted.scalar_one())
