"""`adloom export metrics`, `hours` and `entities`, and `adloom reconcile`."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import IO

import click
from sqlalchemy import Connection

from adloom.cli.context import Session, table
from adloom.cli.sync import DAY
from adloom.errors import NotFound
from adloom.metrics import entity_export, health, hour_export, rates
from adloom.metrics import export as metrics_export
from adloom.metrics import reconcile as reconciling
from adloom.metrics.query import LEVELS, Level, Period
from adloom.platforms.model import HOUR_LEVELS, HourLevel


@click.group()
def export() -> None:
    """Write stored data out."""


@export.command("metrics")
@click.option("--level", type=click.Choice(LEVELS), required=True, help="One row per entity of this level and day.")
@click.option("--since", type=DAY, required=True, help="First local day.")
@click.option("--until", type=DAY, required=True, help="Last local day, inclusive.")
@click.option("--account", "accounts", multiple=True, help="Only this ad account, by the platform's id; repeatable.")
@click.option("--as-of", type=DAY, help="What stood at the end of this UTC day.")
@click.option("--currency", metavar="EUR", help="Convert amounts at their day's rate; without one they stay.")
@click.option("--provisional", is_flag=True, help="Say of each row whether its day may still move.")
@click.option("--provenance", is_flag=True, help="Name the run of each row: API version, query, zone, attribution.")
@click.option("--format", "form", type=click.Choice(("csv", "json")), default="csv", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8", atomic=True), default="-", help="A file; - is stdout.")
@click.pass_obj
def metrics(
    session: Session,
    level: Level,
    since: datetime,
    until: datetime,
    accounts: tuple[str, ...],
    as_of: datetime | None,
    currency: str | None,
    provisional: bool,
    provenance: bool,
    form: str,
    output: IO[str],
) -> None:
    """Write metrics in the columns of the facts format, as exact decimals."""
    if since > until:
        raise click.UsageError("--since is after --until")
    with session.reading() as connection:
        wanted = metrics_export.Wanted(
            level,
            Period(since.date(), until.date()),
            accounts=account_ids(health.accounts(connection), accounts),
            as_of=as_of.date() if as_of else None,
            currency=_currency(connection, currency),
            provisional=provisional,
            provenance=provenance,
        )
        rows = metrics_export.read(connection, wanted)
        if form == "json" or session.as_json:
            metrics_export.write_json(rows, output)
        else:
            metrics_export.write_csv(rows, output, wanted.columns)


@export.command("hours")
@click.option("--level", type=click.Choice(HOUR_LEVELS), required=True, help="One row per entity and hour of this.")
@click.option("--since", type=DAY, required=True, help="First local day.")
@click.option("--until", type=DAY, required=True, help="Last local day, inclusive.")
@click.option("--account", "accounts", multiple=True, help="Only this ad account, by the platform's id; repeatable.")
@click.option("--format", "form", type=click.Choice(("csv", "json")), default="csv", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8", atomic=True), default="-", help="A file; - is stdout.")
@click.pass_obj
def hours(
    session: Session,
    level: HourLevel,
    since: datetime,
    until: datetime,
    accounts: tuple[str, ...],
    form: str,
    output: IO[str],
) -> None:
    """Write facts by the hour in the columns of the facts format; they are kept for thirteen months."""
    if since > until:
        raise click.UsageError("--since is after --until")
    with session.reading() as connection:
        chosen = account_ids(health.accounts(connection), accounts)
        rows = hour_export.rows(connection, level, Period(since.date(), until.date()), accounts=chosen)
        if form == "json" or session.as_json:
            metrics_export.write_json(rows, output)
        else:
            metrics_export.write_csv(rows, output, hour_export.COLUMNS)


@export.command("entities")
@click.option("--account", "accounts", multiple=True, help="Only this ad account, by the platform's id; repeatable.")
@click.option("--format", "form", type=click.Choice(("csv", "json")), default="csv", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8", atomic=True), default="-", help="A file; - is stdout.")
@click.pass_obj
def entities(session: Session, accounts: tuple[str, ...], form: str, output: IO[str]) -> None:
    """Write accounts, campaigns, ad groups and ads, deleted ones too, in the columns of the facts format."""
    with session.reading() as connection:
        rows = entity_export.rows(connection, accounts=account_ids(health.accounts(connection), accounts))
        if form == "json" or session.as_json:
            metrics_export.write_json(rows, output)
        else:
            metrics_export.write_csv(rows, output, entity_export.COLUMNS)


def _currency(connection: Connection, wanted: str | None) -> str | None:
    """A currency in which amounts can be told; NotFound for one that has no rates."""
    if wanted is None:
        return None
    known = rates.known(connection)
    if wanted != "EUR" and wanted not in known.currencies:
        there = f"EUR, {', '.join(known.currencies)}" if known.currencies else "none: no rates were loaded yet"
        raise NotFound(f"There are no exchange rates of {wanted}. Those that there are: {there}")
    return wanted


def account_ids(known: list[health.Account], wanted: tuple[str, ...]) -> tuple[int, ...]:
    """Our ids of accounts that are named by the platform's; NotFound for a name that none has."""
    by_external = {item.external_id: item.account_id for item in known}
    if missing := [name for name in wanted if name not in by_external]:
        raise NotFound(f"There is no ad account {', '.join(missing)} here; `adloom sync status` lists them")
    return tuple(by_external[name] for name in wanted)


@click.command()
@click.option("--account", "accounts", multiple=True, help="Only this ad account, by the platform's id; repeatable.")
@click.pass_obj
def reconcile(session: Session, accounts: tuple[str, ...]) -> None:
    """Compare what is stored with what the platforms said, level by level and day by day.

    Exit 1 when a difference is not explained.
    """
    with session.reading() as connection:
        known = health.accounts(connection)
        chosen = account_ids(known, accounts)
        trust = health.trust(connection, chosen)
        found = reconciling.check(connection, chosen or None)
        explained = reconciling.explanations(connection, chosen or None)
    external = {item.account_id: item.external_id for item in known}
    headings = ("account", "day", "level", "measure", "platform", "stored", "kind")
    rows = [
        (external[one.account_id], str(one.day), one.level, one.measure, str(one.expected), str(one.found), one.kind)
        for one in found
    ]
    document = {
        "days_compared": trust.checked,
        "days_explained": trust.explained,
        "explained_by": explained,
        "differences": [dict(zip(headings, row, strict=True)) for row in rows],
    }
    lines = table(headings, rows) if rows else []
    lines += [f"{days} account-days explained: {why.replace('_', ' ')}" for why, days in explained.items()]
    lines.append(
        f"{trust.checked} account-days compared, {trust.explained} of them explained, {len(found)} cells differ"
    )
    session.show(document, lines)
    sys.exit(1 if found else 0)
