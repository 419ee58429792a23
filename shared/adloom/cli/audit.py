"""`adloom audit verify`, `adloom audit archive`, `adloom audit export`, `adloom audit keys`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from adloom import audit as trail
from adloom.audit import archive as archiving
from adloom.audit import export as exporting
from adloom.audit import signing, store
from adloom.audit.verify import Report
from adloom.audit.verify import verify as look
from adloom.cli import progress
from adloom.cli.context import PROCESS, Session
from adloom.errors import Conflict
from adloom.settings import AuditSettings, StorageSettings, load
from adloom.storage import Storage

NO = 1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_PUBLIC = click.option(
    "--public-key", "public_keys", type=_FILE, multiple=True, help="Trust this key (PEM) in place of the secret's."
)


@click.group()
def audit() -> None:
    """The audit trail: who changed what, provably. See docs/audit.md."""


@audit.command("verify")
@_PUBLIC
@click.pass_obj
def verify(session: Session, public_keys: tuple[Path, ...]) -> None:
    """Look at every head, every archived file and every event; exit 1 when something was changed."""
    report = look(session.database, _storage(), _trust(public_keys), progress.on_terminal())
    document = asdict(report) | {"holds": not report.faults}
    session.show(document, _said(report))
    if not session.as_json:
        for warning in report.warnings:
            click.echo(f"adloom: {warning}", err=True)
    sys.exit(NO if report.faults else 0)


@audit.command("archive")
@click.pass_obj
def archive(session: Session) -> None:
    """Move the months that ended ninety days ago into the object storage, all of them; exit 1 when one has to stay."""
    keys = _keys()
    made = archiving.archive_due(session.database, _storage(), keys, progress=progress.on_terminal())
    problems = [each for each in store.duties(session.database) if each.duty == archiving.DUTY and each.problem]
    document = {
        "files": [part.statement() for part in made],
        "problem": problems[0].problem if problems else None,
    }
    lines = [f"{part.key}: {part.count} events" for part in made] or ["Nothing is due."]
    session.show(document, lines)
    if problems:
        click.echo(f"adloom: not everything could be archived ({problems[0].problem}); the rest stays", err=True)
        sys.exit(NO)


@audit.command("export")
@click.option("--deployment", is_flag=True, help="The deployment's own chain in place of the organisation's.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--since", type=_DAY, help="From this day on, UTC.")
@click.option("--until", type=_DAY, help="Before this day, UTC.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file; left out: standard output.")
@_PUBLIC
@click.pass_obj
def export(
    session: Session,
    deployment: bool,
    form: str,
    since: datetime | None,
    until: datetime | None,
    output: Path | None,
    public_keys: tuple[Path, ...],
) -> None:
    """Write a whole chain, the oldest event first, archived ones too. jsonl: the very records whose hashes count."""
    org_id = None if deployment else session.org_id
    storage, trust = _storage(), _trust(public_keys)
    trust.learn(storage)
    said = {"format": form, "since": since, "until": until}
    trail.note(session.database, "audit.exported", org_id=org_id, target=("audit", store.chain_of(org_id)), new=said)
    found = exporting.whole(session.database, storage, trust, store.chain_of(org_id))
    lines = exporting.written(_between(found, since, until), form, progress.on_terminal())
    try:
        count = _write(lines, output)
    except (Conflict, archiving.DamagedError) as error:
        why = error.detail if isinstance(error, Conflict) else f"An archived file was changed: {error}."
        click.echo(f"adloom: {why} What was written so far is not the whole.", err=True)
        sys.exit(NO)
    if output is not None:
        session.show({"file": str(output), "events": count}, [f"{output}: {count} events"])


@audit.command("keys")
@click.pass_obj
def keys(session: Session) -> None:
    """Print the public keys of the secret audit-key, the one that signs first: give them to whoever verifies."""
    found = {known: signing.pem(public) for known, public in _keys().publics.items()}
    session.show(found, [f"# {known}\n{text}" for known, text in found.items()])


def _keys() -> signing.SigningKeys:
    return signing.SigningKeys(load(AuditSettings, PROCESS).audit_key.get_secret_value())


def _storage() -> Storage:
    return Storage(load(StorageSettings, PROCESS))


def _trust(files: tuple[Path, ...]) -> signing.Trust:
    if not files:
        return signing.Trust(_keys().publics)
    publics = [signing.read_public(file.read_text(encoding="ascii", errors="replace")) for file in files]
    return signing.Trust({signing.key_id(public): public for public in publics})


def _between(
    found: Iterator[tuple[str, bytes]], since: datetime | None, until: datetime | None
) -> Iterator[tuple[str, bytes]]:
    """Times are compared as text: records write them all alike."""
    first = since.isoformat() if since else ""
    end = until.isoformat() if until else "~"
    return (each for each in found if first <= str(json.loads(each[0])["at"]) < end)


def _write(lines: Iterator[tuple[str, int]], output: Path | None) -> int:
    """Write the lines; how many events they are."""
    count = 0
    with click.open_file(str(output or "-"), "w", encoding="utf-8") as target:
        for line, count in lines:  # noqa: B007 - the last count is wanted
            target.write(line)
    return count


def _said(report: Report) -> list[str]:
    lines = [
        f"chain {each.chain}: {each.events} events, {each.archived} of them archived, signed up to {each.signed}"
        for each in report.chains
    ]
    lines.append(f"heads: {report.heads}, the last of {report.last_head_at or 'never'}")
    lines += [f"WRONG {fault}" for fault in report.faults]
    if report.more_faults:
        lines.append(f"and {report.more_faults} more")
    return [*lines, "The trail was changed." if report.faults else "The trail holds."]
