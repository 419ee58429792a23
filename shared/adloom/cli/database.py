"""`adloom db upgrade`, `adloom db downgrade`, `adloom db timescale`."""

from __future__ import annotations

import click

from adloom.audit import administration
from adloom.db import migrate
from adloom.settings import AdminDatabaseSettings, load


def _admin_url() -> str:
    return load(AdminDatabaseSettings, "admin").admin_database_url.get_secret_value()


@click.group("db")
def database() -> None:
    """The database's schema; needs the secret admin-database-url."""


@database.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to a revision (default: the newest)."""
    administration.upgrade(_admin_url(), revision)


@database.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="The data of what is taken down is gone. Go on?")
def downgrade(revision: str) -> None:
    """Take the schema down to a revision (`base`: everything)."""
    administration.downgrade(_admin_url(), revision)


@database.command("timescale")
def timescale() -> None:
    """Put the metrics on TimescaleDB, as far as this server has it: nothing is done twice."""
    for line in migrate.move_to_timescale(_admin_url()):
        click.echo(line)
