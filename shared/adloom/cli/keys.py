"""`adloom keys rotate`: a new key for a ring, while everything runs.

1. A new key is put in front of the others, into every file of the ring: from now on it closes, and all open.
2. The function that may see the rows closes them again, round by round, until none is left of an older key.
3. After a while in which the longest request ends, a last round; then the older keys leave the files.

Whatever is interrupted goes on with the next call: a ring that has several keys has begun already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from cryptography.fernet import Fernet

from adloom.backup import keys as backup_keys
from adloom.cli import progress, ring_files
from adloom.cli.context import Session, local_home
from adloom.errors import Conflict, Unavailable
from adloom.keyring import Newest
from adloom.settings import secrets_folder

# Which function may see what a ring has closed.
FUNCTIONS = {"token": "oauth-callback", "mfa": "auth", "mail": "auth"}
# The longest request takes 60 s; files of a cluster's secrets come to its nodes within about 90.
SETTLE_S = 150
# So long a function may take to see the new key.
SEEN_WITHIN_S = 180
PAUSE_S = 1.0
MOST_ROUNDS = 100


@dataclass
class Rotated:
    ring: str
    files: int
    changed: int = 0
    lost: int = 0
    dropped: int = 0


@click.group()
def keys() -> None:
    """The rings of keys that encrypt what is in the database. See docs/connections.md."""


@keys.command("rotate")
@click.option("--ring", type=click.Choice(sorted(FUNCTIONS)), required=True, help="Whose key is to be a new one.")
@click.option(
    "--folder",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder with files of the ring, also below it; several are possible. Else those of this stack.",
)
@click.option("--settle", type=click.IntRange(0, 3600), default=SETTLE_S, show_default=True, help="Seconds of step 3.")
@click.option("--keep-old", is_flag=True, help="Leave the older keys in the files.")
@click.pass_obj
def rotate(session: Session, ring: str, folders: tuple[Path, ...], settle: int, *, keep_old: bool) -> None:
    """Encrypt everything of a ring by a new key, while everything runs."""
    files = ring_files.find(folders or _folders(session), f"{ring}-ring")
    keys_of = files.keys()
    done = Rotated(ring, len(files.paths))
    if len(keys_of) == 1:
        keys_of = [Fernet.generate_key().decode(), *keys_of]
        _write(files, keys_of)
    newest = Newest(keys_of[0]).fingerprint
    show = progress.on_terminal()
    _turn_until_done(session, done, newest)
    for second in range(settle):
        show(f"seconds of {settle} for requests under way:", second)
        time.sleep(1)
    _turn_until_done(session, done, newest)
    if not keep_old:
        done.dropped = len(keys_of) - 1
        _write(files, keys_of[:1])
    session.show(vars(done), _said(done))


def _turn_until_done(session: Session, done: Rotated, newest: str) -> None:
    """Rounds until nothing is left that an older key has closed."""
    for _ in range(MOST_ROUNDS):
        turn = _seen(lambda: _turn(session, done.ring), newest)
        done.changed += turn["changed"]
        done.lost = turn["lost"]
        if not turn["left"] and not turn["changed"]:
            return
    raise Conflict("Rows keep changing, so all keys stay in the ring: call the command again.", code="rows_change")


def _seen(turn: Callable[[], dict[str, Any]], newest: str) -> dict[str, Any]:
    """The round of a function that sees the new key; Unavailable when it does not come to."""
    until = time.monotonic() + SEEN_WITHIN_S
    while (answer := turn())["newest"] != newest:
        if time.monotonic() > until:
            raise Unavailable(
                "The function does not see the new key: its secret is not one of the files that were written. Hand "
                "it out as it is now, with both keys, and call the command again with --folder.",
                code="ring_not_seen",
            )
        time.sleep(PAUSE_S)
    return answer


def _turn(session: Session, ring: str) -> dict[str, Any]:
    answer: dict[str, Any] = session.call(FUNCTIONS[ring], "POST", f"/rings/{ring}/rotation", of_organisation=False)
    return answer


def _write(files: ring_files.RingFiles, keys_of: list[str]) -> None:
    files.write(keys_of)
    files.tell(backup_keys.FINGERPRINTS_FILE, backup_keys.fingerprints({files.name: ",".join(keys_of)}))


def _folders(session: Session) -> tuple[Path, ...]:
    """Where the secrets of this stack lie: the local one's, or the folder of the environment."""
    local = local_home() / "secrets"
    return (local,) if session.local and local.is_dir() else (Path(os.path.realpath(secrets_folder())),)


def _said(done: Rotated) -> list[str]:
    kept = "the old keys are gone" if done.dropped else "the old keys are still in the ring"
    lines = [f"{done.changed} closed by the new key of {done.ring}-ring, in {done.files} files; {kept}."]
    if done.lost:
        lines.append(f"{done.lost} could be opened by no key, before neither: connect or enrol again where that is.")
    return lines
