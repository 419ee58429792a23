"""`adloomctl status|upgrade|rollback`, and the steps that units and install.sh run."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import psycopg

from adloom.errors import AdloomError
from infra.deployment.stackfile import ROOT, read_functions
from infra.faasd import backups, change, choices, files, first, functions, history, machine, prepare, status
from infra.faasd.errors import MachineFault
from infra.faasd.layout import RELEASES, SECRETS


def main() -> int:
    options = _arguments()
    os.environ.setdefault("ADLOOM_SECRETS_DIR", str(SECRETS))
    if os.geteuid() != 0:
        print("adloomctl needs root; run it with sudo.", file=sys.stderr)
        return 1
    try:
        os.environ.update({name: value for name, value in machine.environment().items() if name != "PYTHONPATH"})
        return int(_ACTIONS[options.action](options) or 0)
    except MachineFault as fault:
        print(f"adloomctl {options.action}: {fault}", file=sys.stderr)
    except AdloomError as error:
        print(f"adloomctl {options.action}: {error.detail}", file=sys.stderr)
    except psycopg.OperationalError as error:
        print(f"adloomctl {options.action}: the database does not answer: {error}", file=sys.stderr)
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="adloomctl", description="Look after an installation of Adloom.")
    actions = parser.add_subparsers(dest="action", required=True)
    showing = actions.add_parser("status", help="whether everything runs and answers")
    showing.add_argument("--json", action="store_true")
    upgrading = actions.add_parser("upgrade", help="change to another release, after a backup")
    upgrading.add_argument("folder", type=Path, help="the folder of the new release")
    upgrading.add_argument("--images", type=Path, help="archives of its functions' images, where none can be built")
    back = actions.add_parser("rollback", help="back to the release before the last upgrade")
    back.add_argument("--restore-backup", action="store_true", help="with the database as it was then")
    back.add_argument("--identity", type=Path, help="the key that opens the backup, if it is not on this machine")
    actions.add_parser("switch", help="used by upgrade: change to a release that lies there").add_argument("version")
    actions.add_parser("files", help="used by install.sh: write every settings file")
    actions.add_parser("backup-key", help="used by install.sh: who can open the backups").add_argument(
        "recipient", nargs="?"
    )
    actions.add_parser("prepare", help="used by adloom-database.service: role, migrations, bucket")
    actions.add_parser("functions", help="used by adloom-functions.service: secrets, images, functions, first login")
    return parser.parse_args()


def _status(options: argparse.Namespace) -> int:
    return status.show(choices.read(), as_json=options.json)


def _upgrade(options: argparse.Namespace) -> None:
    """Stage the release, and let its own code do the rest."""
    if not machine.systemd_runs():
        raise MachineFault("systemd does not run here; an upgrade needs the running machine.")
    history.current()
    version = change.stage(options.folder.resolve(), options.images and options.images.resolve())
    program = RELEASES / version / "infra" / "faasd" / "adloomctl"
    os.execv(program, [str(program), "switch", version])  # noqa: S606 - the new release's own program


def _switch(options: argparse.Namespace) -> None:
    change.upgrade(options.version, _say)


def _rollback(options: argparse.Namespace) -> None:
    change.rollback(_say, restore_backup=options.restore_backup, identity=options.identity)


def _files(_options: argparse.Namespace) -> None:
    for line in files.write(choices.read(), read_functions(ROOT / "stack.yml", {})):
        _say(line)


def _backup_key(options: argparse.Namespace) -> None:
    for line in backups.settle_key(options.recipient):
        _say(line)


def _prepare(_options: argparse.Namespace) -> None:
    prepare.prepare(choices.read())


def _functions(_options: argparse.Namespace) -> None:
    chosen = choices.read()
    functions.bring_up(functions.Platform(chosen, history.current()), _say)
    first.log_in(chosen)


def _say(text: str) -> None:
    print(text, flush=True)


_ACTIONS = {
    "status": _status,
    "upgrade": _upgrade,
    "switch": _switch,
    "rollback": _rollback,
    "files": _files,
    "backup-key": _backup_key,
    "prepare": _prepare,
    "functions": _functions,
}

if __name__ == "__main__":
    sys.exit(main())
