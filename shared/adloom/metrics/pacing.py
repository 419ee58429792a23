"""The present cadence of a platform's accounts: settled now and then, and kept with its reason for people to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.metrics import schedule
from adloom.metrics.schedule import FIRST_NIGHT_CALLS, FIRST_SYNC_CALLS, USUAL, Demand, Pace, Reason
from adloom.metrics.sync import Sync

# Business clock. Counting what all accounts need is not for every minute.
SETTLED_FOR = timedelta(minutes=10)

log = logs.get(__name__)


@dataclass(frozen=True)
class Cadence:
    """How often a platform's accounts are synced, and why; business clock.

    `calls_allowed` are those that scheduled syncs may make in 24 hours, None where the platform does not say;
    `calls_needed` what the cadence takes. `since` is when it came to be so.
    """

    platform: str
    every: timedelta
    reason: Reason
    tier: str
    calls_allowed: int | None
    calls_needed: int
    since: datetime
    noted_at: datetime

    @property
    def is_stretched(self) -> bool:
        return self.every > USUAL


def cadences(connection: Connection) -> dict[str, Cadence]:
    """The present cadences by platform; a platform that was never synced has none."""
    return {
        row["platform"]: Cadence(**row) for row in connection.execute(text("select * from sync_paces()")).mappings()
    }


def every(connection: Connection, platform: str) -> timedelta:
    """How often the platform's accounts are due."""
    known = cadences(connection).get(platform)
    return known.every if known else USUAL


def settle(connection: Connection, sync: Sync) -> timedelta:
    """How often the platform's accounts are due, worked out anew where that was a while ago."""
    known, now = cadences(connection).get(sync.platform), clock.now()
    is_current = known is not None and known.tier == sync.quota.tier and timedelta(0) <= now - known.noted_at
    if known is not None and is_current and now - known.noted_at < SETTLED_FOR:
        return known.every
    before = Pace(known.every, known.reason, known.calls_needed) if known is not None and is_current else None
    demand, load_percent = _demand(connection, sync)
    pace = schedule.pace(demand, sync.quota, before, load_percent)
    if known is None or known.every != pace.every:
        log.info("cadence", platform=sync.platform, minutes=pace.every.total_seconds() / 60, reason=pace.reason)
    connection.execute(
        text("select note_pace(:platform, :every, :reason, :tier, :allowed, :needed, :now)"),
        {
            "platform": sync.platform,
            "every": pace.every,
            "reason": pace.reason,
            "tier": sync.quota.tier,
            "allowed": schedule.share(sync.quota, "sync"),
            "needed": pace.calls_per_day,
            "now": now,
        },
    )
    return pace.every


def _demand(connection: Connection, sync: Sync) -> tuple[Demand, float]:
    row = connection.execute(
        text("select accounts, sync_calls, night_calls, load_percent from sync_demand(:platform, :first, :night)"),
        {"platform": sync.platform, "first": FIRST_SYNC_CALLS, "night": FIRST_NIGHT_CALLS},
    ).one()
    return Demand(row.accounts, row.sync_calls, row.night_calls), row.load_percent
