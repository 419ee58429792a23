"""Many accounts of three platforms at their cadence, on the real stack: who was late, and whether a queue grew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from click.testing import CliRunner

from adloom import clock
from adloom.cli.__main__ import adloom
from adloom.metrics.schedule import USUAL
from infra.local.stack import Stack
from infra.local.verify import Span
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from tests.integration.kills.stage import PARTS, environment

SEED = 5
LAST_DAY = date(2026, 3, 31)
POLL_S = 1.0
# Years of history take longer than a rehearsal with a faster clock, and no account is late for them.
NO_HISTORY = """
create function no_history() returns trigger language plpgsql as $$
begin
    new.since := greatest(new.since, new.until - 2);
    return new;
end
$$;
create trigger no_history before insert on sync_windows for each row execute function no_history();
"""
# Of each account since an instant: its syncs of the newest days, and the longest time without one.
GAPS = """
with runs as (
    select account_id, business_at as at from sync_runs
    where kind = 'metrics' and outcome = 'succeeded' and business_at > %(since)s
    and until >= (business_at at time zone timezone)::date - 1
), moments as (
    select account_id, at from runs
    union all select account_id, unnest(array[%(since)s, %(until)s]) from ad_accounts
), waits as (
    select account_id, at - lag(at) over (partition by account_id order by at) as wait from moments
)
select account_id, count(*) - 2, max(wait) from waits group by account_id
"""


@dataclass
class Seen:
    """`queued` are ranges of days that wait, sample by sample; `syncs` count by account; `longest` is the longest time
    of each account without a sync, the ends of the run included. Business time.
    """

    rounds: int
    queued: list[int] = field(default_factory=list)
    syncs: dict[int, int] = field(default_factory=dict)
    longest: dict[int, timedelta] = field(default_factory=dict)
    faults: list[tuple[str, int]] = field(default_factory=list)

    def most_queued(self, part: int) -> int:
        """The most that waited in one of the rounds, from 0."""
        length = len(self.queued) // self.rounds
        return max(self.queued[part * length : (part + 1) * length], default=0)

    @property
    def late(self) -> dict[int, timedelta]:
        """Accounts that were once without a sync for longer than a cadence and two ticks, or that missed a turn."""
        return {
            account: longest
            for account, longest in self.longest.items()
            if longest > USUAL + timedelta(minutes=3) or self.syncs[account] < self.rounds - 1
        }


class Fleet:
    """A stack whose accounts have all been read once; with history behind, theirs may still be on its way."""

    def __init__(self, stack: Stack, count: int, *, history: bool) -> None:
        self.stack = stack
        self.count = count
        self._history = history
        if not history:
            self.admin(NO_HISTORY)
        began = time.monotonic()
        with environment(stack.env("cli")):
            done = CliRunner().invoke(adloom, ["connect", "sandbox"])
        assert done.exit_code == 0, done.output
        self._wait(self._is_read, 900)
        # How long it takes this machine to sync every account once.
        self.first_read_s = time.monotonic() - began

    def run(self, cadence_s: float, rounds: int) -> Seen:
        """Let so many cadences pass, each in so many real seconds."""
        seen = Seen(rounds)
        start = self._now()
        self.stack.set_clock(start, rate=USUAL.total_seconds() / cadence_s)
        until = time.monotonic() + rounds * cadence_s
        while time.monotonic() < until:
            ((queued,),) = self.admin("select count(*) from sync_windows")
            seen.queued.append(queued)
            time.sleep(min(POLL_S, cadence_s / 20))
        for account, syncs, longest in self.admin(GAPS, since=start, until=start + rounds * USUAL):
            seen.syncs[account], seen.longest[account] = syncs, longest
        seen.faults = self.admin("select error_code, count(*) from sync_runs where outcome = 'failed' group by 1")
        return seen

    def _now(self) -> datetime:
        setting = clock.parse(self.stack.home.clock_file.read_text(encoding="utf-8"))
        assert setting is not None, "the stack has no clock of its own"
        return setting.at(time.time())

    def _is_read(self) -> bool:
        ((accounts, synced, waiting),) = self.admin(
            "select count(*), count(last_synced_at), (select count(*) from sync_windows) from ad_accounts"
        )
        return bool(accounts == synced == self.count and (self._history or waiting == 0))

    def admin(self, statement: str, **values: object) -> list[Any]:
        url = self.stack.secret("admin", "admin-database-url")
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    @staticmethod
    def _wait(reached: Callable[[], bool], patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while not reached():
            assert time.monotonic() < deadline, f"the accounts are not read within {patience_s:g} s"
            time.sleep(0.2)


@contextmanager
def open_fleet(
    home: Path, count: int, *, ads: int, days: int, history: bool = False, tiktok: str = "basic"
) -> Iterator[Fleet]:
    """So many accounts on all three platforms; Google at its Standard tier, TikTok at the one named.

    The business clock stands still until `run`. With history to fetch it goes as fast as the real one, as quotas are
    only granted with time.
    """
    acceptance.write(home / "facts", SEED, Size(accounts=count, ads=ads, days=days, until=LAST_DAY))
    start = Span.of(home / "facts").clock
    settings = {"ADLOOM_GOOGLE_ADS_TIER": "standard", "ADLOOM_TIKTOK_TIER": tiktok}
    with Stack(
        home / "home", parts=PARTS, facts=home / "facts", clock=start, rate=float(history), settings=settings
    ) as stack:
        yield Fleet(stack, count, history=history)
