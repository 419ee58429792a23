"""Kills a process in one cell of the matrix and proves that nothing came of it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from adloom.failpoints import Failpoint
from tests.integration.kills.matrix import Cell, Outcome
from tests.integration.kills.stage import WINDOW_S, Stage

# Each finds what there must be none of.
NONE_OF = {
    "dead letters": "select count(*) from dead_letters",
    "events without a note of their effect": """
        select count(*) from outbox o
         where (o.subject = 'adloom.connections.connected' or o.subject like 'adloom.sync\\_%.requested')
           and not exists (
            select from inbox i where i.event_id = o.event_id
               and i.function = coalesce('sync-' || (o.envelope->'data'->>'platform'),
                                         replace(split_part(o.subject, '.', 2), '_', '-')))""",
    "restatements, though no number ever changed": "select count(*) from restatements",
    "changes of entities, though none ever changed": "select count(*) from entity_changes",
    "failed runs": "select count(*) from sync_runs where outcome = 'failed'",
    "days of an account stored by two runs": """
        select count(*) from sync_runs a join sync_runs b on a.account_id = b.account_id and a.run_id < b.run_id
           and a.kind = 'metrics' and b.kind = 'metrics' and a.since <= b.until and b.since <= a.until""",
    "accounts whose entities were stored by two runs": """
        select count(*) from (
            select from sync_runs where kind = 'entities' group by account_id having count(*) > 1) x""",
    "runs without exactly one event that tells of them": """
        select count(*) from (
            select from sync_runs r left join outbox o
                on o.subject = 'adloom.metrics.synced' and o.envelope->'data'->>'run_id' = r.run_id::text
             where r.kind = 'metrics' group by r.run_id having count(o.event_id) <> 1) x""",
    "events of runs that are not stored": """
        select count(*) from outbox o where o.subject = 'adloom.metrics.synced' and not exists (
            select from sync_runs r where r.run_id::text = o.envelope->'data'->>'run_id')""",
    "accounts found twice": "select count(*) - count(distinct (platform, external_id)) from ad_accounts",
    "days set aside": "select count(*) from sync_windows where aside_at is not null",
}
# What one sync leaves, whatever happened on the way; numbers that count up for ever are left out.
LEAVES = {
    "accounts": "select count(*) from ad_accounts",
    "connection events": "select count(*) from outbox where subject = 'adloom.connections.connected'",
    "requests of a new connection": """
        select count(*) from outbox where subject like 'adloom.sync\\_%.requested'
           and envelope->'data'->>'reason' = 'connected'""",
    "facts": """
        select count(*), md5(string_agg(concat_ws('|', a.external_id, m.level, m.entity_id, m.day, m.impressions,
               m.clicks, m.spend, m.conversions, m.conversion_value, m.video_views, m.reach, m.actions), ','
               order by a.external_id, m.level, m.day, m.entity_id))
          from metrics m join ad_accounts a using (account_id)""",
    "facts by the hour": """
        select count(*), md5(string_agg(concat_ws('|', a.external_id, m.level, m.entity_id, m.day, m.hour,
               m.impressions, m.clicks, m.spend, m.conversions, m.conversion_value), ','
               order by a.external_id, m.level, m.day, m.hour, m.entity_id))
          from metrics_hourly m join ad_accounts a using (account_id)""",
    "entities": """
        select count(*), md5(string_agg(concat_ws('|', a.external_id, e.level, e.external_id, e.parent_id, e.name,
               e.status, e.daily_budget, e.deleted_at), ',' order by a.external_id, e.level, e.external_id))
          from entities e join ad_accounts a using (account_id)""",
    "reconciliations": """
        select count(*), md5(string_agg(concat_ws('|', a.external_id, r.day, r.level, r.row_count, r.spend, r.state),
               ',' order by a.external_id, r.day, r.level))
          from reconciliations r join ad_accounts a using (account_id) where r.row_count > 0""",
}

# So slow that the redelivery comes while the call is still at work: that is what the account's lock is for.
_SLOW_S = 0.3

Leavings = dict[str, list[Any]]


def leavings(stage: Stage) -> Leavings:
    return {name: stage.admin(statement) for name, statement in LEAVES.items()}


def undisturbed(stage: Stage) -> Leavings:
    """What a sync leaves when nobody is killed."""
    stage.reset()
    stage.sync()
    stage.wait_done()
    return leavings(stage)


def kill(stage: Stage, cell: Cell, seed: int, should_be: Leavings, target: Path) -> Outcome:
    """Sync from nothing, kill in the middle, wait until all is done, and look."""
    began, nth = time.monotonic(), cell.nth(seed)
    stage.reset()
    stage.slow_down_platform(_SLOW_S if cell.is_call_orphaned else 0)
    reached_by = cell.reached_by(seed)
    victim = None if cell.process == reached_by else stage.stack.pid(cell.process)
    stage.arm(Failpoint(cell.point.failpoint, nth, victim, stage.stack.pid(reached_by)))
    stage.sync()
    stage.wait_fired()
    with stage.stack.without(cell.process) if cell.point.held else contextlib.nullcontext():
        if cell.point.held:
            time.sleep(WINDOW_S)
    stage.wait_done()
    stage.stack.wait_up(cell.process)
    comparison = stage.compare(target)
    faults = tuple(_faults(stage, cell, should_be))
    return Outcome(cell, nth, time.monotonic() - began, comparison.compared, comparison.differing, faults)


def _faults(stage: Stage, cell: Cell, should_be: Leavings) -> list[str]:
    found = []
    for what, statement in NONE_OF.items():
        ((count,),) = stage.admin(statement)
        if count:
            found.append(f"{count} {what}")
    found += [
        f"other {name} than an undisturbed sync" for name, is_ in leavings(stage).items() if is_ != should_be[name]
    ]
    # The function and its database lived on, and with them the call: its redelivery had to wait for it.
    if cell.is_call_orphaned and (twice := stage.days_read_twice()):
        found.append(f"{twice} days asked of the platform twice")
    return found
