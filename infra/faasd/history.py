"""What was changed on this machine, so that it can be taken back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.faasd.errors import MachineFault
from infra.faasd.layout import CURRENT, HISTORY, RELEASES


@dataclass(frozen=True)
class Change:
    """From one release to another. `before` is the migration that the database was at, `backup` the file made then."""

    old: str
    new: str
    before: str | None
    backup: str | None
    destructive: tuple[str, ...] = ()


def read(path: Path = HISTORY) -> list[Change]:
    """The upgrades that have not been taken back, oldest first."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Change(**{**entry, "destructive": tuple(entry["destructive"])}) for entry in entries]


def write(changes: list[Change], path: Path = HISTORY) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(change) for change in changes], indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def current(link: Path = CURRENT) -> Path:
    """The folder of the release that runs."""
    if not link.is_symlink():
        raise MachineFault("No release is installed. Run infra/faasd/install.sh of one.")
    return link.resolve()


def switch(version: str, link: Path = CURRENT) -> None:
    """Make a release the current one, in one step."""
    if not (RELEASES / version).is_dir():
        raise MachineFault(f"{RELEASES / version} is gone. Stage it again with its install.sh --stage.")
    partial = link.with_name(".current.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(Path("releases") / version)
    partial.replace(link)
