"""Days that cannot be read: whether one is set aside, so that the days behind it go on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from adloom import clock, logs
from adloom.errors import PlatformProtocolError, PlatformRejected, PlatformTransient, TooMuchData
from adloom.metrics import runs, windows
from adloom.metrics.accounts import Synced
from adloom.metrics.fetch import Broke
from adloom.metrics.sizes import Sizer
from adloom.metrics.sync import Sync
from adloom.platforms.model import TWICE, Days, Reader

# By then a window has been a single day for a while: the sizer's caution has seen to that.
SET_ASIDE_AFTER = 4
# What may be wrong with a day. Everything else is about the account, its connection, or the platform as a whole.
_OF_A_DAY = (PlatformTransient, PlatformProtocolError, PlatformRejected, TooMuchData)
# What is wrong with one row will be wrong with it the next time.
_OF_A_ROW = frozenset({"number", "days", TWICE, "value"})

log = logs.get(__name__)


@dataclass
class BadDays:
    """What one slice learns of days that cannot be read."""

    sync: Sync
    synced: Synced
    reader: Reader
    sizer: Sizer
    # A day that was set aside, and how many windows had been stored by then.
    _unproven: tuple[Broke, int] | None = field(default=None, init=False)

    def judge(self, broke: Broke, stored: int) -> Broke | None:
        """None when the list goes on, without a day or in smaller windows; else what ends the slice.

        `stored` is the number of windows that this slice has stored. Where the next window fails as well, the day was
        not to blame, and is put back.
        """
        if self._unproven is not None and self._unproven[1] == stored and isinstance(broke.error, _OF_A_DAY):
            first, _ = self._unproven
            if first.days is not None:
                with self._transaction() as connection:
                    windows.take_back(connection, self.synced.account_id, first.days)
            return first
        if broke.days is None or not isinstance(broke.error, _OF_A_DAY):
            return broke
        if len(broke.days) > 1:
            return self._narrow(broke, broke.days)
        return self._set_aside(broke, broke.days, stored)

    def _narrow(self, broke: Broke, days: Days) -> Broke | None:
        if _is_of_a_row(broke):
            self.sizer.too_much(len(days))
            return None
        return broke

    def _set_aside(self, broke: Broke, days: Days, stored: int) -> Broke | None:
        if not isinstance(broke.error, _OF_A_DAY):
            return broke
        account_id = self.synced.account_id
        with self._transaction() as connection:
            if windows.attempts(connection, account_id, days) + 1 < SET_ASIDE_AFTER:
                return broke
            windows.set_aside(connection, self.synced.org_id, account_id, days, now=clock.now(), error=broke.error)
            runs.failed(
                connection,
                self.synced,
                self.reader,
                kind="metrics",
                started_at=broke.started_at,
                business_at=broke.business_at,
                error=broke.error,
                days=days,
            )
        # A row that cannot be read is this day's fault, whatever the next one brings; so is what else goes wrong where
        # the platform has just given other days.
        self._unproven = None if stored or _is_of_a_row(broke) else (broke, stored)
        log.warning("day_set_aside", account_id=account_id, day=days.since.isoformat(), code=broke.error.code)
        return None

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self.sync.database.tenant(self.synced.org_id, str(self.synced.account_id))


def _is_of_a_row(broke: Broke) -> bool:
    return isinstance(broke.error, PlatformProtocolError) and broke.error.platform_code in _OF_A_ROW
