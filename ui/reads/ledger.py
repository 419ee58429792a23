"""The ledger: what was compared with the platforms, day by day, and the runs that wrote the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from adloom.metrics import health, pacing, restatement, run_log, set_aside
from adloom.metrics.health import Account, DifferingDay, LedgerDay
from adloom.metrics.pacing import Cadence
from adloom.metrics.restatement import Change, Lateness
from adloom.metrics.run_log import LoggedRun
from adloom.metrics.set_aside import SetAside
from ui.params import Params
from ui.reads.situation import Situation, situation

RUNS_SHOWN, CHANGES_SHOWN, DIFFERING_SHOWN = 12, 20, 30
_WORST_FIRST = {"unexplained": 0, "explained": 1, "match": 2}


@dataclass(frozen=True)
class LedgerLine:
    """A day of one account. `levels` by level name; the account's own is the platform's total."""

    day: date
    levels: dict[str, LedgerDay]

    @property
    def total(self) -> LedgerDay | None:
        return self.levels.get("account")

    @property
    def state(self) -> str:
        """The worst of its levels."""
        return min((entry.state for entry in self.levels.values()), key=lambda state: _WORST_FIRST.get(state, 0))

    @property
    def explanations(self) -> list[str]:
        return list(dict.fromkeys(entry.explanation for entry in self.levels.values() if entry.explanation))

    def difference(self, level: str) -> Decimal | None:
        """Spend of a level against the platform's total; None where that level was not compared."""
        entry, total = self.levels.get(level), self.total
        return None if entry is None or total is None else entry.spend - total.spend


@dataclass(frozen=True)
class Ledger:
    """What the page about the health of the data shows; `differing` are days of any account that nothing explains,
    `aside` those that are not read for now.
    """

    situation: Situation
    account: Account | None
    lines: Sequence[LedgerLine]
    runs: Sequence[LoggedRun]
    cadences: Mapping[str, Cadence]
    differing: Sequence[DifferingDay]
    lateness: Sequence[Lateness]
    changes: Sequence[Change]
    aside: Sequence[SetAside]


def ledger(connection: Connection, params: Params) -> Ledger:
    """One account's days: the chosen one, else the one that most needs looking at."""
    now = situation(connection, params)
    account = _account(now, params)
    if account is None:
        return Ledger(now, None, [], [], {}, [], [], [], [])
    days: dict[date, dict[str, LedgerDay]] = {}
    since, until, only = now.dates.period.since, now.dates.period.until, (account.account_id,)
    for entry in health.ledger(connection, account.account_id, since, until):
        days.setdefault(entry.day, {})[entry.level] = entry
    lines = [LedgerLine(day, levels) for day, levels in sorted(days.items(), reverse=True)]
    chosen = (account.account_id,) if params.account is not None else ()
    return Ledger(
        now,
        account,
        lines,
        run_log.latest(connection, chosen, RUNS_SHOWN),
        pacing.cadences(connection),
        health.differing(connection, DIFFERING_SHOWN),
        restatement.lateness(connection, since, until, only),
        restatement.changes(connection, since, until, only, most=CHANGES_SHOWN),
        set_aside.listed(connection),
    )


def _account(now: Situation, params: Params) -> Account | None:
    if not now.looked_at:
        return None
    if params.account is None:
        for need in now.needs:
            found = next((item for item in now.looked_at if item.account_id == need.account_id), None)
            if found is not None:
                return found
    return now.looked_at[0]
