"""`adloom events dead`, `adloom events replay` and `adloom events republish`."""

from __future__ import annotations

import sys

import click
from sqlalchemy import text

from adloom import audit
from adloom.cli.context import Session, table
from adloom.errors import NotFound

# How long the outbox keeps what was published.
OUTBOX_DAYS = 14

_DEAD = """
select letter_id, function, subject, account_id, attempts, last_status, last_error, dead_at, replay_requested_at
  from dead_letters where replayed_at is null order by letter_id
"""
_REPLAY = """
update dead_letters set replay_requested_at = now()
 where replayed_at is null and (:everything or letter_id = any (:ids)) returning letter_id
"""


@click.group()
def events() -> None:
    """Events that could not be delivered."""


@events.command("dead")
@click.pass_obj
def dead(session: Session) -> None:
    """List dead letters; exit 1 when there are some."""
    with session.reading() as connection:
        found = [dict(row) for row in connection.execute(text(_DEAD)).mappings()]
    headings = ("letter", "function", "subject", "account", "attempts", "status", "error")
    columns = ("letter_id", "function", "subject", "account_id", "attempts", "last_status", "last_error")
    rows = [[row[name] for name in columns] for row in found]
    session.show(found, table(headings, rows) if found else ["There are no dead letters."])
    sys.exit(1 if found else 0)


@events.command("replay")
@click.argument("letters", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Every dead letter of the organisation.")
@click.pass_obj
def replay(session: Session, letters: tuple[int, ...], everything: bool) -> None:
    """Deliver dead letters again, to the function that did not take them."""
    if not letters and not everything:
        raise click.UsageError("name the letters, or say --all")
    with session.reading() as connection:
        values = {"everything": everything, "ids": list(letters)}
        asked = set(connection.execute(text(_REPLAY), values).scalars())
        if asked:
            said = {"letters": sorted(asked)}
            audit.record(connection, "event.replayed", org_id=session.org_id, new=said)
    if missing := sorted(set(letters) - asked):
        raise NotFound(f"There is no open dead letter {', '.join(map(str, missing))}")
    session.show({"replayed": sorted(asked)}, [f"{len(asked)} letters will be delivered again."])


@events.command("republish")
@click.option(
    "--days",
    type=click.IntRange(1, OUTBOX_DAYS),
    default=OUTBOX_DAYS,
    show_default=True,
    help="Events that were published in these days.",
)
@click.pass_obj
def republish(session: Session, days: int) -> None:
    """Give the broker events again that it may have lost, of every organisation.

    For a broker whose disk is gone, and after a restore. An event that had its effect has none a second time.
    """
    with session.database.system() as connection:
        count = int(connection.execute(text("select outbox_republish(:days)"), {"days": days}).scalar_one())
        audit.record(connection, "event.republished", org_id=None, new={"days": days, "events": count})
    session.show({"republished": count}, [f"{count} events will be published again."])
