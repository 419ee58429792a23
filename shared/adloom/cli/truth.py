"""`adloom explain` and `adloom rates`: where numbers come from."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from adloom.cli.context import Session, table
from adloom.cli.data import account_ids
from adloom.cli.sync import DAY
from adloom.db.texts import storable
from adloom.metrics import health, provenance
from adloom.metrics import rates as exchange
from adloom.metrics.provenance import Explained, Version
from adloom.metrics.query import LEVELS, Level


@click.command()
@click.argument("account")
@click.argument("level", type=click.Choice(LEVELS))
@click.argument("entity_id", metavar="ID")
@click.argument("day", type=DAY)
@click.pass_obj
def explain(session: Session, account: str, level: Level, entity_id: str, day: datetime) -> None:
    """Say where a number comes from: the run, its query and zone, and what stood there before.

    ACCOUNT and ID are the platform's ids; of the level account ID is the account's own.
    """
    with session.reading() as connection:
        (account_id,) = account_ids(health.accounts(connection), (account,))
        # What a shell hands over need not be text.
        found = provenance.explain(connection, account_id, level, storable(entity_id), day.date())
    session.show(asdict(found), _lines(found))


def _lines(found: Explained) -> list[str]:
    name = f" {found.name}" if found.name else ""
    lines = [
        f"{found.level.replace('_', ' ')} {found.entity_id}{name} on {found.day}",
        f"{found.platform} account {found.account} {found.account_name}",
        "The day may still move." if found.is_provisional else "The day does not move any more.",
    ]
    if found.checked is not None:
        said = f": {found.checked.explanation}" if found.checked.explanation else ""
        at = found.checked.checked_at.isoformat(timespec="seconds")
        lines.append(f"Compared with the account's total at {at}: {found.checked.state}{said}")
    for version in found.versions:
        lines += ["", *_version(version)]
    return lines


def _version(version: Version) -> list[str]:
    source = version.source
    until = f"until {version.valid_to.isoformat(timespec='seconds')}" if version.valid_to else "and still"
    numbers = [f"{measure} {value}" for measure, value in version.numbers.items() if value is not None]
    pairs = {
        "run": f"{source.run_id}, days {source.since} to {source.until}",
        "API version": source.api_version,
        "fetched": source.fetched_at.isoformat(timespec="seconds") if source.fetched_at else "",
        "zone": source.timezone,
        "currency": source.currency,
        "attribution": source.attribution or "",
        "query": source.query,
    }
    head = f"From {version.valid_from.isoformat(timespec='seconds')} {until}: {', '.join(numbers)}"
    return [head, *(f"  {label:<12} {value}" for label, value in pairs.items())]


@click.command()
@click.pass_obj
def rates(session: Session) -> None:
    """Show which exchange rates there are, and how loading them went last."""
    with session.reading() as connection:
        known = exchange.known(connection)
    rows = [
        ("days", f"{known.first} to {known.last}" if known.first else "none"),
        ("currencies", ", ".join(("EUR", *known.currencies))),
        ("source", ", ".join(known.sources)),
        ("loaded", known.loaded_at.isoformat(timespec="minutes") if known.loaded_at else "never"),
        ("error", known.error),
    ]
    session.show(asdict(known), table(("what", "value"), rows))
