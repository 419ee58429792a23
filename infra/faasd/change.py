"""From one release to another, and back.

upgrade   1. a backup   2. the new images   3. the migrations   4. the functions, one at a time: one that does not
          answer brings the old ones back   5. the services: ones that do not answer bring everything back
rollback  the functions and services of the release before. Its code runs on the newer database unless a migration
          was destructive: then the backup of that upgrade has to take the database's place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.deployment import secrets
from infra.deployment.secrets import DATABASE
from infra.deployment.stackfile import read_functions
from infra.faasd import backups, files, functions, history, machine, migrations, prepare, status
from infra.faasd import choices as chosen
from infra.faasd.choices import Choices
from infra.faasd.errors import MachineFault
from infra.faasd.functions import Platform
from infra.faasd.history import Change
from infra.faasd.layout import BACKUPS, BRIDGE, ETC, RELEASES, SECRETS, STATE

Say = Callable[[str], None]
# What runs the release's code besides the functions, in the order of starting.
_OURS = ("adloom-sandbox.service", "adloom-connector.service", "adloom-dashboard.service", "adloom-caddy.service")


def stage(folder: Path, images: Path | None) -> str:
    """Lay a release beside the others, with its packages; its version."""
    brought = ["--images", str(images)] if images else []
    words = machine.run([folder / "infra" / "faasd" / "install.sh", "--stage", *brought])
    version = words.splitlines()[-1].removeprefix("the release ").split()[0]
    if not (RELEASES / version).is_dir():
        raise MachineFault(f"{folder} could not be staged: {words}")
    return version


def upgrade(version: str, say: Say) -> None:
    """Change to a release that was staged. This runs from the new release's own code."""
    choices = chosen.read()
    old, new = _platform(choices, history.current().name), _platform(choices, version)
    if old.version == new.version:
        say(f"{version} is installed already")
        return
    _new_secrets(choices, new, say)
    admin_url = machine.secret("admin-database-url")
    before = migrations.current(admin_url)
    folder = new.release / "migrations"
    coming = migrations.between(folder, before, migrations.head(folder))
    change = Change(old.version, version, before, str(back_up(say)), tuple(migrations.destructive(folder, coming)))
    if change.destructive:
        say(f"{', '.join(change.destructive)}: the way back from here is the backup {change.backup}")
    new.log_in()
    new.hand_out_secrets()
    new.build(new.functions())
    prepare.prepare(choices)
    history.write([*history.read(), change])
    try:
        functions.deploy(new, say)
        _services(choices, new, say)
    except MachineFault as fault:
        raise _undone(choices, old, change, fault, say) from fault
    say(f"{version} runs")


def rollback(say: Say, *, restore_backup: bool, identity: Path | None) -> None:
    """Back to the release before the last upgrade."""
    changes = history.read()
    if not changes:
        raise MachineFault("There is no upgrade to take back.")
    change = changes[-1]
    if change.destructive and not restore_backup:
        raise MachineFault(
            f"The migrations {', '.join(change.destructive)} of {change.new} took away what {change.old} needs. With "
            f"--restore-backup the database becomes again what {change.backup} holds; what came since is set aside."
        )
    choices = chosen.read()
    old = _platform(choices, change.old)
    if restore_backup:
        _restore(choices, old, change, identity, say)
    old.log_in()
    old.build(old.functions())
    functions.deploy(old, say)
    _services(choices, old, say)
    history.write(changes[:-1])
    say(f"{change.old} runs")


def back_up(say: Say) -> Path:
    """Run the nightly backup now; its file."""
    before = set(BACKUPS.glob("adloom-*.age"))
    machine.systemctl("start", "adloom-backup.service")
    made = sorted(set(BACKUPS.glob("adloom-*.age")) - before)
    if not made:
        raise MachineFault("The backup wrote no file. See: journalctl --unit adloom-backup")
    say(f"backed up into {made[-1]}")
    return made[-1]


def _platform(choices: Choices, version: str) -> Platform:
    if not (RELEASES / version).is_dir():
        raise MachineFault(f"{RELEASES / version} is gone. Stage it again with its install.sh --stage.")
    return Platform(choices, RELEASES / version)


def _new_secrets(choices: Choices, new: Platform, say: Say) -> None:
    """A release may need secrets that the one before did not have, and backups know of its key rings."""
    words = [str(SECRETS), "--functions-reach", BRIDGE, "--services-reach", "127.0.0.1"]
    words += ["--postgres-port", str(choices.postgres_port), "--nats-store", str(STATE / "nats")]
    if secrets.main(words):
        raise MachineFault(f"{new.version} needs a secret that is missing; the line above names it.")
    for line in backups.settle_key(None):
        say(line)


def _services(choices: Choices, platform: Platform, say: Say) -> None:
    """Make a release the current one, with its units, and see that its services answer."""
    history.switch(platform.version)
    for line in files.write(choices, read_functions(platform.release / "stack.yml", platform.told)):
        say(line)
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", *[unit for unit in _OURS if (files.UNITS / unit).is_file()])
    machine.systemctl("start", "adloom.target")
    status.wait(choices)


def _undone(choices: Choices, old: Platform, change: Change, fault: MachineFault, say: Say) -> MachineFault:
    """Everything as before, but for the database where a migration was destructive."""
    if change.destructive:
        return MachineFault(
            f"{fault} The database is {change.new}'s by now, with which {change.old} does not run. Mend this and "
            "upgrade again, or go back with: adloomctl rollback --restore-backup"
        )
    say(f"{fault}; going back to {old.version}")
    functions.deploy(old, say)
    _services(choices, old, say)
    history.write(history.read()[:-1])
    return MachineFault(f"{fault} {old.version} runs again.")


def _restore(choices: Choices, old: Platform, change: Change, identity: Path | None, say: Say) -> None:
    """Set the database aside and fill a new one from the backup, with the old release's code."""
    if change.backup is None or not Path(change.backup).is_file():
        raise MachineFault(f"The backup {change.backup} is gone; put it back to its place first.")
    key = identity or ETC / "backup-identity"
    if not key.is_file():
        raise MachineFault(f"{key} is missing. Say --identity FILE: the key that opens the backups.")
    release = _restorer(old, change)
    users = ["adloom-connector.service", "adloom-dashboard.service"]
    machine.systemctl("stop", *users, *(["adloom-cron.service"] if choices.own_openfaas else []))
    aside = f"{DATABASE}_{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}"
    _rename_database(aside)
    say(f"the database of {change.new} is set aside as {aside}; drop it when nothing of it is missed")
    told = {**machine.environment(), "PYTHONPATH": f"{release}:{release}/shared", "ADLOOM_SECRETS_DIR": str(SECRETS)}
    python = str(release / "venv" / "bin" / "python")
    command = [python, "-m", "adloom.cli", "restore", change.backup, "--identity", str(key)]
    machine.watch(command, told=told, folder=release)
    if choices.own_openfaas:
        machine.systemctl("start", "adloom-cron.service")


def _restorer(old: Platform, change: Change) -> Path:
    """The release that ends at the backup's migration: a restore runs the migrations of the release that does it."""
    for release in (old.release, *sorted(RELEASES.iterdir())):
        folder = release / "migrations"
        if folder.is_dir() and migrations.head(folder) == change.before:
            return release
    raise MachineFault(f"No release in {RELEASES} ends at the migration {change.before}; stage the one that does.")


def _rename_database(aside: str) -> None:
    """Functions hold connections, which end here and come back to the new database."""
    server = make_conninfo(machine.secret("admin-database-url"), dbname="postgres", connect_timeout=10)
    with psycopg.connect(server, autocommit=True) as connection:
        old, new = sql.Identifier(DATABASE), sql.Identifier(aside)
        connection.execute(sql.SQL("alter database {} allow_connections false").format(old))
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (DATABASE,))
        connection.execute(sql.SQL("alter database {} rename to {}").format(old, new))
        connection.execute(sql.SQL("alter database {} allow_connections true").format(new))
