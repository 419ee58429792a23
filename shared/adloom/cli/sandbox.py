"""`adloom sandbox clock`: move the business clock of a stack that runs on the sandbox."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from adloom import audit, clock
from adloom.cli.context import Session
from adloom.errors import Forbidden


@click.group()
def sandbox() -> None:
    """The sandbox's own knobs; refused where real platforms are connected."""


@sandbox.command("clock")
@click.argument("time", required=False)
@click.option("--rate", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Business seconds a second.")
@click.option("--real", is_flag=True, help="Back to the real clock.")
@click.pass_obj
def move(session: Session, time: str | None, rate: float, real: bool) -> None:
    """Show the business clock, or move it to an ISO TIME."""
    value = os.environ.get(clock.ENVIRONMENT_VARIABLE, "")
    if (time or real) and (session.settings.sandbox_url is None or not value.startswith("file:")):
        raise Forbidden("The business clock can be moved only where the sandbox is connected")
    path = Path(value.removeprefix("file:"))
    before = clock.now().isoformat(timespec="seconds")
    if real:
        path.unlink(missing_ok=True)
    elif time:
        try:
            start = datetime.fromisoformat(time)
        except ValueError:
            raise click.BadParameter(f"{time!r} is no ISO time, e.g. 2026-03-01T09:00:00+00:00") from None
        try:
            clock.move(path, start if start.tzinfo else start.replace(tzinfo=UTC), rate)
        except clock.InvalidClockError as error:
            raise click.BadParameter(str(error)) from None
    now = clock.now().isoformat(timespec="seconds")
    if time or real:
        old, new = {"now": before}, {"now": now, "rate": rate}
        audit.note(session.database, "sandbox.clock_moved", org_id=None, old=old, new=new)
    session.show({"now": now, "setting": str(clock.setting() or "real")}, [now])
