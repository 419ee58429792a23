"""Whose share of the quota a window's calls come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from adloom.events.catalogue import SyncReason
from adloom.metrics import windows
from adloom.metrics.accounts import Synced
from adloom.metrics.schedule import Purpose
from adloom.platforms.model import Cadence, Days


@dataclass(frozen=True)
class Purposes:
    """The last days are a sync's, older ones that may have moved the night's, what lies behind is history. All that a
    person asked for is the person's.
    """

    today: date
    cadence: Cadence
    lookback_days: int | None
    is_asked: bool = False

    @classmethod
    def of_slice(cls, synced: Synced, cadence: Cadence, reason: SyncReason) -> Purposes:
        return cls(synced.today, cadence, synced.account.lookback_days, reason == "operator")

    def of(self, days: Days) -> Purpose:
        if self.is_asked:
            return "person"
        if days.since >= windows.recent(self.today, self.cadence).since:
            return "sync"
        moving = windows.restatement(self.today, None, self.cadence, self.lookback_days)
        return "night" if days.until >= moving.since else "history"
