"""`adloom backup`, `adloom backup keygen`, `adloom backup verify`, `adloom restore`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adloom import audit
from adloom.audit import administration
from adloom.cli import progress
from adloom.cli.context import Session
from adloom.db import migrate
from adloom.errors import ConfigurationError, Conflict, InvalidRequest, Unavailable
from adloom.settings import load, secrets_folder

if TYPE_CHECKING:
    from adloom.backup.contents import Header, Manifest
    from adloom.backup.make import Made

REFUSED = 1
_MIB = 1 << 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

F = TypeVar("F", bound=Callable[..., None])


def _command(work: F) -> F:
    """Exit 1 where the answer is no: a damaged file, a database that is not empty. Other errors exit 3."""

    @functools.wraps(work)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            work(*arguments, **options)
        except (Conflict, InvalidRequest) as error:
            click.echo(f"adloom: {error.detail}", err=True)
            sys.exit(REFUSED)

    return run  # type: ignore[return-value]


@click.group("backup", invoke_without_command=True)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="The folder for the file.")
@click.option("--recipient", "recipients", multiple=True, help="Public key (age1...) that can open it; repeatable.")
@click.option("--keep", type=click.IntRange(min=1), help="Remove all but so many of the newest backups there.")
@click.pass_context
@_command
def backup(context: click.Context, folder: Path | None, recipients: tuple[str, ...], keep: int | None) -> None:
    """Write the database and the stored objects into one encrypted file."""
    if context.invoked_subcommand is not None:
        return
    _needs_age()
    from adloom.backup import keys, make
    from adloom.backup.settings import BACKUP, BackupSettings
    from adloom.storage import Storage

    session: Session = context.obj
    trail = _has_trail(session)
    session.become(BACKUP)
    settings = load(BackupSettings, BACKUP)
    folder = folder or settings.backup_folder
    public = recipients or tuple(filter(None, (settings.backup_recipient or "").split(",")))
    made = make.make(
        settings.database_url.get_secret_value(),
        Storage(settings),
        _told(folder, "Say with --to which folder the backup goes into, or set ADLOOM_BACKUP_FOLDER"),
        recipients=keys.recipients(
            _told(
                public,
                "Say with --recipient, or with the secret backup-recipient, who "
                "can open the backup: `adloom backup keygen FILE` makes a key pair",
            )
        ),
        rings=keys.present(),
        keep=keep,
        progress=progress.on_terminal(),
    )
    if trail:
        _note_backup(session, {"file": made.path.name, "bytes": made.size, "recipients": list(public)})
    _show(session, made)


def _show(session: Session, made: Made) -> None:
    rows = sum(made.rows.values())
    lines = [
        f"{made.path}: {made.size / _MIB:.1f} MB, {rows} rows of {len(made.rows)} tables, {made.objects} objects",
        *(f"removed {path}" for path in made.removed),
    ]
    document = {
        "file": str(made.path),
        "bytes": made.size,
        "rows": made.rows,
        "objects": made.objects,
        "removed": [str(path) for path in made.removed],
    }
    session.show(document, lines)


@backup.command("keygen")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
@_command
def keygen(session: Session, file: Path) -> None:
    """Make a key pair: the identity, which opens backups, into FILE; the public key is printed.

    Keep the file away from the server and from the backups. Whoever loses it has no backups.
    """
    _needs_age()
    from adloom.backup import keys

    recipient = keys.generate(file)
    session.show({"identity": str(file), "recipient": recipient}, [recipient])


@backup.command("verify")
@click.argument("file", type=_FILE)
@click.option("--identity", type=_FILE, help="The file that `keygen` wrote.")
@click.pass_obj
@_command
def verify(session: Session, file: Path, identity: Path | None) -> None:
    """Read a whole backup and compare it with its own sums; exit 1 when it is damaged."""
    _needs_age()
    from adloom.backup import read

    whole = read.walk(file, _identities(session, identity), read.Looking())
    session.show(_told_of(whole.header, whole.manifest), _lines(whole.header, whole.manifest, "is whole"))


@click.command("restore")
@click.argument("file", type=_FILE)
@click.option("--identity", type=_FILE, help="The file that `keygen` wrote.")
@click.option("--without-keys", is_flag=True, help="The old key rings are lost: connect every ad account again.")
@click.pass_obj
@_command
def restore(session: Session, file: Path, identity: Path | None, without_keys: bool) -> None:
    """Fill an empty database and bucket from a backup; refuses one that is not empty.

    Needs the secrets admin-database-url, s3-access-key, s3-secret-key and the key rings of the old server.
    """
    _needs_age()
    from adloom.backup import keys
    from adloom.backup import restore as restoring
    from adloom.backup.settings import RESTORE, RestoreSettings
    from adloom.storage import Storage

    session.become(RESTORE)
    settings = load(RestoreSettings, RESTORE)
    server = restoring.Server(
        settings.admin_database_url.get_secret_value(),
        Storage(settings),
        keys.present(),
        migrate.role_passwords(secrets_folder()),
    )
    whole = restoring.restore(
        file, _identities(session, identity), server, without_keys=without_keys, progress=progress.on_terminal()
    )
    said = {"backup_of": whole.header.made_at, "adloom": whole.header.adloom, "revision": whole.header.revision}
    administration.note(server.admin_url, "backup.restored", new=said)
    session.show(_told_of(whole.header, whole.manifest), _lines(whole.header, whole.manifest, "is restored"))


def _has_trail(session: Session) -> bool:
    """Whether this process may write events. The role that makes backups writes nothing at all, and where it is alone,
    as at night, a backup stands in the log and not in the audit trail. Before its migration there is no trail.
    """
    try:
        with session.database.system() as connection:
            return administration.has_trail(connection)
    except ConfigurationError:
        return False


def _note_backup(session: Session, said: dict[str, Any]) -> None:
    try:
        audit.note(session.database, "backup.made", org_id=None, new=said)
    except Unavailable as error:  # the backup itself is there
        click.echo(f"adloom: this backup is not in the audit trail: {error.detail}", err=True)


def _needs_age() -> None:
    try:
        import pyrage  # noqa: F401 - whether it is there
    except ModuleNotFoundError:
        raise ConfigurationError("Backups need the package pyrage: install the family `tools`") from None


def _identities(session: Session, file: Path | None) -> list[Any]:
    from adloom.backup import keys
    from adloom.backup.settings import RESTORE, IdentitySettings

    if file is not None:
        try:
            return keys.identities(file.read_text(encoding="utf-8"), str(file))
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"{file} cannot be read as a file with an identity") from None
    session.become(RESTORE)
    secret = load(IdentitySettings, RESTORE).backup_identity
    text = _told(secret, "Say with --identity which file opens the backup: the one that `keygen` wrote")
    return keys.identities(text.get_secret_value(), "The secret backup-identity")


T = TypeVar("T")


def _told(value: T | None, otherwise: str) -> T:
    if not value:
        raise ConfigurationError(otherwise)
    return value


def _told_of(header: Header, manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": header.made_at,
        "adloom": header.adloom,
        "revision": header.revision,
        "rows": {name: table.rows for name, table in manifest.tables.items()},
        "objects": manifest.objects.count,
        "object_bytes": manifest.objects.bytes,
    }


def _lines(header: Header, manifest: Manifest, verdict: str) -> list[str]:
    rows = sum(table.rows for table in manifest.tables.values())
    what = f"{rows} rows of {len(manifest.tables)} tables, {manifest.objects.count} objects"
    made_by = f"Adloom {header.adloom}, migration {header.revision}"
    return [f"The backup of {header.made_at} {verdict}: {what} ({made_by})."]
