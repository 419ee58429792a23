"""`adloom operator-keys list`, `adloom operator-keys new` and `adloom operator-keys revoke`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from adloom.cli.context import Session, own_key_file, table


@click.group("operator-keys")
def operator_keys() -> None:
    """Keys with which somebody is the operator, in every organisation of this deployment.

    The deployment's own stands in the secret operator-key: `adloom` uses it, and each start registers it.
    """


@operator_keys.command("list")
@click.pass_obj
def every(session: Session) -> None:
    """List the keys, those that were revoked too."""
    found = session.call("auth", "GET", "/operator-keys", of_organisation=False)["keys"]
    headings = ("key", "name", "ends in", "made", "last used", "state")
    rows = [
        [each["key_id"], each["name"], each["last_four"], *_times(each, "created_at", "last_used_at"), _state(each)]
        for each in found
    ]
    session.show(found, table(headings, rows))


@operator_keys.command("new")
@click.argument("name")
@click.pass_obj
def new(session: Session, name: str) -> None:
    """Make another key, for the person or system that NAME says. It is printed this once."""
    made = session.call("auth", "POST", "/operator-keys", {"name": name}, repeatable=False, of_organisation=False)
    lines = [made["token"], "It is not shown again. Whoever has it is the operator."]
    session.show(made, lines)


@operator_keys.command("revoke")
@click.argument("key_id", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do not ask, not even about the key that this command uses.")
@click.pass_obj
def revoke(session: Session, key_id: UUID, *, yes: bool) -> None:
    """Revoke a key: it is dead at once, and stays so when Adloom is started again."""
    found = session.call("auth", "GET", "/operator-keys", of_organisation=False)["keys"]
    own = any(each["key_id"] == str(key_id) and each["current"] for each in found)
    if own and not yes:
        click.confirm("This command uses that key itself and will work no more without another. Go on?", abort=True)
    session.call("auth", "DELETE", f"/operator-keys/{key_id}", repeatable=False, of_organisation=False)
    lines = [f"{key_id} is revoked."]
    if own:
        file = own_key_file(session)
        lines += [f"Put another key into {file}, or remove that so that one is made, and start Adloom again."]
    session.show({"revoked": str(key_id)}, lines)


def _times(each: dict[str, Any], *names: str) -> list[str]:
    """Times to the minute, UTC."""
    return [(each[name] or "")[:16].replace("T", " ") for name in names]


def _state(each: dict[str, Any]) -> str:
    if each["revoked_at"]:
        return f"revoked {_times(each, 'revoked_at')[0]}"
    return "in use here" if each["current"] else "alive"
