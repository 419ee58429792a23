"""`adloom user create`."""

from __future__ import annotations

import click

from adloom.cli.context import Session

ROLES = ("owner", "admin", "editor", "approver", "viewer")


@click.group()
def user() -> None:
    """People who may log in."""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
@click.password_option(help="12 to 128 characters; asked for when left out, so that it is in no history.")
@click.pass_obj
def create(session: Session, email: str, name: str, role: str, password: str) -> None:
    """Make a person of the organisation who can log in with a password."""
    body = {"email": email, "name": name, "role": role, "password": password}
    made = session.call("auth", "POST", "/users", body, repeatable=False)
    session.show(made, [f"{email} can log in as {role}."])


@user.command("reset-mfa")
@click.argument("email")
@click.pass_obj
def reset_mfa(session: Session, email: str) -> None:
    """Take away a lost second factor; all the person's sessions end. For an owner whom nobody else can help."""
    found = session.call("auth", "GET", "/members")["members"]
    wanted = [each["user_id"] for each in found if each["email"] == email.strip().lower()]
    if not wanted:
        raise click.ClickException(f"There is no member {email}.")
    session.call("auth", "DELETE", f"/members/{wanted[0]}/mfa")
    session.show({"user_id": wanted[0]}, [f"{email} logs in with the password alone, and sets up another factor then."])
