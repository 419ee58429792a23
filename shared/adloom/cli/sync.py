"""`adloom sync run` and `adloom sync status`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from sqlalchemy import text

from adloom.cli.context import FunctionRefusedError, Session, table
from adloom.metrics import health, pacing, set_aside
from adloom.metrics.pacing import Cadence
from adloom.metrics.schedule import USUAL

PLATFORMS = ("google", "meta", "tiktok")
POLL_S = 0.5
# Errors that waiting does not mend.
FINAL_CODES = frozenset({"connection_broken", "account_inaccessible", "platform_setup", "platform_not_set_up"})
DAY = click.DateTime(formats=["%Y-%m-%d"])

_LAST_RUNS = """
select distinct on (account_id) account_id, run_id, since, until, outcome, error_code, finished_at,
       rows_read, rows_inserted, rows_updated, rows_deleted
  from sync_runs where kind = 'metrics' order by account_id, run_id desc
"""


@click.group()
def sync() -> None:
    """Fetch numbers from the platforms, and see how that goes."""


@sync.command("run")
@click.option("--platform", type=click.Choice(PLATFORMS), help="Only this platform.")
@click.option("--account", "accounts", multiple=True, help="Only this ad account, by the platform's id; repeatable.")
@click.option("--since", type=DAY, help="First local day. Left out: as the schedule would.")
@click.option("--until", type=DAY, help="Last local day, inclusive. Left out: the account's today.")
@click.option("--wait", is_flag=True, help="Return when everything is stored, exit 1 when an account fails.")
@click.option("--timeout", type=click.FloatRange(min=1), default=3600, show_default=True, help="Seconds for --wait.")
@click.pass_obj
def run(
    session: Session,
    platform: str | None,
    accounts: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    wait: bool,
    timeout: float,
) -> None:
    """Plan a sync of accounts and start it."""
    if since and until and since > until:
        raise click.UsageError("--since is after --until")
    days = {name: day.date().isoformat() for name, day in (("since", since), ("until", until)) if day}
    planned = _plan(session, [platform] if platform else PLATFORMS, accounts, days)
    if wait:
        failed = _wait(session, {int(item["account_id"]) for item in planned}, timeout)
        _report(session)
        sys.exit(1 if failed else 0)
    lines = [f"{item['external_id']}: {item['windows']} windows planned" for item in planned]
    session.show({"planned": planned}, lines or ["There is no account to sync; connect a platform first."])


def _plan(
    session: Session, platforms: Sequence[str], names: Sequence[str], days: dict[str, Any]
) -> list[dict[str, Any]]:
    """Ask each platform's function for its accounts. One that refuses does not stop the others."""
    planned: list[dict[str, Any]] = []
    refused: list[FunctionRefusedError] = []
    for platform, body in _bodies(session, platforms, names):
        try:
            planned += session.call(f"sync-{platform}", "POST", "/runs", body | days)["planned"]
        except FunctionRefusedError as error:
            refused.append(error)
    if refused and (names or not planned):
        raise refused[0]
    for refusal in refused:
        click.echo(str(refusal), err=True)
    return planned


def _bodies(session: Session, platforms: Sequence[str], names: Sequence[str]) -> list[tuple[str, dict[str, list[str]]]]:
    """Which platform is asked for which accounts. Names that nobody has go to the first alone, which says so."""
    if not names:
        return [(platform, {}) for platform in platforms]
    with session.reading() as connection:
        found = [one for one in health.accounts(connection) if one.platform in platforms]
    known = {(one.platform, name) for one in found for name in (str(one.account_id), one.external_id)}
    unknown = [name for name in names if all((platform, name) not in known for platform in platforms)]
    if unknown:
        return [(platforms[0], {"accounts": unknown})]
    chosen = {platform: [name for name in names if (platform, name) in known] for platform in platforms}
    return [(platform, {"accounts": named}) for platform, named in chosen.items() if named]


@sync.command("status")
@click.pass_obj
def status(session: Session) -> None:
    """Show each account: how far it is, its last run, its error."""
    _report(session)


def _report(session: Session) -> None:
    with session.reading() as connection:
        found = health.accounts(connection)
        paces = pacing.cadences(connection)
        aside = set_aside.listed(connection)
        runs = {row["account_id"]: dict(row) for row in connection.execute(text(_LAST_RUNS)).mappings()}
    document = [
        _described(item, paces.get(item.platform), aside) | {"last_run": runs.get(item.account_id)} for item in found
    ]
    headings = ("platform", "account", "name", "pending", "aside", "every", "synced", "connection", "error")
    rows = [
        (
            item.platform,
            item.external_id,
            item.name,
            item.pending_windows,
            sum(one.account_id == item.account_id for one in aside),
            f"{_minutes(paces.get(item.platform)):g} min",
            item.last_synced_at and item.last_synced_at.isoformat(timespec="minutes"),
            item.connection_status,
            item.error_code,
        )
        for item in found
    ]
    stretched = [f"{name}: {_why(pace)}" for name, pace in sorted(paces.items()) if pace.is_stretched]
    session.show(document, [*table(headings, rows), *stretched])


def _described(item: health.Account, pace: Cadence | None, aside: list[set_aside.SetAside]) -> dict[str, Any]:
    return {
        "platform": item.platform,
        "account": item.external_id,
        "name": item.name,
        "currency": item.currency,
        "timezone": item.timezone,
        "last_synced_at": item.last_synced_at,
        "provisional_since": item.provisional_since,
        "pending_windows": item.pending_windows,
        "set_aside": [
            {"since": one.since, "until": one.until, "error_code": one.error_code, "error": one.error_detail}
            for one in aside
            if one.account_id == item.account_id
        ],
        "every_minutes": _minutes(pace),
        "cadence": _why(pace),
        "connection": item.connection_status,
        "error_code": item.error_code,
        "error": item.error_detail,
    }


def _minutes(cadence: Cadence | None) -> float:
    return (cadence.every if cadence else USUAL).total_seconds() / 60


def _why(cadence: Cadence | None) -> str:
    """Why the accounts of a platform are synced as often as they are."""
    if cadence is None or not cadence.is_stretched:
        return "as often as usual"
    if cadence.reason == "load":
        return "rarer, because the platform's headers say that the app is busy"
    return (
        f"rarer, because the level {cadence.tier} allows {cadence.calls_allowed} calls a day for it,"
        f" of which this takes {cadence.calls_needed}"
    )


def _wait(session: Session, planned: set[int], timeout: float) -> set[int]:
    """Wait until no planned account has windows left; returns the accounts that failed for good or in time."""
    deadline = time.monotonic() + timeout
    most = 0
    while True:
        with session.reading() as connection:
            open_ones = [
                one for one in health.accounts(connection) if one.account_id in planned and one.pending_windows
            ]
        failed = {one.account_id for one in open_ones if one.error_code in FINAL_CODES}
        left = sum(one.pending_windows for one in open_ones if one.account_id not in failed)
        most = max(most, left)
        _progress(most - left, most)
        if not left:
            return failed | _with_days_aside(session, planned)
        if time.monotonic() > deadline:
            click.echo(f"not done after {timeout:g} s: {left} windows are left", err=True)
            return {one.account_id for one in open_ones}
        time.sleep(POLL_S)


def _with_days_aside(session: Session, planned: set[int]) -> set[int]:
    """The accounts of which a day could not be read."""
    with session.reading() as connection:
        return {one.account_id for one in set_aside.listed(connection)} & planned


def _progress(done: int, whole: int) -> None:
    if sys.stderr.isatty() and whole:
        filled = 30 * done // whole
        click.echo(f"\r[{'#' * filled}{'-' * (30 - filled)}] {done}/{whole} windows", err=True, nl=done == whole)
