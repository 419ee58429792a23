"""`python -m adloom.cli` and the `adloom` program."""

from __future__ import annotations

import getpass
import os
import socket
import sys

import click

from adloom import audit as audit_trail
from adloom import logs
from adloom.cli import audit, backup, connect, data, database, events, keys, operator, people, sandbox, sync, truth
from adloom.cli.context import FunctionRefusedError, Session, use_local_stack
from adloom.errors import AdloomError

NO, NOT_AVAILABLE = 1, 3


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--org", "organisation", help="Organisation by id or name, where there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.pass_context
def adloom(context: click.Context, organisation: str | None, as_json: bool) -> None:
    """Operate Adloom: sync, export, reconcile, people, events, backups, the audit trail."""
    context.obj = Session(organisation, as_json, local=bool(context.obj))
    audit_trail.set_actor(acting())
    context.call_on_close(context.obj.close)


adloom.add_command(sync.sync)
adloom.add_command(data.export)
adloom.add_command(data.reconcile)
adloom.add_command(truth.explain)
adloom.add_command(truth.rates)
adloom.add_command(people.user)
adloom.add_command(operator.operator_keys)
adloom.add_command(keys.keys)
adloom.add_command(connect.connect)
adloom.add_command(events.events)
adloom.add_command(database.database)
adloom.add_command(sandbox.sandbox)
adloom.add_command(backup.backup)
adloom.add_command(backup.restore)
adloom.add_command(audit.audit)


def acting() -> audit_trail.Actor:
    """Whoever has this shell: what commands do by themselves, and not through a function, stands under that name."""
    try:
        name = getpass.getuser()
    except OSError:  # a container may run as somebody whom its user list does not know
        name = f"uid {os.getuid()}"
    return audit_trail.Actor("command_line", f"{name}@{socket.gethostname()}")


def main() -> None:
    """Run a command; an error is one sentence on stderr and an exit code, never a trace."""
    try:
        with logs.on_stderr():
            adloom(prog_name="adloom", obj=use_local_stack())
    except FunctionRefusedError as refused:
        problem = refused.problem
        faults = "".join(f"\n  {fault['field']}: {fault['problem']}" for fault in problem.get("fields", ()))
        click.echo(f"adloom: {refused} ({problem.get('code', problem.get('status'))}){faults}", err=True)
        sys.exit(NOT_AVAILABLE if problem.get("retryable") else NO)
    except AdloomError as error:
        click.echo(f"adloom: {error.detail}", err=True)
        sys.exit(NOT_AVAILABLE)


if __name__ == "__main__":
    main()
